package io.recur.io;

import io.recur.device.Buffer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of an open safetensors file, or a tensor on the heap or on a device that will be written
 * to one.
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
    return new StoredTensor("safetensors: tensor", Dtype.F32, dimensions.clone(), values, null);
  }

  /**
   * Describes a float32 tensor on the heap.
   *
   * @param dimensions the sizes, first dimension contiguous
   * @param values the elements; the array is not copied
   * @throws IllegalArgumentException if a dimension is negative, or if the number of values is not
   *     the product of the dimensions
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
   * Describes a float32 tensor on a device. Its values are read when the file is written.
   *
   * @param dimensions the sizes, first dimension contiguous
   * @param slices the memory of the elements, in order; not copied
   * @return the tensor
   * @throws IllegalArgumentException if a dimension is negative, or if the number of values is not
   *     the product of the dimensions
   */
  public static StoredTensor of(long[] dimensions, Buffer... slices) {
    long found = Arrays.stream(slices).mapToLong(Buffer::floats).sum();
    return of(dimensions, found, new Values.OnDevice(List.of(slices)));
  }

  /**
   * Describes a tensor on the heap that is written as another type of floats.
   *
   * @param dtype F32, F16, BF16 or F64
   * @param dimensions the sizes, first dimension contiguous; as many values as they multiply to
   * @param values the elements; the array is not copied
   */
  static StoredTensor of(Dtype dtype, long[] dimensions, float[] values) {
    return new StoredTensor(
        "torch: tensor", dtype, dimensions, new Values.Converted(dtype, values), null);
  }

  /**
   * Other values under the same type and sizes. Those that were read from here and did not change
   * keep their bits.
   *
   * @param changed as many as this tensor has; not copied
   */
  StoredTensor with(float[] changed) {
    Values converted =
        dtype == Dtype.F64
            ? new Values.Changed(values, changed)
            : new Values.Converted(dtype, changed);
    return new StoredTensor("torch: tensor", dtype, dimensions, converted, null);
  }

  /** {@return the element type in the file} */
  public Dtype dtype() {
    return dtype;
  }

  /**
   * {@return a copy of the dimensions, first dimension contiguous: the file's in reverse order,
   * none for a scalar}
   */
  public long[] dimensions() {
    return dimensions.clone();
  }

  /** {@return the number of elements} */
  public long count() {
    long count = 1;
    for (long dimension : dimensions) {
      count *= dimension; // bytes() was checked for overflow before
    }
    return count;
  }

  /** {@return the size in bytes} */
  public long bytes() {
    return Header.bytes(dtype, dimensions);
  }

  /**
   * Reads all values as float32. F16, BF16 and F64 are converted.
   *
   * @return a new array in column-major order
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if {@link Dtype#isFloat} is false, if there are more elements
   *     than an array holds ({@link #read} has no such limit), or if the checksum does not match
   * @throws IllegalStateException if the file is closed
   */
  public float[] values() throws IOException {
    checkFloats();
    float[] all = new float[length()];
    floats((at, values, count) -> System.arraycopy(values, 0, all, (int) at, count));
    return all;
  }

  /**
   * Reads all elements as integers. BOOL gives 0 and 1; unsigned types give no negative numbers.
   *
   * @return a new array in column-major order
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if {@link Dtype#isInteger} is false, if there are more
   *     elements than an array holds, or if the checksum does not match
   * @throws IllegalStateException if the file is closed
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
   * Copies all values to a device as float32, window by window. F16, BF16 and F64 are converted.
   *
   * @param slices the memory that takes the values, in order; {@link #count} floats together
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if {@link Dtype#isFloat} is false, or if the slices hold
   *     another number of floats; nothing is then written. Also if the checksum does not match; the
   *     values are then written already. Call {@link #firstNotFinite} before to compare it
   * @throws IllegalStateException if the file is closed
   */
  public void read(Buffer... slices) throws IOException {
    checkFloats();
    long room = Arrays.stream(slices).mapToLong(Buffer::floats).sum();
    if (room != count()) {
      throw wrong("holds %d values, %d were asked for; need the same number", count(), room);
    }
    floats((at, values, count) -> Values.scatter(slices, at, values, count));
  }

  /**
   * Reads all values once, compares the checksum and looks for values that are not finite.
   *
   * @return the index of the first value that is infinite or NaN, or −1
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if {@link Dtype#isFloat} is false, or if the checksum does not
   *     match
   * @throws IllegalStateException if the file is closed
   */
  public long firstNotFinite() throws IOException {
    checkFloats();
    long[] first = {-1};
    floats(
        (at, values, count) -> {
          for (int i = 0; i < count && first[0] < 0; i++) {
            first[0] = Float.isFinite(values[i]) ? -1 : at + i;
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

  /** Takes the values from index {@code at} on. */
  private interface Floats {
    void take(long at, float[] values, int count) throws IOException;
  }

  private void floats(Floats floats) throws IOException {
    int size = dtype.bits() / 8;
    float[] values = new float[(int) Math.min(Values.WINDOW, bytes()) / size];
    windows(
        (at, window) -> {
          int count = window.remaining() / size;
          dtype.floats(window, values);
          floats.take(at / size, values, count);
        });
  }

  /** Passes on all bytes in order, compares their checksum with the header's, and returns it. */
  long windows(Values.Windows windows) throws IOException {
    long found = values.windows(bytes(), windows);
    if (checksum != null && checksum != found) {
      throw wrong("has another checksum than its header says; the file is damaged");
    }
    return found;
  }

  /**
   * {@return the dimensions, after the type if it is not F32, such as {@code 4×8} or {@code I64 3}}
   */
  @Override
  public String toString() {
    String size =
        Arrays.stream(dimensions).mapToObj(Long::toString).collect(Collectors.joining("×"));
    String shown = PlainJson.shown(size.isEmpty() ? "a scalar" : size);
    return dtype == Dtype.F32 ? shown : dtype + " " + shown;
  }

  private IllegalArgumentException wrong(String message, Object... facts) {
    return new IllegalArgumentException("%s %s".formatted(name, message.formatted(facts)));
  }
}
