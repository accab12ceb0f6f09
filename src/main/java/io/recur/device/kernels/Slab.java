package io.recur.device.kernels;

import io.recur.device.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * Memory that grows by blocks, is handed out from one end and taken back all at once.
 *
 * <p>{@link #take} costs an addition; {@link #rewind} costs an assignment and frees nothing, so a
 * loop that takes the same amounts again allocates no native memory, and gets the same {@link
 * Buffer} objects: a buffer is a range of addresses, not what lies there. Every piece is aligned to
 * 64 bytes and keeps whatever it held before: it is not zeroed. A slab belongs to one thread.
 *
 * <pre>{@code
 * try (Slab slab = kernels.slab()) {
 *   Buffer a = slab.take(1000);
 *   slab.rewind();               // a is now free for reuse
 * }
 * }</pre>
 */
public final class Slab implements AutoCloseable {
  private static final long FIRST_BLOCK_FLOATS = 1L << 18;
  private static final long ALIGNMENT_FLOATS = 16;

  private final LongFunction<Buffer> memory;
  private final Runnable giveBack;
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
   * @param memory gives a block of that many words, aligned to 64 bytes
   * @param giveBack frees all blocks
   */
  public Slab(LongFunction<Buffer> memory, Runnable giveBack) {
    this.memory = memory;
    this.giveBack = giveBack;
  }

  /**
   * Takes a piece of the slab, valid until {@link #rewind} or {@link #close}.
   *
   * @param length words, more than zero
   * @return a piece aligned to 64 bytes with unspecified content
   */
  public Buffer take(long length) {
    long padded = padded(length);
    while (block < blocks.size() && used + padded > blocks.get(block).floats()) {
      block++;
      used = 0;
    }
    if (block == blocks.size()) {
      long size = Math.max(padded, Math.max(FIRST_BLOCK_FLOATS, floats));
      blocks.add(memory.apply(size));
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

  /** Makes all pieces free for reuse; what they held must not be read any more. */
  public void rewind() {
    block = 0;
    used = 0;
    taken = 0;
  }

  /**
   * The native memory held.
   *
   * @return bytes
   */
  public long bytes() {
    return floats * Float.BYTES;
  }

  /** Gives the memory back; a later read of any piece throws {@link IllegalStateException}. */
  @Override
  public void close() {
    giveBack.run();
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
