package io.recur.device.memory;

import io.recur.device.Buffer;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongFunction;

/**
 * A table of slots: equal, numbered ranges of device memory, which are taken and given back one by
 * one. States that come and go live in them. The table grows by blocks, each twice as large as the
 * one before, up to 1 MiB. It never shrinks. The slot that was given back last is taken next. Any
 * thread may call every method.
 *
 * <p>Beside its memory a slot costs nothing while it is in use and four bytes while it is free.
 *
 * <pre>{@code
 * Slots slots = kernels.slots(512);
 * int slot = slots.take();
 * Buffer memory = slots.at(slot);      // 512 words that nobody else has
 * slots.giveBack(slot);
 * }</pre>
 */
public final class Slots {
  private static final long FIRST_BLOCK_FLOATS = 1L << 10;
  private static final long MOST_BLOCK_FLOATS = 1L << 18;

  /** Receives the bytes in use. */
  public interface Account {
    /** Called without a lock before a slot is taken, so that it may collect garbage. */
    void before();

    /**
     * Called when a slot is taken or given back.
     *
     * @param bytes the change: positive when a slot is taken, negative when it is given back
     */
    void used(long bytes);
  }

  private final long floats;
  private final LongFunction<Buffer> memory;
  private final Account account;
  private final Cleaner cleaner;

  /** The binary logarithms of the slots of the first block and of the largest. */
  private final int first;

  private final int most;

  private final List<Buffer> blocks = new ArrayList<>();
  private int slots;
  private int fresh;
  private int[] free = {};
  private int freed;

  /**
   * Makes an empty table.
   *
   * @param floats the words of a slot, a multiple of 16
   * @param memory allocates a block of a number of words, aligned to 64 bytes
   * @param account receives the bytes in use
   * @param cleaner finds unreachable holders
   */
  public Slots(long floats, LongFunction<Buffer> memory, Account account, Cleaner cleaner) {
    this.floats = floats;
    this.memory = memory;
    this.account = account;
    this.cleaner = cleaner;
    this.first = log2(FIRST_BLOCK_FLOATS / floats);
    this.most = log2(MOST_BLOCK_FLOATS / floats);
  }

  private static int log2(long count) {
    return 63 - Long.numberOfLeadingZeros(Math.max(1, count));
  }

  /**
   * Takes a slot, with unspecified content.
   *
   * @return the slot's number, valid until it is given back
   */
  public int take() {
    account.before();
    int slot = next();
    account.used(floats * Float.BYTES);
    return slot;
  }

  private synchronized int next() {
    if (freed > 0) {
      return free[--freed];
    }
    if (fresh == slots) {
      int more = 1 << Math.min(most, Math.max(first, log2(slots)));
      int all = Math.addExact(slots, more);
      blocks.add(memory.apply(more * floats));
      slots = all;
    }
    return fresh++;
  }

  /**
   * Returns the memory of a slot.
   *
   * @param slot the number of a slot that is taken
   * @return a buffer aligned to 64 bytes
   */
  public Buffer at(int slot) {
    int block;
    int begin;
    if (slot < 1 << first) {
      block = 0;
      begin = 0;
    } else if (slot < 1 << most) {
      int power = log2(slot);
      block = power - first + 1;
      begin = 1 << power;
    } else {
      block = most - first + (slot >> most);
      begin = slot >> most << most;
    }
    return block(block).slice((slot - begin) * floats, floats);
  }

  private synchronized Buffer block(int number) {
    return blocks.get(number);
  }

  /** Gives a slot back once. It must not refer to the slot's holder. */
  private record GiveBack(Slots slots, int slot) implements Runnable {
    @Override
    public void run() {
      slots.giveBack(slot);
    }
  }

  /**
   * Ties a slot to the object that uses it. The slot is given back once: when the object is
   * unreachable, or earlier by {@link Cleaner.Cleanable#clean}.
   *
   * @param slot the number of a slot that is taken
   * @param holder the only object that reads and writes the slot
   * @return gives the slot back
   */
  public Cleaner.Cleanable tie(int slot, Object holder) {
    return cleaner.register(holder, new GiveBack(this, slot));
  }

  /**
   * Gives a slot back. Nobody may read or write its memory after this call.
   *
   * @param slot the number of a slot that is taken
   */
  public void giveBack(int slot) {
    synchronized (this) {
      if (freed == free.length) {
        free = Arrays.copyOf(free, Math.max(16, 2 * freed));
      }
      free[freed++] = slot;
    }
    account.used(-floats * Float.BYTES);
  }

  /** {@return the number of slots that are taken} */
  public synchronized int used() {
    return fresh - freed;
  }
}
