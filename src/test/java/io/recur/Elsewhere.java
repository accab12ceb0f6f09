package io.recur;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.function.Executable;

/** A second thread. */
public final class Elsewhere {
  /** The name of the thread. */
  public static final String NAME = "second";

  private Elsewhere() {}

  /** Runs something on another thread, waits for it and throws what it threw. */
  public static void run(Executable body) throws Throwable {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .name(NAME)
            .start(
                () -> {
                  try {
                    body.execute();
                  } catch (Throwable e) {
                    thrown.set(e);
                  }
                });
    thread.join();
    if (thrown.get() != null) {
      throw thrown.get();
    }
  }

  /** Passes if the call throws on another thread because this one is inside. */
  public static void isRefused(String what, Executable call) {
    Thrown.says(
        IllegalStateException.class,
        () -> run(call),
        what,
        ": thread " + NAME + "#",
        "while thread " + Thread.currentThread().getName() + "#",
        "one thread at a time");
  }
}
