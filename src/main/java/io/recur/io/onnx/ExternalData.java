package io.recur.io.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that a model keeps in files beside its own. Only a regular file in the model's folder, or
 * in a folder below, is read, and no byte beyond its end.
 *
 * @param folder of the model
 */
record ExternalData(Path folder) implements ForeignData {
  /**
   * {@inheritDoc}
   *
   * @param entries what the model says: {@code location}, {@code offset}, {@code length}
   */
  @Override
  public ByteBuffer read(Map<String, String> entries, long bytes) throws IOException {
    String location = entries.getOrDefault("location", "");
    Path file = file(location);
    long offset = number(entries, "offset", 0);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long rest = channel.size() - offset;
      long length = number(entries, "length", Math.max(0, rest));
      if (rest < 0 || length > rest || length != bytes || bytes > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "external location=%s, offset=%d, length=%d of a file of %d bytes; need %d bytes within"
                    .formatted(Wire.shown(location), offset, length, channel.size(), bytes)
                + " it");
      }
      ByteBuffer read = ByteBuffer.allocate((int) bytes);
      while (read.hasRemaining()) {
        if (channel.read(read, offset + read.position()) < 0) {
          throw new IllegalArgumentException(
              "external location=%s: it has become shorter".formatted(Wire.shown(location)));
        }
      }
      return read.flip();
    }
  }

  private Path file(String location) throws IOException {
    Path file;
    try {
      file = Path.of(location);
    } catch (InvalidPathException e) {
      throw refused(location, e);
    }
    boolean leaves = file.isAbsolute() || file.startsWith("/") || location.contains("\\");
    for (Path part : file) {
      leaves |= part.toString().equals("..");
    }
    if (location.isEmpty() || leaves) {
      throw refused(location, null);
    }
    Path found = folder.resolve(file);
    if (!Files.isRegularFile(found, LinkOption.NOFOLLOW_LINKS)
        || !found.toRealPath().startsWith(folder.toRealPath())) {
      throw refused(location, null);
    }
    return found;
  }

  private static IllegalArgumentException refused(String location, @Nullable Exception cause) {
    return new IllegalArgumentException(
        "external location=%s; need a file in the folder of the model, copied there with it"
            .formatted(Wire.shown(location)),
        cause);
  }

  private static long number(Map<String, String> entries, String key, long other) {
    String text = entries.get(key);
    if (text == null) {
      return other;
    }
    try {
      long number = Long.parseLong(text.strip());
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "external %s=%s; need a whole number".formatted(key, Wire.shown(text)), e);
    }
    throw new IllegalArgumentException(
        "external %s=%s; need 0 or more".formatted(key, Wire.shown(text)));
  }
}
