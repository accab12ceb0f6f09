package io.recur.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file in memory: named float32 tensors and a table of strings.
 *
 * <p>The format is row-major and Recur column-major, so dimensions stand in the file in reverse
 * order: a matrix out × in is {@code [in, out]} there, with the same bytes.
 *
 * <pre>{@code
 * Safetensors.read(path).tensors().get("0.Wi").values();
 * }</pre>
 *
 * @param metadata the file's {@code __metadata__}
 * @param tensors by name
 */
public record Safetensors(Map<String, String> metadata, Map<String, Entry> tensors) {
  private static final long LARGEST_HEADER = 100_000_000;

  /**
   * A tensor.
   *
   * @param dimensions first dimension contiguous
   * @param values as many as the dimensions multiply to
   */
  public record Entry(int[] dimensions, float[] values) {}

  /**
   * Writes the file under a temporary name beside it and renames it: whoever reads sees the old
   * file or the whole new one.
   *
   * @param path where to; replaced if it exists
   * @throws IOException if it cannot be written; an old file is then as it was
   */
  public void write(Path path) throws IOException {
    byte[] header = header();
    Path absolute = path.toAbsolutePath();
    // Not a temporary file of the platform, which nobody else could read afterwards.
    String name = "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".part";
    Path fresh = absolute.resolveSibling(name);
    try {
      try (FileChannel channel =
          FileChannel.open(
              fresh,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        writeAll(channel, length.putLong(header.length).flip());
        writeAll(channel, ByteBuffer.wrap(header));
        for (Entry entry : tensors.values()) {
          ByteBuffer bytes =
              ByteBuffer.allocate(entry.values().length * 4).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(entry.values());
          writeAll(channel, bytes);
        }
        channel.force(true);
      }
      Files.move(
          fresh, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private byte[] header() {
    StringBuilder json = new StringBuilder("{\"__metadata__\":{");
    String comma = "";
    for (Map.Entry<String, String> entry : metadata.entrySet()) {
      json.append(comma).append(Json.quoted(entry.getKey())).append(':');
      json.append(Json.quoted(entry.getValue()));
      comma = ",";
    }
    json.append('}');
    long offset = 0;
    for (Map.Entry<String, Entry> entry : tensors.entrySet()) {
      long end = offset + 4L * entry.getValue().values().length;
      json.append(',').append(Json.quoted(entry.getKey())).append(":{\"dtype\":\"F32\",\"shape\":");
      json.append(Arrays.toString(reversed(entry.getValue().dimensions())).replace(" ", ""));
      json.append(",\"data_offsets\":[").append(offset).append(',').append(end).append("]}");
      offset = end;
    }
    json.append('}');
    while (json.toString().getBytes(StandardCharsets.UTF_8).length % 8 != 0) {
      json.append(' '); // the data begins at a multiple of 8
    }
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static int[] reversed(int[] dimensions) {
    int[] reversed = new int[dimensions.length];
    for (int i = 0; i < reversed.length; i++) {
      reversed[i] = dimensions[dimensions.length - 1 - i];
    }
    return reversed;
  }

  /**
   * Reads a file, whole.
   *
   * @param path to a safetensors file of float32 tensors
   * @return its content
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is no such file, naming what is wrong and where
   */
  public static Safetensors read(Path path) throws IOException {
    try {
      return read(ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(path + ": " + e.getMessage(), e);
    }
  }

  private static Safetensors read(ByteBuffer file) {
    if (file.remaining() < 8) {
      throw wrong("%d bytes; a safetensors file begins with 8 bytes of length", file.remaining());
    }
    long length = file.getLong();
    if (length < 2 || length > LARGEST_HEADER || length > file.remaining()) {
      throw wrong(
          "a header of %d bytes in a file of %d; it is cut off or no safetensors file",
          length, file.limit());
    }
    byte[] header = new byte[(int) length];
    file.get(header);
    Map<String, Object> entries = Json.read(new String(header, StandardCharsets.UTF_8));
    Map<String, String> metadata = new LinkedHashMap<>();
    Map<String, Entry> tensors = new LinkedHashMap<>();
    ByteBuffer data = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    boolean[] taken = new boolean[data.limit() / 4 + 1];
    for (Map.Entry<String, Object> entry : entries.entrySet()) {
      Map<String, Object> value = Json.object(entry.getValue());
      if (entry.getKey().equals("__metadata__")) {
        value.forEach((key, text) -> metadata.put(key, String.valueOf(text)));
      } else {
        tensors.put(entry.getKey(), tensor(entry.getKey(), value, data, taken));
      }
    }
    return new Safetensors(metadata, tensors);
  }

  private static Entry tensor(
      String name, Map<String, Object> value, ByteBuffer data, boolean[] taken) {
    if (!"F32".equals(value.get("dtype"))) {
      throw wrong("tensor %s is %s; only F32 is read", name, value.get("dtype"));
    }
    long[] shape = numbers(name, value.get("shape"));
    long[] offsets = numbers(name, value.get("data_offsets"));
    long count = 1;
    int[] dimensions = new int[shape.length];
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] < 0 || shape[i] > Integer.MAX_VALUE || count * shape[i] > Integer.MAX_VALUE) {
        throw wrong("tensor %s has shape %s", name, Arrays.toString(shape));
      }
      dimensions[shape.length - 1 - i] = (int) shape[i];
      count *= shape[i];
    }
    if (offsets.length != 2
        || offsets[0] < 0
        || offsets[1] > data.limit()
        || offsets[0] % 4 != 0
        || offsets[1] - offsets[0] != 4 * count) {
      throw wrong(
          "tensor %s of shape %s lies at %s of %d bytes; need %d bytes inside",
          name, Arrays.toString(shape), Arrays.toString(offsets), data.limit(), 4 * count);
    }
    float[] values = new float[(int) count];
    for (int i = 0; i < values.length; i++) {
      int word = (int) (offsets[0] / 4) + i;
      if (taken[word]) {
        throw wrong("tensor %s overlaps another at byte %d", name, 4L * word);
      }
      taken[word] = true;
    }
    data.slice((int) offsets[0], (int) (4 * count))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return new Entry(dimensions, values);
  }

  private static long[] numbers(String name, Object value) {
    if (!(value instanceof List<?> list) || !list.stream().allMatch(v -> v instanceof Long)) {
      throw wrong("tensor %s: %s where a list of integers must be", name, value);
    }
    return list.stream().mapToLong(v -> (Long) v).toArray();
  }

  private static IllegalArgumentException wrong(String message, Object... values) {
    return new IllegalArgumentException("safetensors: " + message.formatted(values));
  }
}
