package io.recur.device.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the native bytes that Java objects hold, and asks for a garbage collection when many of
 * them may be garbage. The collector sees only a few bytes of heap per object. Without this class,
 * native memory would fill up while the heap is nearly empty.
 *
 * <p>The rule: when the bytes held exceed 64 MB and twice those that the last such collection left,
 * the thread that allocates asks for one collection and waits until the cleaners rest, at most half
 * a second. Other threads that allocate wait for the same collection. Memory in use can grow by any
 * amount, and causes a collection each time that it has doubled. A loop that allocates nothing
 * causes none. With {@code -XX:+DisableExplicitGC} nothing is collected, and the memory grows.
 *
 * <p>The cleaners of a busy machine may need longer than half a second. An allocation that fails
 * therefore asks for one more collection, waits up to four seconds, and is tried again.
 */
public final class Pressure {
  /** Fewer bytes are not worth a collection. */
  public static final long LEAST_BYTES = 64L << 20;

  /**
   * The waits for the cleaners: 1, 2, 4 … ms, as {@code java.nio.Bits} waits for direct buffers.
   */
  private static final int MOST_MILLIS = 256;

  /** The last wait, about four seconds in all, where the choice is to wait or to fail. */
  private static final int LAST_MILLIS = 2048;

  /** The cleaners rest if they free nothing in a wait of this length. */
  private static final int REST_MILLIS = 16;

  private final AtomicLong held = new AtomicLong();
  private long collections;
  private volatile long limit = LEAST_BYTES;

  /** Begins a count without memory. */
  public Pressure() {}

  /** {@return the bytes that are allocated} */
  public long held() {
    return held.get();
  }

  /** {@return the number of collections asked for} */
  synchronized long collections() {
    return collections;
  }

  /**
   * Counts an allocation.
   *
   * @param bytes its size
   */
  public void add(long bytes) {
    held.addAndGet(bytes);
  }

  /**
   * Counts memory that was freed.
   *
   * @param bytes its size
   */
  public void free(long bytes) {
    held.addAndGet(-bytes);
  }

  /**
   * Asks for a collection if there may be much garbage. Called before an allocation that only a
   * collection frees; the caller holds no lock that a cleaner needs.
   */
  public void relieve() {
    if (held.get() > limit) {
      collect();
    }
  }

  /**
   * Asks for a collection and waits longer for the cleaners than {@link #relieve}. Called after an
   * allocation has failed; the caller holds no lock that a cleaner needs.
   */
  public synchronized void relieveAll() {
    collectAndWait(LAST_MILLIS);
  }

  private synchronized void collect() {
    if (held.get() > limit) { // or else the collection of another thread was enough
      collectAndWait(MOST_MILLIS);
    }
  }

  private void collectAndWait(int most) {
    CountDownLatch cleaners = sentinels();
    System.gc();
    collections++;
    try {
      long before;
      int millis = 1;
      boolean rest;
      do {
        before = held.get();
        Thread.sleep(millis);
        rest = millis >= REST_MILLIS && cleaners.getCount() == 0 && held.get() == before;
        millis *= 2;
      } while (millis <= most && !rest);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // for the caller; here it only ends the wait
    }
    limit = Math.max(LEAST_BYTES, 2 * held.get());
  }

  /** {@return a latch that counts down when our cleaner and the JDK's for arenas have begun} */
  private static CountDownLatch sentinels() {
    CountDownLatch cleaners = new CountDownLatch(2);
    Lifetime.CLEANER.register(new Object(), cleaners::countDown);
    MemorySegment.NULL.reinterpret(Arena.ofAuto(), gone -> cleaners.countDown());
    return cleaners;
  }
}
