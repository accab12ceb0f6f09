package io.recur.io;

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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  private final Map<String, StoredTensor> tensors;
  private final @Nullable FileChannel channel;
  private final boolean checked;

  /**
   * A file to be written.
   *
   * @param metadata strings for its {@code __metadata__}
   * @param tensors by name, in the order in which they are written
   */
  public Safetensors(Map<String, String> metadata, Map<String, StoredTensor> tensors) {
    this(metadata, tensors, null, false);
  }

  private Safetensors(
      Map<String, String> metadata,
      Map<String, StoredTensor> tensors,
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
  public Map<String, StoredTensor> tensors() {
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
          for (StoredTensor entry : tensors.values()) {
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
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Header.Place place : header.places().values()) {
      Values values = new Values.InFile(channel, place.begin());
      long[] dimensions = Header.reversed(place.dimensions());
      String name = path + ": tensor " + Json.shown(place.name());
      tensors.put(
          place.name(),
          new StoredTensor(name, place.dtype(), dimensions, values, place.checksum()));
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
