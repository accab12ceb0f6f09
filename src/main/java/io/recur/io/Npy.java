package io.recur.io;

import io.recur.grad.Shape;
import io.recur.io.files.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;

/**
 * An array of NumPy, a file of {@code numpy.save}: float32, float64, int32 or int64 in C or Fortran
 * order are read, float32 in C order is written.
 *
 * <p>Sizes are in NumPy's order. An array {@code [time, batch, features]} in C order has the bytes
 * of Recur's features × batch × time.
 *
 * <pre>{@code
 * Npy x = Npy.read(Path.of("x.npy"));
 * Tensor y = model.apply(tape.input(x.shape(), x.values()));
 * Npy.of(y.shape(), y.toArray()).write(Path.of("y.npy"));
 * }</pre>
 */
public final class Npy {
  /** The integers from −2²⁴ to 2²⁴ are floats. */
  private static final long LARGEST_INTEGER = 1 << 24;

  private final int[] sizes;
  private final float[] values;

  /**
   * An array from its values.
   *
   * @param sizes in NumPy's order; none for a single value
   * @param values in C order, last size contiguous; the array is not copied
   * @throws IllegalArgumentException if a size is negative, or if there are more or fewer values
   *     than the sizes multiply to
   */
  public Npy(int[] sizes, float[] values) {
    this.sizes = sizes.clone();
    this.values = values;
    long[] dimensions = Arrays.stream(sizes).asLongStream().toArray();
    if (Arrays.stream(sizes).anyMatch(size -> size < 0)
        || Header.bytes(Dtype.F32, dimensions) != (long) values.length * Float.BYTES) {
      throw new IllegalArgumentException(
          "npy: sizes=%s, %d values; need as many as the sizes multiply to"
              .formatted(Arrays.toString(sizes), values.length));
    }
  }

  /**
   * An array from the values of a tensor.
   *
   * @param shape the tensor's, features first
   * @param values first dimension contiguous; the array is not copied
   * @return an array of the same values, features last
   * @throws IllegalArgumentException if there are more or fewer values than the shape has
   */
  public static Npy of(Shape shape, float[] values) {
    return new Npy(reversed(shape.dimensions()), values);
  }

  /**
   * Reads a file as a whole. Values of float64 are rounded to float32.
   *
   * @param path a file of {@code numpy.save}
   * @return the array, in C order
   * @throws IOException if the file cannot be read or is no regular file
   * @throws IllegalArgumentException if it is no such file, if it holds other types (objects,
   *     records, text), if it is longer or shorter than its header says, or if it has an integer
   *     that is no float; the message says which. No more memory is taken than three times the
   *     file's size
   */
  public static Npy read(Path path) throws IOException {
    if (!Files.readAttributes(path, BasicFileAttributes.class).isRegularFile()) {
      throw new FileSystemException(path.toString(), null, "it is no regular file");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      NpyHeader header = NpyHeader.read(channel);
      float[] values = values(channel, header);
      return new Npy(header.sizes(), header.isFortran() ? ordered(values, header.sizes()) : values);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(path + ": " + e.getMessage(), e);
    }
  }

  private static float[] values(FileChannel channel, NpyHeader header) throws IOException {
    int size = header.type().bits() / Byte.SIZE;
    float[] values = new float[(int) header.count()];
    ByteBuffer window =
        ByteBuffer.allocate((int) Math.min(Values.WINDOW, (long) values.length * size))
            .order(header.order());
    for (int i = 0; i < values.length; ) {
      int count = Math.min(window.capacity() / size, values.length - i);
      Values.readFully(
          channel, header.begin() + (long) i * size, window.clear().limit(count * size));
      for (window.flip(); window.hasRemaining(); i++) {
        values[i] = value(header.type(), window, i);
      }
    }
    return values;
  }

  private static float value(Dtype type, ByteBuffer window, int i) {
    return switch (type) {
      case F32 -> window.getFloat();
      case F64 -> (float) window.getDouble();
      case I32 -> integer(window.getInt(), i);
      default -> integer(window.getLong(), i);
    };
  }

  private static float integer(long value, int i) {
    if (Math.abs(value) > LARGEST_INTEGER || value == Long.MIN_VALUE) {
      throw new IllegalArgumentException(
          "npy: value %d is %d; need integers that float32 holds, from −2²⁴ to 2²⁴"
              .formatted(i, value));
    }
    return value;
  }

  /** {@return values whose first size is contiguous in an order whose last one is} */
  private static float[] ordered(float[] values, int[] sizes) {
    float[] ordered = new float[values.length];
    for (int at = 0; at < values.length; at++) {
      int rest = at;
      int place = 0;
      for (int size : sizes) {
        place = place * size + rest % size;
        rest /= size;
      }
      ordered[place] = values[at];
    }
    return ordered;
  }

  /** {@return a copy of the sizes, in NumPy's order} */
  public int[] sizes() {
    return sizes.clone();
  }

  /** {@return the values in C order, not copied} */
  public float[] values() {
    return values;
  }

  /**
   * The shape of a tensor of the same values: the sizes in reverse order.
   *
   * @return of one to three dimensions, features first
   * @throws io.recur.grad.ShapeException if the array has none or more than three sizes, or one is
   *     0
   */
  public Shape shape() {
    return Shape.of(reversed(sizes));
  }

  private static int[] reversed(int[] sizes) {
    int[] reversed = new int[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      reversed[i] = sizes[sizes.length - 1 - i];
    }
    return reversed;
  }

  /**
   * Writes a file that {@code numpy.load} reads, float32 in C order.
   *
   * @param path the file, which is replaced as {@link Safetensors#write} does
   * @throws IOException if it cannot be written; an old file is then unchanged
   */
  public void write(Path path) throws IOException {
    WholeFile.write(
        path,
        out -> {
          writeAll(out, ByteBuffer.wrap(NpyHeader.compose(sizes)));
          new Values.OnHeap(values)
              .windows((long) values.length * Float.BYTES, (at, window) -> writeAll(out, window));
        });
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** {@return the type and the sizes, such as {@code float32[7, 2, 3]}} */
  @Override
  public String toString() {
    return "float32" + Arrays.toString(sizes);
  }
}
