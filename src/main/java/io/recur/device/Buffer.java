package io.recur.device;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A run of 4-byte words on a device: float32 values, or int32 indexes where a method says so.
 *
 * <p>A buffer does not own its memory; a slab or an arena does. To read a buffer whose owner is
 * closed throws {@link IllegalStateException}; it never crashes.
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
  /** The longest array that every JVM can allocate. */
  private static final int MOST_VALUES = Integer.MAX_VALUE - 8;

  private final Device device;
  private final MemorySegment segment;
  private final long floats;
  private final Writes writes;
  private @Nullable Buffer carry;

  /** What all buffers of the same memory share. */
  private static final class Writes {
    /** Reachable as long as a buffer of the memory is, such as the object that frees it. */
    private final Object keeper;

    /** Null unless the memory outlives a tape. */
    private final @Nullable Carries carries;

    private long count;

    Writes(Object keeper, boolean isLasting) {
      this.keeper = keeper;
      this.carries = isLasting ? new Carries() : null;
    }
  }

  /** Makes a buffer over memory, see {@link Device#buffer}. */
  Buffer(Device device, MemorySegment segment, long floats, Object keeper, boolean isLasting) {
    this(device, segment, floats, new Writes(keeper, isLasting));
  }

  private Buffer(Device device, MemorySegment segment, long floats, Writes writes) {
    this.device = device;
    this.segment = segment;
    this.floats = floats;
    this.writes = writes;
  }

  /** {@return the device whose memory this is} */
  public Device device() {
    return device;
  }

  /**
   * Returns the memory for native calls that read it; {@link #target} is for those that write. On a
   * GPU the segment has length zero, so that a read from Java throws.
   *
   * @return the segment
   * @throws IllegalStateException if the owner is closed
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
   * Returns the memory for native calls that write it, and counts a write. Copies that depend on
   * the values, such as packed weights, are then made again.
   *
   * @return the segment
   * @throws IllegalStateException if the owner is closed
   */
  public MemorySegment target() {
    writes.count++;
    return segment();
  }

  /**
   * Finds the error of work on buffers that has thrown. If another thread has closed the owner of a
   * buffer since its address was taken, this method throws that buffer's own error.
   *
   * @param thrown the exception of the JVM or of a kernel
   * @param all the buffers that the work read or wrote, some may be null
   * @return the same exception, if all owners are open
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
   * Returns {@link #segment()} for native code, which checks no address.
   *
   * @param length the number of words that the code reads
   * @return the whole segment
   * @throws IndexOutOfBoundsException if this buffer has fewer words
   * @throws IllegalStateException if the owner was closed
   */
  public MemorySegment segment(long length) {
    checkLength("kernel", length);
    return segment();
  }

  /**
   * Returns {@link #target()} for native code, which checks no address.
   *
   * @param length the number of words that the code writes
   * @return the whole segment
   * @throws IndexOutOfBoundsException if this buffer has fewer words
   * @throws IllegalStateException if the owner was closed
   */
  public MemorySegment target(long length) {
    checkLength("kernel", length);
    return target();
  }

  /**
   * Returns the version of the memory that this buffer is a part of. Each write raises it.
   *
   * @return a number to compare with an earlier one
   */
  public long version() {
    return writes.count;
  }

  /**
   * Tells whether another buffer has the same words of the same memory, which may be given back.
   *
   * @param other any buffer
   * @return whether both begin and end at the same place
   */
  public boolean isAt(Buffer other) {
    return writes == other.writes
        && floats == other.floats
        && segment.address() == other.segment.address();
  }

  /** {@return whether sums in this memory grow from tape to tape, so that roundings add up} */
  boolean isLasting() {
    return writes.carries != null;
  }

  /** {@return what the sums in this buffer lost to rounding, one word per word} */
  Buffer carry() {
    Buffer known = carry;
    if (known == null) {
      Carries carries = writes.carries;
      known = carries == null ? device.allocate(floats) : carries.of(this);
      carry = known;
    }
    return known;
  }

  /** {@return the number of 4-byte words} */
  public long floats() {
    return floats;
  }

  /**
   * Cuts a part of this buffer. Both share the memory.
   *
   * @param offset the first word
   * @param length the number of words
   * @return the part
   * @throws IndexOutOfBoundsException if the part is not inside this buffer
   * @throws IllegalStateException if the owner is closed
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
   * @throws IndexOutOfBoundsException if there are more or fewer values; nothing is then written
   */
  public void write(float... values) {
    checkWhole("write", values.length);
    device.write(this, values, 0, values.length);
  }

  /**
   * Copies int32 indexes from the heap to this buffer.
   *
   * @param indexes {@link #floats()} indexes
   * @throws IndexOutOfBoundsException if there are more or fewer indexes; nothing is then written
   */
  public void writeIndexes(int... indexes) {
    writeIndexes(indexes, indexes.length);
  }

  /**
   * Copies the first int32 indexes of an array to this buffer.
   *
   * @param indexes an array of {@code length} indexes or more
   * @param length {@link #floats()}
   * @throws IndexOutOfBoundsException if it is another number, or the array is shorter; nothing is
   *     then written
   */
  public void writeIndexes(int[] indexes, int length) {
    checkWhole("writeIndexes", length);
    if (length > indexes.length) {
      throw new IndexOutOfBoundsException(
          "writeIndexes: length=%d, the array has %d; need as many or more"
              .formatted(length, indexes.length));
    }
    device.writeIndexes(this, indexes, length);
  }

  /**
   * Copies the whole buffer to the heap.
   *
   * @return a new array of {@link #floats()} values
   * @throws IndexOutOfBoundsException if the buffer is longer than an array can be, or if earlier
   *     work on a GPU met a bad index, see {@link Columns}
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
   * @param values the array to fill, of at most {@link #floats()} values
   * @throws IndexOutOfBoundsException if the array is longer than the buffer, or if earlier work on
   *     a GPU met a bad index, see {@link Columns}
   */
  public void read(float[] values) {
    checkLength("read", values.length);
    device.read(this, values, 0, values.length);
  }

  /** Throws if length is negative, or more than this buffer has. */
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
