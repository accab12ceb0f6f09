package io.recur.io;

import io.recur.device.Buffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A safetensors file: named tensors and a table of strings.
 *
 * <p>{@link #read} takes in the header alone. A tensor's values are read from the file when they
 * are asked for, piece by piece, so a file may be larger than the heap, and it stays open until
 * {@link #close}. A file of any size up to 2⁶³ bytes is read and written.
 *
 * <p>The format is row-major and Recur column-major, so dimensions stand in the file in reverse
 * order: a matrix out × in is {@code [in, out]} there, with the same bytes.
 *
 * <p>A file that this class writes carries checksums of its header and of each tensor. They are
 * compared where a file has them: those of the header by {@link #read}, those of a tensor whenever
 * it is read whole.
 *
 * <pre>{@code
 * try (Safetensors file = Safetensors.read(path)) {
 *   float[] weights = file.tensors().get("0.Wi").values();
 * }
 * }</pre>
 */
public final class Safetensors implements AutoCloseable {
  private final Map<String, String> metadata;
  private final Map<String, Entry> tensors;
  private final @Nullable FileChannel channel;
  private final boolean checked;

  /**
   * A file to be written.
   *
   * @param metadata strings for its {@code __metadata__}
   * @param tensors by name, in the order in which they are written
   */
  public Safetensors(Map<String, String> metadata, Map<String, Entry> tensors) {
    this(metadata, tensors, null, false);
  }

  private Safetensors(
      Map<String, String> metadata,
      Map<String, Entry> tensors,
      @Nullable FileChannel channel,
      boolean checked) {
    this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    this.channel = channel;
    this.checked = checked;
  }

  /**
   * The strings.
   *
   * @return the file's {@code __metadata__} without its checksums, unmodifiable
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * The tensors, of every element type.
   *
   * @return by name, in the file's order, unmodifiable
   */
  public Map<String, Entry> tensors() {
    return tensors;
  }

  /**
   * Whether the file was read and carries checksums, as those do that {@link #write} makes.
   *
   * @return true if a damaged byte of it is noticed
   */
  public boolean isChecked() {
    return checked;
  }

  /** A tensor: of an open file, on the heap or on a device. */
  public static final class Entry {
    private final Dtype dtype;
    private final long[] dimensions;
    private final Values values;
    private final String name;
    private final @Nullable Long checksum;

    private Entry(
        String name, Dtype dtype, long[] dimensions, Values values, @Nullable Long checksum) {
      this.name = name;
      this.dtype = dtype;
      this.dimensions = dimensions;
      this.values = values;
      this.checksum = checksum;
    }

    private static Entry of(long[] dimensions, long found, Values values) {
      boolean negative = Arrays.stream(dimensions).anyMatch(d -> d < 0);
      if (negative || Header.bytes(Dtype.F32, dimensions) != found * Float.BYTES) {
        throw new IllegalArgumentException(
            "safetensors: dimensions=%s, %d values; need as many as the dimensions multiply to"
                .formatted(Arrays.toString(dimensions), found));
      }
      return new Entry("tensor", Dtype.F32, dimensions.clone(), values, null);
    }

    /**
     * A float32 tensor on the heap.
     *
     * @param dimensions first dimension contiguous
     * @param values as many as the dimensions multiply to; not copied
     * @throws IllegalArgumentException if they are of another number
     */
    public Entry(int[] dimensions, float[] values) {
      this(
          of(
              Arrays.stream(dimensions).asLongStream().toArray(),
              values.length,
              new Values.OnHeap(values)));
    }

    private Entry(Entry other) {
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
    public static Entry of(long[] dimensions, Buffer... pieces) {
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
     * @param pieces of memory that follow each other in the tensor, together of {@link #count}
     *     values
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
    private long windows(Values.Windows windows) throws IOException {
      long found = values.windows(bytes(), windows);
      if (checksum != null && checksum != found) {
        throw wrong("has another checksum than its header says; the file is damaged");
      }
      return found;
    }

    /**
     * The size and, where it is not F32, the element type, such as {@code 4×8} or {@code I64 3}.
     */
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

  /**
   * Writes the file. Whoever reads sees the old file or the whole new one, whatever number of
   * savers there are in whatever processes: it is written under a random name in the same folder,
   * forced to the disk and renamed, and the folder is forced too. An old file's permissions are
   * kept. What a saver that was killed has left is removed by a later one.
   *
   * @param path where to; replaced if it is a regular file
   * @throws IOException if it cannot be written, or if the path is something else than a regular
   *     file, such as a folder, a pipe, a device or a symbolic link; what was there is then as it
   *     was
   * @throws IllegalArgumentException if readers would refuse the file: a name or string that is
   *     null or holds half a surrogate pair, a tensor named {@code __metadata__}, metadata named
   *     {@code recur.crc32c}, a header of more than 100 MB; nothing is then written
   */
  public void write(Path path) throws IOException {
    byte[] header = Header.compose(metadata, tensors);
    WholeFile.write(
        path,
        out -> {
          out.position(Header.LENGTH_BYTES + header.length);
          List<Long> checksums = new ArrayList<>();
          for (Entry entry : tensors.values()) {
            checksums.add(entry.windows((at, window) -> writeAll(out, window)));
          }
          Header.seal(header, checksums);
          out.position(0);
          ByteBuffer length =
              ByteBuffer.allocate(Header.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
          writeAll(out, length.putLong(header.length).flip());
          writeAll(out, ByteBuffer.wrap(header));
        });
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /**
   * Opens a file and reads its header. Its sizes are compared with the file's before memory is
   * taken for them.
   *
   * @param path to a safetensors file
   * @return the file, to be closed by the caller
   * @throws IOException if it cannot be read or is no regular file
   * @throws IllegalArgumentException if it is no such file, naming what is wrong and where: as the
   *     reference reader it refuses holes and overlaps among the tensors and bytes after them
   */
  public static Safetensors read(Path path) throws IOException {
    if (!Files.readAttributes(path, BasicFileAttributes.class).isRegularFile()) {
      throw new FileSystemException(path.toString(), null, "it is no regular file");
    }
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      return read(path, channel);
    } catch (IllegalArgumentException e) {
      channel.close();
      throw new IllegalArgumentException(path + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  private static Safetensors read(Path path, FileChannel channel) throws IOException {
    Header header = Header.read(channel);
    Map<String, Entry> tensors = new LinkedHashMap<>();
    for (Header.Place place : header.places().values()) {
      Values values = new Values.InFile(channel, place.begin());
      long[] dimensions = Header.reversed(place.dimensions());
      String name = path + ": tensor " + Json.shown(place.name());
      tensors.put(
          place.name(), new Entry(name, place.dtype(), dimensions, values, place.checksum()));
    }
    return new Safetensors(header.metadata(), tensors, channel, header.isChecked());
  }

  /** Closes the file; its tensors cannot be read afterwards. */
  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
