package io.recur.serve;

import java.util.Objects;

/**
 * Thrown to the one whose call cannot be served; nothing has then changed but what the reason says.
 * Requests of others are served.
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
    /** As many requests wait as may. */
    OVERFULL,
    /** The deadline had passed when the request's turn came. It did not step. */
    LATE,
    /** The step has a lower number than the last one, whose answer alone is kept. */
    PASSED,
    /** The request is of another version of the model than its session, or of one that is none. */
    VERSION,
    /** The sessions were closed, or are about to be. The request did not step. */
    CLOSED
  }

  /** What stands in the way. */
  private final Reason reason;

  /**
   * A call that cannot be served.
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
