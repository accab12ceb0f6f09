package io.recur.peers;

/** A contender that gives no figure here, with the reason. */
final class CannotRun extends Exception {
  private static final long serialVersionUID = 1;

  CannotRun(String reason) {
    super(reason);
  }
}
