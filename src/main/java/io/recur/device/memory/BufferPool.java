package io.recur.device.memory;

import io.recur.device.Buffer;
import io.recur.device.DeviceException;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongFunction;

/**
 * A pool of numbered buffers of one length, which are taken and given back one by one: memory for
 * states that come and go. The pool grows by regions, each twice as large as the one before, up to
 * 1 MiB. It never shrinks. The buffer that was given back last is taken next. Any thread may call
 * every method.
 *
 * <p>Beside its memory a buffer costs nothing while it is in use and four bytes while it is free.
 *
 * <pre>{@code
 * BufferPool pool = kernels.pool(512);
 * int number = pool.take();
 * Buffer memory = pool.at(number);      // 512 words that nobody else has
 * pool.giveBack(number);
 * }</pre>
 */
public final class BufferPool {
  private static final long FIRST_REGION_FLOATS = 1L << 10;
  private static final long MOST_REGION_FLOATS = 1L << 18;

  /** Receives the bytes in use. */
  public interface Account {
    /** Called without a lock before a buffer is taken, so that it may collect garbage. */
    void before();

    /**
     * Called when a buffer is taken or given back.
     *
     * @param bytes the change: positive when a buffer is taken, negative when it is given back
     */
    void used(long bytes);

    /** Called without a lock after memory has run out, so that garbage is given back. */
    void failed();
  }

  private final long floats;
  private final LongFunction<Buffer> memory;
  private final Account account;
  private final Cleaner cleaner;

  /** The binary logarithms of the buffers of the first region and of the largest. */
  private final int first;

  private final int most;

  private final List<Buffer> regions = new ArrayList<>();
  private int buffers;
  private int fresh;
  private int[] free = {};
  private int freed;

  /**
   * Makes an empty pool.
   *
   * @param floats the words of a buffer, a multiple of 16
   * @param memory allocates a region of a number of words, aligned to 64 bytes
   * @param account receives the bytes in use
   * @param cleaner finds unreachable holders
   */
  public BufferPool(long floats, LongFunction<Buffer> memory, Account account, Cleaner cleaner) {
    this.floats = floats;
    this.memory = memory;
    this.account = account;
    this.cleaner = cleaner;
    this.first = log2(FIRST_REGION_FLOATS / floats);
    this.most = log2(MOST_REGION_FLOATS / floats);
  }

  /**
   * Returns the length of the pooled buffers that serve a size: the size itself up to 1024 words,
   * else at most an eighth more. Few pools then serve many sizes, of which each would keep memory
   * for itself.
   *
   * @param floats the words that are needed, a multiple of 16
   * @return a multiple of 16
   */
  public static long length(long floats) {
    long step = Math.max(16, Long.highestOneBit(floats - 1) / 8);
    return floats <= FIRST_REGION_FLOATS ? floats : (floats + step - 1) / step * step;
  }

  private static int log2(long count) {
    return 63 - Long.numberOfLeadingZeros(Math.max(1, count));
  }

  /**
   * Takes a buffer, with unspecified content.
   *
   * @return its number, valid until it is given back
   * @throws DeviceException if no buffer is free and there is no memory for more
   */
  public int take() {
    account.before();
    int number = nextOrRetry();
    account.used(floats * Float.BYTES);
    return number;
  }

  /** Gives the cleaners time to give buffers back before memory that has run out is an error. */
  private int nextOrRetry() {
    try {
      return next();
    } catch (DeviceException e) {
      account.failed();
      return next();
    }
  }

  private synchronized int next() {
    if (freed > 0) {
      return free[--freed];
    }
    if (fresh == buffers) {
      int more = 1 << Math.min(most, Math.max(first, log2(buffers)));
      int all = Math.addExact(buffers, more);
      regions.add(memory.apply(more * floats));
      buffers = all;
    }
    return fresh++;
  }

  /**
   * Returns the memory of a buffer.
   *
   * @param number of a buffer that is taken
   * @return a buffer aligned to 64 bytes
   */
  public Buffer at(int number) {
    int region;
    int begin;
    if (number < 1 << first) {
      region = 0;
      begin = 0;
    } else if (number < 1 << most) {
      int power = log2(number);
      region = power - first + 1;
      begin = 1 << power;
    } else {
      region = most - first + (number >> most);
      begin = number >> most << most;
    }
    return region(region).slice((number - begin) * floats, floats);
  }

  private synchronized Buffer region(int index) {
    return regions.get(index);
  }

  /** Gives a buffer back once. It must not refer to the holder of the buffer. */
  private record GiveBack(BufferPool pool, int number) implements Runnable {
    @Override
    public void run() {
      pool.giveBack(number);
    }
  }

  /**
   * Ties a buffer to the object that uses it. The buffer is given back once: when the object is
   * unreachable, or earlier by {@link Cleaner.Cleanable#clean}.
   *
   * @param number of a buffer that is taken
   * @param holder the only object that reads and writes the buffer
   * @return gives the buffer back
   */
  public Cleaner.Cleanable tie(int number, Object holder) {
    return cleaner.register(holder, new GiveBack(this, number));
  }

  /**
   * Gives a buffer back. Nobody may read or write its memory after this call.
   *
   * @param number of a buffer that is taken
   */
  public void giveBack(int number) {
    synchronized (this) {
      if (freed == free.length) {
        free = Arrays.copyOf(free, Math.max(16, 2 * freed));
      }
      free[freed++] = number;
    }
    account.used(-floats * Float.BYTES);
  }

  /** {@return the number of buffers that are taken} */
  public synchronized int used() {
    return fresh - freed;
  }
}
