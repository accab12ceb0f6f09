package io.recur.device.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the native bytes that Java objects hold, and asks for a garbage collection where they
 * might be garbage. The collector sees a few bytes of heap per object and does not hurry; without
 * this, native memory would fill while the heap is nearly empty.
 *
 * <p>The rule: when the bytes held exceed 64 MB and twice those that the last such collection left,
 * the thread that wants more asks for one collection and waits until the cleaners have come to
 * rest, half a second at most. Others that want more wait for the same collection. Memory that is
 * in use can grow by any amount and causes a collection each time that it has doubled; a loop that
 * takes nothing new causes none. With {@code -XX:+DisableExplicitGC} nothing is collected, and the
 * memory grows.
 */
public final class Pressure {
  /** Below this nothing is worth a collection. */
  public static final long LEAST_BYTES = 64L << 20;

  /**
   * The waits for the cleaners: 1, 2, 4 … ms, as {@code java.nio.Bits} waits for direct buffers.
   */
  private static final int MOST_MILLIS = 256;

  /** A wait of this length in which nothing is given back shows that the cleaners rest. */
  private static final int REST_MILLIS = 16;

  private final AtomicLong held = new AtomicLong();
  private long collections;
  private volatile long limit = LEAST_BYTES;

  /**
   * Bytes taken and not given back.
   *
   * @return bytes
   */
  public long held() {
    return held.get();
  }

  /** Collections asked for. */
  synchronized long collections() {
    return collections;
  }

  /**
   * Counts what was taken.
   *
   * @param bytes taken; negative where they were given back
   */
  public void add(long bytes) {
    held.addAndGet(bytes);
  }

  /**
   * Counts what was given back.
   *
   * @param bytes given back
   */
  public void free(long bytes) {
    held.addAndGet(-bytes);
  }

  /**
   * To be called before something is taken that only a collection gives back, and without a lock
   * that a cleaner needs.
   */
  public void relieve() {
    if (held.get() > limit) {
      collect();
    }
  }

  private synchronized void collect() {
    if (held.get() <= limit) {
      return; // the collection of another thread was enough
    }
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
      } while (millis <= MOST_MILLIS && !rest);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the caller's to handle: here it only ends the wait
    }
    limit = Math.max(LEAST_BYTES, 2 * held.get());
  }

  /** Counted down when our cleaner and the JDK's, which ends automatic arenas, have begun. */
  private static CountDownLatch sentinels() {
    CountDownLatch cleaners = new CountDownLatch(2);
    Lifetime.CLEANER.register(new Object(), cleaners::countDown);
    MemorySegment.NULL.reinterpret(Arena.ofAuto(), gone -> cleaners.countDown());
    return cleaners;
  }
}
