package io.recur.cli;

import io.recur.serve.http.Server;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;

/**
 * Handles Ctrl-C and SIGTERM of a server: what has come is answered, sessions go to their stores,
 * and the JVM exits with the conventional status. A second signal ends it at once.
 */
final class Ending implements AutoCloseable {
  private static final int LOOK_MILLIS = 50;
  private static final int STATUS = 143;

  private final Server server;
  private final ServedFiles files;
  private final int seconds;
  private final PrintWriter err;
  private final Thread hook = new Thread(this::drain, "recur-ending");

  Ending(Server server, ServedFiles files, int seconds, PrintWriter err) {
    this.server = server;
    this.files = files;
    this.seconds = seconds;
    this.err = err;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Waits for a signal, which ends the JVM. */
  void await() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  private void drain() {
    say("answering what has come; a second signal ends at once");
    Thread.ofPlatform().daemon().name("recur-second-signal").start(Ending::watch);
    boolean isDone = server.drain(1000L * seconds);
    try {
      files.drain();
      say(isDone ? "all is answered" : "not all was answered within %d s".formatted(seconds));
    } catch (IOException | RuntimeException e) {
      say("sessions did not go to their store: " + Failure.cause(e));
    }
  }

  /**
   * Waits for another signal. While the JVM shuts down, it reports none; but it starts a thread per
   * signal, and the second one is there and waits for the first.
   */
  private static void watch() {
    try {
      while (true) {
        long signals =
            Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().matches("SIG[A-Z]+ handler"))
                .count();
        if (signals > 1) {
          Runtime.getRuntime().halt(STATUS);
        }
        Thread.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody does; the JVM ends
    }
  }

  private void say(String line) {
    err.println("recur: " + Printable.of(line));
    err.flush();
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM has just begun to shut down, and the hook runs.
    }
  }
}
