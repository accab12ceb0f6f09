package io.recur.io;

import io.recur.io.files.WholeFile;
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
 * <p>{@link #read} reads only the header. A tensor reads its values from the file when its methods
 * are called, window by window. A file may therefore be larger than the heap, up to 2⁶³ bytes. It
 * stays open until {@link #close}.
 *
 * <p>The format is row-major and Recur is column-major, so a file lists dimensions in reverse
 * order: an out × in matrix is {@code [in, out]} in the file, with the same bytes.
 *
 * <p>A file that this class writes carries a checksum of its header and one of each tensor. Where a
 * file has checksums, {@link #read} compares the header's, and each complete read of a tensor
 * compares the tensor's.
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
   * Describes a file for {@link #write}.
   *
   * @param metadata the strings of {@code __metadata__}
   * @param tensors the tensors by name, in the order in which they are written
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

  /** {@return the strings of {@code __metadata__} without the checksums, unmodifiable} */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** {@return the tensors of every element type by name, in the file's order, unmodifiable} */
  public Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /**
   * {@return whether this file was read and carries checksums, so that a damaged byte is noticed}
   * Files that {@link #write} makes carry them.
   */
  public boolean isChecked() {
    return checked;
  }

  /**
   * Writes the file as a whole: a reader sees the old file or the complete new one. This holds for
   * any number of savers in any number of processes. The content goes to a temporary file of a
   * random name in the same folder, which is forced to the disk and renamed; then the folder is
   * forced. The new file has the old file's permissions. A later saver removes the temporary file
   * of one that was killed.
   *
   * @param path the file; a regular file there is replaced
   * @throws IOException if the file cannot be written, or if the path is anything but a regular
   *     file, such as a folder, a pipe, a device or a symbolic link; what was there is then
   *     unchanged
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
   * Opens a file and reads its header. Compares each size in the header with the file's size before
   * it allocates memory of that size.
   *
   * @param path the path of a safetensors file
   * @return the file, which the caller closes
   * @throws IOException if the file cannot be read or is not a regular file
   * @throws IllegalArgumentException if the file is not a safetensors file; the message says what
   *     is wrong and where. Like the reference reader, this method refuses holes between tensors,
   *     overlaps, and bytes after the last tensor
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
      String name = "safetensors: " + path + ": tensor " + PlainJson.shown(place.name());
      tensors.put(
          place.name(),
          new StoredTensor(name, place.dtype(), dimensions, values, place.checksum()));
    }
    return new Safetensors(header.metadata(), tensors, channel, header.isChecked());
  }

  /** Closes the file. Its tensors can no longer be read. */
  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
