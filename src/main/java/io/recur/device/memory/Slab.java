package io.recur.device.memory;

import io.recur.device.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Memory that grows by regions. It is allocated from one end and freed all at once.
 *
 * <p>{@link #take} costs an addition, {@link #rewind} an assignment. A loop that takes the same
 * amounts again allocates no native memory, and gets the same {@link Buffer} objects: a buffer is a
 * range of addresses, not their content. Every buffer is aligned to 64 bytes and is not zeroed: it
 * holds what was there before. A slab belongs to one thread.
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

  private static final long FIRST_REGION_FLOATS = 1L << 12;
  private static final long ALIGNMENT_FLOATS = 16;

  /** Allocates regions of one lifetime. */
  public interface Regions {
    /**
     * Allocates a region.
     *
     * @param floats the number of words
     * @return a region aligned to 64 bytes
     */
    Buffer allocate(long floats);

    /**
     * Frees all regions.
     *
     * @throws IllegalStateException if another thread computes with a region; nothing is then freed
     */
    void close();
  }

  private final Supplier<Regions> source;
  private Regions memory;
  private final List<Buffer> regions = new ArrayList<>();

  /** The buffers in order. {@link #rewind} keeps them for later calls of {@link #take}. */
  private final List<Buffer> buffers = new ArrayList<>();

  private int taken;
  private int region;
  private long used;
  private long usedBefore; // in the regions before this one
  private long floats;

  /**
   * Makes an empty slab.
   *
   * @param source gives regions, which this slab closes
   */
  public Slab(Supplier<Regions> source) {
    this.source = source;
    this.memory = source.get();
  }

  /**
   * Takes a buffer from the slab, valid until {@link #rewind} or {@link #close}.
   *
   * @param length the number of words, more than 0
   * @return a buffer aligned to 64 bytes with unspecified content
   * @throws IllegalArgumentException if the number is less than 1 or more than 2⁵⁶
   */
  public Buffer take(long length) {
    check("scratch", length);
    long padded = padded(length);
    while (region < regions.size() && used + padded > regions.get(region).floats()) {
      region++;
      usedBefore += used;
      used = 0;
    }
    if (region == regions.size()) {
      long size = Math.max(padded, Math.max(FIRST_REGION_FLOATS, floats));
      regions.add(memory.allocate(size));
      floats += size;
      used = 0;
    }
    Buffer buffer = buffer(regions.get(region), length);
    used += padded;
    return buffer;
  }

  /**
   * {@return the buffer that begins here, the object of the last round if its length is the same}
   */
  private Buffer buffer(Buffer whole, long length) {
    int number = taken++;
    if (number == buffers.size()) {
      buffers.add(whole.slice(used, length));
    }
    Buffer known = buffers.get(number);
    long address = whole.segment().address() + used * Float.BYTES;
    if (known.floats() != length || known.segment().address() != address) {
      known = whole.slice(used, length);
      buffers.set(number, known);
    }
    return known;
  }

  /**
   * Frees all buffers for reuse. Nobody may read them any more. If there are several regions, one
   * replaces them, so that buffers are adjacent from the second round on. It has room for what was
   * taken and an eighth more: regions double, and half of the last one may be empty.
   *
   * @throws IllegalStateException if there are several regions and another thread computes with
   *     one; nothing has then changed
   */
  public void rewind() {
    if (regions.size() > 1) {
      join();
    }
    region = 0;
    used = 0;
    usedBefore = 0;
    taken = 0;
  }

  private void join() {
    memory.close();
    long taken = usedBefore + used;
    long all = Math.min(floats, padded(taken + taken / 8));
    regions.clear();
    buffers.clear();
    floats = 0;
    memory = source.get();
    regions.add(memory.allocate(all));
    floats = all;
  }

  /** {@return the bytes of native memory that this slab holds} */
  public long bytes() {
    return floats * Float.BYTES;
  }

  /**
   * Frees the memory. A later read of one of its buffers throws {@link IllegalStateException}. A
   * second call does nothing. A slab that nobody closes is freed when neither it nor one of its
   * buffers is reachable.
   *
   * @throws IllegalStateException if another thread computes with the memory; a later call frees it
   */
  @Override
  public void close() {
    memory.close();
  }

  /**
   * Throws for a number of words that no memory holds. Up to the limit, the bytes do not overflow.
   *
   * @param where the call, for the error
   * @param floats the number of words
   * @throws IllegalArgumentException if the number is less than 1 or more than 2⁵⁶
   */
  public static void check(String where, long floats) {
    if (floats < 1 || floats > MOST_FLOATS) {
      throw new IllegalArgumentException(
          "%s: floats=%d; need 1 or more, at most %d".formatted(where, floats, MOST_FLOATS));
    }
  }

  /**
   * Computes the words that a buffer occupies.
   *
   * @param length the words of the buffer
   * @return the words, rounded up to the alignment of 64 bytes
   */
  public static long padded(long length) {
    return (length + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
  }
}
