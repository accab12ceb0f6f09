package io.recur.device;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Marks an object that one thread at a time may use. If a second thread enters while the first is
 * inside, {@link #enter} throws; otherwise the object would return wrong results.
 *
 * <p>The thread that is inside may enter again; it is outside once it has left as often. Threads
 * may use the object one after the other, and each sees what the one before it wrote. Entering
 * costs one compare-and-set when the thread is outside and one comparison when it is inside.
 * Several threads may {@linkplain #read read} at once, while none is inside.
 *
 * <pre>{@code
 * OneThread mark = new OneThread("counter", "give each thread a counter of its own");
 * int[] count = {0};
 * try (var _ = mark.enter()) {
 *   count[0]++;
 * }
 * }</pre>
 */
public final class OneThread implements AutoCloseable {
  private static final VarHandle OWNER;
  private static final VarHandle READERS;

  static {
    try {
      OWNER = MethodHandles.lookup().findVarHandle(OneThread.class, "owner", Thread.class);
      READERS = MethodHandles.lookup().findVarHandle(OneThread.class, "readers", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String what;
  private final String remedy;

  /**
   * The thread that is inside. A thread that reads itself here is inside, whatever other threads
   * write: only the thread itself removes its entry.
   */
  private @Nullable Thread owner;

  /** How often the owner has entered; only the owner reads or writes it. */
  private int depth;

  /** The number of reads that have begun and not ended. */
  private int readers;

  /** A thread that reads, for errors. */
  private @Nullable Thread reader;

  /**
   * Makes a mark that no thread has entered.
   *
   * @param what the object, as an error names it
   * @param remedy what the second thread should do instead
   */
  public OneThread(String what, String remedy) {
    this.what = what;
    this.remedy = remedy;
  }

  /**
   * Enters. {@link #close} leaves.
   *
   * @return this, for try with resources
   * @throws IllegalStateException if another thread is inside or reads; the message names both
   *     threads and the remedy
   */
  public OneThread enter() {
    Thread me = Thread.currentThread();
    if (owner != me) {
      Thread inside = (Thread) OWNER.compareAndExchange(this, (Thread) null, me);
      if (inside != null) {
        throw refused(inside, me);
      }
      if ((int) READERS.getVolatile(this) != 0) { // either this sees the reader, or it sees us
        Thread reading = reader;
        OWNER.setRelease(this, (Thread) null);
        throw refused(reading == null ? me : reading, me);
      }
    }
    depth++;
    return this;
  }

  /**
   * Enters unless the calling thread is inside. Operations that call each other use it: only the
   * outermost one pays for entering and leaving.
   *
   * @return this, or null for a thread that is inside already; try with resources takes both
   * @throws IllegalStateException as for {@link #enter}
   */
  public @Nullable OneThread enterOnce() {
    return isInside() ? null : enter();
  }

  /**
   * Whether the calling thread has entered and not left.
   *
   * @return false for every other thread
   */
  public boolean isInside() {
    return owner == Thread.currentThread();
  }

  /**
   * Begins to read, until {@link #endRead}. No thread can enter meanwhile.
   *
   * @throws IllegalStateException if another thread is inside
   */
  public void read() {
    Thread me = Thread.currentThread();
    READERS.getAndAdd(this, 1);
    Thread inside = (Thread) OWNER.getVolatile(this);
    if (inside != null && inside != me) {
      READERS.getAndAdd(this, -1);
      throw refused(inside, me);
    }
    reader = me;
  }

  /**
   * Ends a {@link #read}.
   *
   * @throws IllegalStateException if nobody reads
   */
  public void endRead() {
    if ((int) READERS.getAndAdd(this, -1) <= 0) {
      READERS.getAndAdd(this, 1);
      throw new IllegalStateException(what + ": nobody reads; end what read() began, once");
    }
  }

  private IllegalStateException refused(Thread inside, Thread came) {
    return new IllegalStateException(
        "%s: thread %s came while thread %s was inside; one thread at a time: %s"
            .formatted(what, name(came), name(inside), remedy));
  }

  /** {@return name and number: virtual threads often have no name, and two may share one} */
  private static String name(Thread thread) {
    return thread.getName() + "#" + thread.threadId();
  }

  /**
   * Leaves.
   *
   * @throws IllegalStateException if the calling thread is not inside
   */
  @Override
  public void close() {
    if (owner != Thread.currentThread()) {
      throw new IllegalStateException(
          "%s: thread %s leaves and is not inside; close what enter() gave, once"
              .formatted(what, name(Thread.currentThread())));
    }
    depth--;
    if (depth == 0) {
      OWNER.setRelease(this, (Thread) null);
    }
  }
}
