package io.recur.serve;

import java.util.Objects;

/**
 * Thrown by a call that cannot be served. Nothing has changed but what the reason says. The
 * requests of other callers are served.
 */
public final class SessionException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  /** Why a call was not served. */
  public enum Reason {
    /** No session of this id is open: it never was, or it was closed. */
    UNKNOWN,
    /** A session of this id is open already. */
    OPEN,
    /**
     * The session met a value that is not a number. Its state is the one before; no step is served
     * until it is reset or restored.
     */
    FAILED,
    /** The queue is full: no further request may wait. */
    OVERFULL,
    /** The deadline had passed when the request's turn came. It did not step. */
    LATE,
    /** The step has a lower number than the last one. Only the answer of the last one is kept. */
    PASSED,
    /** The request names a version that its session does not have, or that does not exist. */
    VERSION,
    /** The sessions were closed, or are about to be. The request did not step. */
    CLOSED
  }

  /** Why the call was not served. */
  private final Reason reason;

  /**
   * Makes the exception of a call.
   *
   * @param reason why
   * @param message {@code where: facts; the rule or the remedy}
   */
  public SessionException(Reason reason, String message) {
    super(message);
    this.reason = Objects.requireNonNull(reason, "reason");
  }

  /** {@return why the call was not served} */
  public Reason reason() {
    return reason;
  }
}
