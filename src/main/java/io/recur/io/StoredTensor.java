package io.recur.io;

import io.recur.device.Buffer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that is kept in a file or will be: of an open file, on the heap or on a device.
 *
 * <pre>{@code
 * StoredTensor bias = new StoredTensor(new int[] {3}, new float[] {1, 2, 3});
 * new Safetensors(Map.of(), Map.of("bias", bias)).write(path);
 * }</pre>
 */
public final class StoredTensor {
  private final Dtype dtype;
  private final long[] dimensions;
  private final Values values;
  private final String name;
  private final @Nullable Long checksum;

  StoredTensor(
      String name, Dtype dtype, long[] dimensions, Values values, @Nullable Long checksum) {
    this.name = name;
    this.dtype = dtype;
    this.dimensions = dimensions;
    this.values = values;
    this.checksum = checksum;
  }

  private static StoredTensor of(long[] dimensions, long found, Values values) {
    boolean negative = Arrays.stream(dimensions).anyMatch(d -> d < 0);
    if (negative || Header.bytes(Dtype.F32, dimensions) != found * Float.BYTES) {
      throw new IllegalArgumentException(
          "safetensors: dimensions=%s, %d values; need as many as the dimensions multiply to"
              .formatted(Arrays.toString(dimensions), found));
    }
    return new StoredTensor("tensor", Dtype.F32, dimensions.clone(), values, null);
  }

  /**
   * A float32 tensor on the heap.
   *
   * @param dimensions first dimension contiguous
   * @param values as many as the dimensions multiply to; not copied
   * @throws IllegalArgumentException if they are of another number
   */
  public StoredTensor(int[] dimensions, float[] values) {
    this(
        of(
            Arrays.stream(dimensions).asLongStream().toArray(),
            values.length,
            new Values.OnHeap(values)));
  }

  private StoredTensor(StoredTensor other) {
    this(other.name, other.dtype, other.dimensions, other.values, other.checksum);
  }

  /**
   * A float32 tensor on a device. It is read when the file is written.
   *
   * @param dimensions first dimension contiguous
   * @param pieces which follow each other in the tensor; not copied
   * @return the tensor
   * @throws IllegalArgumentException if they hold another number of values
   */
  public static StoredTensor of(long[] dimensions, Buffer... pieces) {
    long found = Arrays.stream(pieces).mapToLong(Buffer::floats).sum();
    return of(dimensions, found, new Values.OnDevice(List.of(pieces)));
  }

  /**
   * The element type.
   *
   * @return as the file says
   */
  public Dtype dtype() {
    return dtype;
  }

  /**
   * The dimensions, none for a scalar.
   *
   * @return a copy, first dimension contiguous: the file's in reverse order
   */
  public long[] dimensions() {
    return dimensions.clone();
  }

  /**
   * The number of elements.
   *
   * @return the product of the dimensions
   */
  public long count() {
    long count = 1;
    for (long dimension : dimensions) {
      count *= dimension; // was checked for overflow with the header
    }
    return count;
  }

  /**
   * The size.
   *
   * @return in bytes
   */
  public long bytes() {
    return Header.bytes(dtype, dimensions);
  }

  /**
   * All values as float32; F16, BF16 and F64 are converted.
   *
   * @return a new array in column-major order
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the elements are no floats, if they are too many for an
   *     array ({@link #read} takes more), or if the checksum does not fit
   * @throws IllegalStateException if the file was closed
   */
  public float[] values() throws IOException {
    checkFloats();
    float[] all = new float[length()];
    floats((at, piece, count) -> System.arraycopy(piece, 0, all, (int) at, count));
    return all;
  }

  /**
   * All elements as integers: BOOL as 0 and 1, unsigned ones without a sign.
   *
   * @return a new array in column-major order
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the elements are no integers or U64, if they are too many
   *     for an array, or if the checksum does not fit
   * @throws IllegalStateException if the file was closed
   */
  public long[] integers() throws IOException {
    if (!dtype.isInteger()) {
      throw wrong("is %s; need BOOL or an integer type up to I64", dtype);
    }
    long[] all = new long[length()];
    int size = dtype.bits() / 8;
    windows((at, window) -> dtype.integers(window, all, (int) (at / size)));
    return all;
  }

  /**
   * Copies all values to a device as float32, piece by piece; F16, BF16 and F64 are converted.
   *
   * @param pieces of memory that follow each other in the tensor, together of {@link #count} values
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the elements are no floats, or the pieces hold another
   *     number of them; nothing is then written. If the checksum does not fit, which {@link
   *     #firstNotFinite} finds before anything is written
   * @throws IllegalStateException if the file was closed
   */
  public void read(Buffer... pieces) throws IOException {
    checkFloats();
    long room = Arrays.stream(pieces).mapToLong(Buffer::floats).sum();
    if (room != count()) {
      throw wrong("holds %d values, %d were asked for; need the same number", count(), room);
    }
    floats((at, values, count) -> Values.scatter(pieces, at, values, count));
  }

  /**
   * Reads all values once: finds whether they can be taken.
   *
   * @return the place of the first value that is infinite or not a number, or -1
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the elements are no floats or the checksum does not fit
   * @throws IllegalStateException if the file was closed
   */
  public long firstNotFinite() throws IOException {
    checkFloats();
    long[] first = {-1};
    floats(
        (at, piece, count) -> {
          for (int i = 0; i < count && first[0] < 0; i++) {
            first[0] = Float.isFinite(piece[i]) ? -1 : at + i;
          }
        });
    return first[0];
  }

  private void checkFloats() {
    if (!dtype.isFloat()) {
      throw wrong("is %s; need F32, F16, BF16 or F64 to read floats", dtype);
    }
  }

  private int length() {
    if (count() > Integer.MAX_VALUE - 8) {
      throw wrong("holds %d elements, too many for an array; read it to a device", count());
    }
    return (int) count();
  }

  /** Takes values from a place on. */
  private interface Floats {
    void take(long at, float[] values, int count) throws IOException;
  }

  private void floats(Floats floats) throws IOException {
    int size = dtype.bits() / 8;
    float[] piece = new float[(int) Math.min(Values.WINDOW, bytes()) / size];
    windows(
        (at, window) -> {
          int count = window.remaining() / size;
          dtype.floats(window, piece);
          floats.take(at / size, piece, count);
        });
  }

  /** Takes all bytes in order; returns their checksum, which is the header's where it has one. */
  long windows(Values.Windows windows) throws IOException {
    long found = values.windows(bytes(), windows);
    if (checksum != null && checksum != found) {
      throw wrong("has another checksum than its header says; the file is damaged");
    }
    return found;
  }

  /** The size and, where it is not F32, the element type, such as {@code 4×8} or {@code I64 3}. */
  @Override
  public String toString() {
    String size =
        Arrays.stream(dimensions).mapToObj(Long::toString).collect(Collectors.joining("×"));
    String shown = Json.shown(size.isEmpty() ? "a scalar" : size);
    return dtype == Dtype.F32 ? shown : dtype + " " + shown;
  }

  private IllegalArgumentException wrong(String message, Object... facts) {
    return new IllegalArgumentException(
        "safetensors: %s %s".formatted(name, message.formatted(facts)));
  }
}
