package io.recur.serve;

/** How many calls wait while the stepping thread is inside a batch, for tests of other packages. */
public final class Waits {
  private Waits() {}

  public static int of(Sessions sessions) {
    return sessions.calls().waiting();
  }
}
