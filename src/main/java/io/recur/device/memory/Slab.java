package io.recur.device.memory;

import io.recur.device.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Memory that grows by blocks, is handed out from one end and taken back all at once.
 *
 * <p>{@link #take} costs an addition; {@link #rewind} costs an assignment, so a loop that takes the
 * same amounts again allocates no native memory, and gets the same {@link Buffer} objects: a buffer
 * is a range of addresses, not what lies there. Every piece is aligned to 64 bytes and keeps
 * whatever it held before: it is not zeroed. A slab belongs to one thread.
 *
 * <pre>{@code
 * try (Slab slab = kernels.slab()) {
 *   Buffer a = slab.take(1000);
 *   slab.rewind();               // a is now free for reuse
 * }
 * }</pre>
 */
public final class Slab implements AutoCloseable {
  /** More than any address space holds. */
  private static final long MOST_FLOATS = 1L << 56;

  private static final long FIRST_BLOCK_FLOATS = 1L << 12;
  private static final long ALIGNMENT_FLOATS = 16;

  /** Memory of one lifetime. */
  public interface Blocks {
    /**
     * Takes a block.
     *
     * @param floats words
     * @return a block aligned to 64 bytes
     */
    Buffer allocate(long floats);

    /**
     * Frees all blocks.
     *
     * @throws IllegalStateException if another thread computes with one; nothing has then been
     *     freed
     */
    void close();
  }

  private final Supplier<Blocks> source;
  private Blocks memory;
  private final List<Buffer> blocks = new ArrayList<>();

  /** What was taken, in order, kept over {@link #rewind} for the takes to come. */
  private final List<Buffer> pieces = new ArrayList<>();

  private int taken;
  private int block;
  private long used;
  private long floats;

  /**
   * An empty slab.
   *
   * @param source gives memory that this slab closes
   */
  public Slab(Supplier<Blocks> source) {
    this.source = source;
    this.memory = source.get();
  }

  /**
   * Takes a piece of the slab, valid until {@link #rewind} or {@link #close}.
   *
   * @param length words, more than zero
   * @return a piece aligned to 64 bytes with unspecified content
   * @throws IllegalArgumentException if it is another number of words
   */
  public Buffer take(long length) {
    check("scratch", length);
    long padded = padded(length);
    while (block < blocks.size() && used + padded > blocks.get(block).floats()) {
      block++;
      used = 0;
    }
    if (block == blocks.size()) {
      long size = Math.max(padded, Math.max(FIRST_BLOCK_FLOATS, floats));
      blocks.add(memory.allocate(size));
      floats += size;
      used = 0;
    }
    Buffer piece = piece(blocks.get(block), length);
    used += padded;
    return piece;
  }

  /** The piece that begins here: the object of the last round where it was of the same length. */
  private Buffer piece(Buffer whole, long length) {
    int number = taken++;
    if (number == pieces.size()) {
      pieces.add(whole.slice(used, length));
    }
    Buffer known = pieces.get(number);
    long address = whole.segment().address() + used * Float.BYTES;
    if (known.floats() != length || known.segment().address() != address) {
      known = whole.slice(used, length);
      pieces.set(number, known);
    }
    return known;
  }

  /**
   * Makes all pieces free for reuse; what they held must not be read any more. Where there are
   * several blocks, one as large as all takes their place, so that what follows one another lies
   * together from the second round on.
   *
   * @throws IllegalStateException if there are several blocks and another thread computes with one;
   *     nothing has then changed
   */
  public void rewind() {
    if (blocks.size() > 1) {
      join();
    }
    block = 0;
    used = 0;
    taken = 0;
  }

  private void join() {
    memory.close();
    long all = floats;
    blocks.clear();
    pieces.clear();
    floats = 0;
    memory = source.get();
    blocks.add(memory.allocate(all));
    floats = all;
  }

  /**
   * The native memory held.
   *
   * @return bytes
   */
  public long bytes() {
    return floats * Float.BYTES;
  }

  /**
   * Gives the memory back; a later read of any piece throws {@link IllegalStateException}. A second
   * call does nothing. A slab that nobody closes is freed when neither it nor a piece of it can be
   * reached.
   *
   * @throws IllegalStateException if another thread computes with it; a later call gives it back
   */
  @Override
  public void close() {
    memory.close();
  }

  /**
   * Refuses a number of words that no memory has; up to the limit, bytes do not overflow.
   *
   * @param where the call, for the error
   * @param floats words
   * @throws IllegalArgumentException if it is less than 1 or more than 2⁵⁶
   */
  public static void check(String where, long floats) {
    if (floats < 1 || floats > MOST_FLOATS) {
      throw new IllegalArgumentException(
          "%s: floats=%d; need 1 or more, at most %d".formatted(where, floats, MOST_FLOATS));
    }
  }

  /**
   * The room that a piece takes.
   *
   * @param length words
   * @return words, rounded up to the alignment of 64 bytes
   */
  public static long padded(long length) {
    return (length + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
  }
}
