package io.recur.cli;

import java.io.PrintWriter;

/**
 * Ctrl-C and SIGTERM: a training ends at its next step and is saved before the JVM goes, which then
 * gives the conventional exit status by itself. Between {@link #begin} and {@link #end} there is
 * something to save.
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

  /** Whether the training has to end at this step. */
  synchronized boolean asked() {
    return asked;
  }

  /** The training is saved, or cannot be; the outcome is for the user. */
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
        // The JVM began to go in this moment: the hook runs, and all is saved.
      }
    }
  }
}
