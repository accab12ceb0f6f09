package io.recur.cli;

import java.io.PrintWriter;

/**
 * Handles Ctrl-C and SIGTERM. The training ends at its next step and is saved before the JVM exits,
 * with the conventional status that the JVM gives by itself. Between {@link #begin} and {@link
 * #end} there is something to save.
 */
final class Interruption implements AutoCloseable {
  private static final long LONGEST_MILLIS = 60_000;

  private final PrintWriter err;
  private final Thread hook = new Thread(this::interrupted, "recur-interruption");
  private boolean asked;
  private boolean unsaved;
  private String outcome = "stopped before the first step; there is nothing to save";

  Interruption(PrintWriter err) {
    this.err = err;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  synchronized void begin() {
    unsaved = true;
  }

  /** {@return whether the training must end at this step} */
  synchronized boolean asked() {
    return asked;
  }

  /** Ends the wait: the training is saved or cannot be. The user sees the outcome. */
  synchronized void end(String outcome) {
    this.outcome = outcome;
    unsaved = false;
    notifyAll();
  }

  private synchronized void interrupted() {
    asked = true;
    try {
      if (unsaved) {
        err.println();
        say("stopping at the next step, to save the training");
      }
      long last = System.nanoTime() + LONGEST_MILLIS * 1_000_000;
      for (long left = LONGEST_MILLIS; unsaved && left > 0; ) {
        wait(left);
        left = (last - System.nanoTime()) / 1_000_000;
      }
      say(unsaved ? "not saved: a step takes more than " + LONGEST_MILLIS / 1000 + " s" : outcome);
    } catch (InterruptedException e) {
      say("not saved: the JVM does not wait");
    }
  }

  private void say(String line) {
    err.println("recur: " + Printable.of(line));
    err.flush();
  }

  @Override
  public void close() {
    if (!asked()) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The JVM has just begun to shut down. The hook runs, and everything is saved.
      }
    }
  }
}
