package io.recur.device.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One launch of a kernel, to which the caller adds arguments in the order of the kernel's
 * parameters. Each thread has one object per queue and uses it again. The object refers to the
 * queue only until the launch is recorded; otherwise the thread would keep a closed device for
 * ever.
 */
final class Launch {
  /** Records launches, and knows the size of the card. */
  interface Recorder {
    void record(Launch launch, int blocks, int threads);

    /** {@return the blocks that fill the card; with more, threads would only stride less} */
    long mostBlocks();

    /** {@return the blocks of 256 threads that the card holds at once} */
    long residentBlocks();

    long multiprocessors();
  }

  static final int MOST_ARGUMENTS = 256;
  static final int BLOCK = 256;
  private static final int LEAST_BLOCK = 64;
  private static final int MOST_UPLOADED = 16;
  private static final int NONE = -1;

  private @Nullable Recorder recorder;
  private int kernel;
  final long[] arguments = new long[MOST_ARGUMENTS];
  int count;

  /** Protects memory from the collector until the launch is recorded: the list has addresses. */
  private final @Nullable MemorySegment[] held = new MemorySegment[MOST_ARGUMENTS];

  /** The values that are uploaded beside the list, for the argument number uploadedArgument. */
  final int[] uploaded = new int[MOST_UPLOADED];

  int uploadedWords;
  int uploadedArgument;

  Launch begin(Recorder recorder, int kernel) {
    this.recorder = recorder;
    this.kernel = kernel;
    count = 0;
    uploadedWords = 0;
    uploadedArgument = NONE;
    return this;
  }

  /** {@return the number of the kernel, see {@link Program}} */
  int kernel() {
    return kernel;
  }

  /** Adds an int64_t. */
  Launch integer(long value) {
    arguments[count++] = value;
    return this;
  }

  /**
   * Adds a float: its bits are the first four bytes of a word, as CUDA's hosts are little-endian.
   */
  Launch real(float value) {
    arguments[count++] = Float.floatToRawIntBits(value) & 0xFFFFFFFFL;
    return this;
  }

  /** Adds a pointer to device memory, or {@link MemorySegment#NULL}. */
  Launch pointer(MemorySegment value) {
    held[count] = value;
    arguments[count++] = value.address();
    return this;
  }

  /** Adds a pointer to a word of device memory. */
  Launch pointer(MemorySegment whole, long word) {
    held[count] = whole;
    arguments[count++] = whole.address() + word * Float.BYTES;
    return this;
  }

  /** Adds a pointer to device memory that the caller keeps alive. */
  Launch pointer(long address) {
    arguments[count++] = address;
    return this;
  }

  /**
   * Adds a pointer to floats that change from one call to the next. They are uploaded beside the
   * list, so that the list repeats.
   */
  Launch upload(float[] values, int length) {
    for (int i = 0; i < length; i++) {
      uploaded[i] = Float.floatToRawIntBits(values[i]);
    }
    return uploaded(length);
  }

  /** Adds a pointer to two floats that change from one call to the next. */
  Launch upload(float first, float second) {
    uploaded[0] = Float.floatToRawIntBits(first);
    uploaded[1] = Float.floatToRawIntBits(second);
    return uploaded(2);
  }

  /** Adds a pointer to one int64_t that changes from one call to the next. */
  Launch upload(long value) {
    uploaded[0] = (int) value;
    uploaded[1] = (int) (value >>> Integer.SIZE);
    return uploaded(2);
  }

  private Launch uploaded(int words) {
    if (uploadedArgument != NONE) {
      throw new IllegalStateException("launch: kernel " + kernel + " uploads twice; once is all");
    }
    uploadedWords = words;
    uploadedArgument = count;
    arguments[count++] = 0;
    return this;
  }

  /** Throws if another thread has closed the owner of memory since its address was taken. */
  void refuseClosed() {
    for (int i = 0; i < count; i++) {
      MemorySegment segment = held[i];
      if (segment != null && !segment.scope().isAlive()) {
        throw new IllegalStateException(
            "%s of a slab or tape that another thread has closed; close it after all that uses it"
                .formatted(segment));
      }
    }
  }

  /** Drops the references to queue and memory. */
  private void release() {
    Arrays.fill(held, 0, count, null);
    recorder = null;
  }

  private Recorder recorder() {
    return Objects.requireNonNull(recorder, "launch: recorded twice");
  }

  boolean uploads() {
    return uploadedArgument != NONE;
  }

  /** Records one thread per item, or fewer threads that stride over n items. */
  void over(long n) {
    over(n, recorder().mostBlocks());
  }

  /**
   * Does the same for a kernel whose threads take four items at a time. There are at most as many
   * blocks as the card holds at once.
   */
  void overFours(long n) {
    over(n, recorder().residentBlocks());
  }

  private void over(long n, long most) {
    int threads = threads(n);
    blocks(Math.min((n + threads - 1) / threads, most), threads);
  }

  /**
   * Records threads for the values of an m×n matrix. Each thread stays in one row, see {@code
   * tile_of} in {@code native/cuda/loops.cu}.
   */
  void overColumns(long m, int n) {
    overColumns(m, n, recorder().mostBlocks());
  }

  /** Does the same for a kernel whose threads take four columns at a time. */
  void overFoursOfColumns(long m, int n) {
    overColumns(m, n, recorder().residentBlocks());
  }

  private void overColumns(long m, int n, long most) {
    int threads = threads(m * n);
    int rows = 1;
    while (rows < threads && rows < m) {
      rows *= 2;
    }
    long pieces = (m + rows - 1) / rows; // of a column; all have the same number of blocks
    int columns = threads / rows;
    long groups = Math.min((n + columns - 1L) / columns, Math.max(1, most / pieces));
    blocks(pieces * groups, threads);
  }

  /** {@return the threads per block; few items get small blocks, so that all of the card works} */
  private int threads(long n) {
    int threads = LEAST_BLOCK;
    while (threads < BLOCK && n > threads * recorder().multiprocessors()) {
      threads *= 2;
    }
    return threads;
  }

  /** Records a launch of blocks of {@code threads} threads. */
  void blocks(long blocks, int threads) {
    try {
      if (blocks > 0) {
        recorder().record(this, Math.toIntExact(blocks), threads);
      }
    } finally {
      release();
    }
  }
}
