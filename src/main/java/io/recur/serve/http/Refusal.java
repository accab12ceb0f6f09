package io.recur.serve.http;

/** A request that is not served, with its status of HTTP. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static final int BAD = 400;
  static final int UNAUTHORISED = 401;
  static final int FORBIDDEN = 403;
  static final int NOT_FOUND = 404;
  static final int OTHER_METHOD = 405;
  static final int CONFLICT = 409;
  static final int TOO_LARGE = 413;
  static final int TOO_MANY = 429;
  static final int FAILED = 500;
  static final int UNAVAILABLE = 503;
  static final int LATE = 504;

  /** The status of the answer. */
  final int status;

  /** After how many seconds the caller may try again; 0 for never. */
  final int retrySeconds;

  Refusal(int status, String message) {
    this(status, message, 0);
  }

  Refusal(int status, String message, int retrySeconds) {
    super(message, null, false, false); // it is an answer: nobody reads its stack
    this.status = status;
    this.retrySeconds = retrySeconds;
  }
}
