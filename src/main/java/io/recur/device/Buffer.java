package io.recur.device;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A run of 4-byte words on a device: float32 values, or int32 indexes where a method says so.
 *
 * <p>A buffer does not own its memory: the slab or the arena that it was taken from does. Reading a
 * buffer whose owner was closed throws {@link IllegalStateException}; it never crashes.
 *
 * <pre>{@code
 * try (Device device = Device.cpu()) {
 *   Buffer buffer = device.allocate(3);
 *   buffer.write(1f, 2f, 3f);
 *   float second = buffer.slice(1, 1).read()[0];   // 2
 * }
 * }</pre>
 */
public final class Buffer {
  /** The longest array that a JVM makes. */
  private static final int MOST_VALUES = Integer.MAX_VALUE - 8;

  private final Device device;
  private final MemorySegment segment;
  private final long floats;
  private final Writes writes;
  private @Nullable Buffer carry;

  /** What all buffers over one piece of memory share. */
  private static final class Writes {
    /** Kept reachable with every buffer over the memory, such as that which frees it. */
    private final Object keeper;

    /** Of memory that outlives a tape. */
    private final @Nullable Carries carries;

    private long count;

    Writes(Object keeper, boolean isLasting) {
      this.keeper = keeper;
      this.carries = isLasting ? new Carries() : null;
    }
  }

  /** A piece of memory, see {@link Device#buffer}. */
  Buffer(Device device, MemorySegment segment, long floats, Object keeper, boolean isLasting) {
    this(device, segment, floats, new Writes(keeper, isLasting));
  }

  private Buffer(Device device, MemorySegment segment, long floats, Writes writes) {
    this.device = device;
    this.segment = segment;
    this.floats = floats;
    this.writes = writes;
  }

  /**
   * The device whose memory this is.
   *
   * @return the device
   */
  public Device device() {
    return device;
  }

  /**
   * The address as the native calls take it, to be read; {@link #target} is the one to write to. On
   * a GPU it has length zero, so that a read from Java throws.
   *
   * @return the segment
   * @throws IllegalStateException if the owner was closed
   */
  public MemorySegment segment() {
    if (!segment.scope().isAlive()) {
      throw new IllegalStateException(
          "buffer: %d floats that were given back; use them before their tape is cleared or closed"
              .formatted(floats));
    }
    return segment;
  }

  /**
   * The address, to be written to: whatever was derived from the values before, such as packed
   * weights, is derived again.
   *
   * @return the segment
   * @throws IllegalStateException if the owner was closed
   */
  public MemorySegment target() {
    writes.count++;
    return segment();
  }

  /**
   * What to throw where work on buffers threw: a buffer's own error where another thread closed its
   * owner since its address was taken, and the same exception where all are open.
   *
   * @param thrown by the JVM or by a kernel
   * @param all that the work read or wrote; null where there was none
   */
  static IllegalStateException closed(IllegalStateException thrown, @Nullable Buffer... all) {
    for (Buffer buffer : all) {
      if (buffer != null) {
        buffer.segment();
      }
    }
    return thrown;
  }

  /**
   * {@link #segment()} for native code that reads that many words: it checks none of its addresses.
   *
   * @param length words
   * @return the whole segment
   * @throws IndexOutOfBoundsException if this buffer has fewer words
   * @throws IllegalStateException if the owner was closed
   */
  public MemorySegment segment(long length) {
    checkLength("kernel", length);
    return segment();
  }

  /**
   * {@link #target()} for native code that writes that many words: it checks none of its addresses.
   *
   * @param length words
   * @return the whole segment
   * @throws IndexOutOfBoundsException if this buffer has fewer words
   * @throws IllegalStateException if the owner was closed
   */
  public MemorySegment target(long length) {
    checkLength("kernel", length);
    return target();
  }

  /**
   * Grows with each write to the memory that this buffer is a part of.
   *
   * @return a number to be compared with an earlier one
   */
  public long version() {
    return writes.count;
  }

  /**
   * Whether another buffer is the same words of the same memory.
   *
   * @param other any buffer
   * @return whether both begin and end at the same place
   */
  public boolean isAt(Buffer other) {
    return device == other.device
        && floats == other.floats
        && segment.address() == other.segment.address();
  }

  /** Whether sums in this memory grow from tape to tape, so that roundings would add up. */
  boolean isLasting() {
    return writes.carries != null;
  }

  /** What the sums in this buffer lost to rounding; as long as it, and as lasting. */
  Buffer carry() {
    Buffer known = carry;
    if (known == null) {
      Carries carries = writes.carries;
      known = carries == null ? device.allocate(floats) : carries.of(this);
      carry = known;
    }
    return known;
  }

  /**
   * The length in words.
   *
   * @return the number of 4-byte words
   */
  public long floats() {
    return floats;
  }

  /**
   * A part of this buffer; both share the memory.
   *
   * @param offset the first word
   * @param length the number of words
   * @return the part
   * @throws IndexOutOfBoundsException if the part does not lie inside
   * @throws IllegalStateException if the owner was closed
   */
  public Buffer slice(long offset, long length) {
    if (offset < 0 || length < 0 || offset > floats - length) {
      throw new IndexOutOfBoundsException(
          "slice: offset=%d, length=%d of a buffer of %d floats".formatted(offset, length, floats));
    }
    try {
      return offset == 0 && length == floats
          ? this
          : new Buffer(device, device.slice(segment(), offset, length), length, writes);
    } catch (IllegalStateException e) {
      throw closed(e, this);
    }
  }

  /**
   * Copies values from the heap to this buffer. To write a part, write to its {@link #slice}.
   *
   * @param values {@link #floats()} values
   * @throws IndexOutOfBoundsException if it is another number of values; nothing is then written
   */
  public void write(float... values) {
    checkWhole("write", values.length);
    device.write(this, values, 0, values.length);
  }

  /**
   * Copies int32 indexes from the heap to this buffer.
   *
   * @param indexes {@link #floats()} indexes
   * @throws IndexOutOfBoundsException if it is another number of indexes; nothing is then written
   */
  public void writeIndexes(int... indexes) {
    checkWhole("writeIndexes", indexes.length);
    device.writeIndexes(this, indexes);
  }

  /**
   * Copies the whole buffer to the heap.
   *
   * @return a new array of {@link #floats()} values
   * @throws IndexOutOfBoundsException if the buffer is longer than an array can be, or work
   *     recorded before met a bad index on a GPU, see {@link Columns}
   */
  public float[] read() {
    if (floats > MOST_VALUES) {
      throw new IndexOutOfBoundsException(
          "read: buffer of %d floats, an array holds %d; read it slice by slice"
              .formatted(floats, MOST_VALUES));
    }
    float[] values = new float[(int) floats];
    device.read(this, values, 0, values.length);
    return values;
  }

  /**
   * Copies the start of this buffer to the heap.
   *
   * @param values where to copy to; as many values as it holds are read
   * @throws IndexOutOfBoundsException if there are more than {@link #floats()}, or work recorded
   *     before met a bad index on a GPU, see {@link Columns}
   */
  public void read(float[] values) {
    checkLength("read", values.length);
    device.read(this, values, 0, values.length);
  }

  /** Refuses fewer than no values, and more than this buffer has. */
  void checkLength(String where, long length) {
    if (length < 0 || length > floats) {
      throw new IndexOutOfBoundsException(
          "%s: %d values, buffer of %d floats; need 0 to %d"
              .formatted(where, length, floats, floats));
    }
  }

  private void checkWhole(String where, long length) {
    if (length != floats) {
      throw new IndexOutOfBoundsException(
          "%s: %d values, buffer of %d floats; write all of it, or slice(offset, %d) of it"
              .formatted(where, length, floats, length));
    }
  }
}
