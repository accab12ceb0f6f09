package io.recur.io;

import io.recur.io.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The header of a safetensors file. As in the reference reader, the tensors must cover the data
 * without holes, overlaps or trailing bytes.
 *
 * <p>Recur's files carry CRC-32C checksums in the metadata entry {@value #CHECKSUMS}: eight hex
 * digits for the header, then eight per tensor in the header's order. The header's own checksum is
 * computed with its eight digits set to zero. {@link #metadata} leaves this entry out.
 *
 * @param metadata the file's strings
 * @param places where each tensor is, by name, in the header's order
 * @param isChecked whether the header carries checksums
 */
record Header(Map<String, String> metadata, Map<String, Place> places, boolean isChecked) {
  static final int LENGTH_BYTES = 8;
  static final long LARGEST = 100_000_000;
  static final String METADATA = "__metadata__";
  static final String CHECKSUMS = "recur.crc32c";

  private static final String BEFORE_CHECKSUMS = "{\"" + METADATA + "\":{\"" + CHECKSUMS + "\":\"";
  private static final int SMALLEST = 2;
  private static final int DIGITS = 8;
  private static final Pattern HEX = Pattern.compile("[0-9a-f]+");
  private static final int ALIGNMENT = 8;

  /**
   * Where a tensor is in the file.
   *
   * @param dimensions in the file's order, last dimension contiguous
   * @param begin the offset of its first byte
   * @param end the offset after its last byte
   * @param checksum the CRC-32C of its bytes, or null
   */
  record Place(
      String name, Dtype dtype, long[] dimensions, long begin, long end, @Nullable Long checksum) {
    private Place after(long bytes) {
      return new Place(name, dtype, dimensions, begin + bytes, end + bytes, checksum);
    }
  }

  /**
   * Reads a header.
   *
   * @throws IllegalArgumentException if the header breaks a rule; the message names the first one
   */
  static Header read(FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < LENGTH_BYTES) {
      throw wrong("%d bytes; a safetensors file begins with 8 bytes of length", size);
    }
    ByteBuffer word = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    Values.readFully(channel, 0, word);
    long length = word.getLong(0);
    if (length < SMALLEST || length > LARGEST || length > size - LENGTH_BYTES) {
      throw wrong(
          "a header of %d bytes in a file of %d; it is cut off or no safetensors file",
          length, size);
    }
    byte[] json = new byte[(int) length];
    Values.readFully(channel, LENGTH_BYTES, ByteBuffer.wrap(json));
    return read(json, size - LENGTH_BYTES - length);
  }

  private static Header read(byte[] json, long length) {
    Map<String, Object> entries = PlainJson.read(json);
    Map<String, String> metadata = metadata(entries.remove(METADATA));
    List<Long> checksums = checksums(json, metadata.remove(CHECKSUMS), entries.size());
    Map<String, Place> places = new LinkedHashMap<>();
    for (Map.Entry<String, Object> entry : entries.entrySet()) {
      Long checksum = checksums.isEmpty() ? null : checksums.get(1 + places.size());
      Map<String, Object> value = PlainJson.object(entry.getKey(), entry.getValue());
      places.put(entry.getKey(), place(entry.getKey(), value, length, checksum));
    }
    checkCover(places, length);
    places.replaceAll((name, place) -> place.after(LENGTH_BYTES + json.length));
    return new Header(metadata, places, !checksums.isEmpty());
  }

  private static Map<String, String> metadata(@Nullable Object found) {
    Map<String, String> metadata = new LinkedHashMap<>();
    if (found != null) {
      for (Map.Entry<String, Object> entry : PlainJson.object(METADATA, found).entrySet()) {
        if (!(entry.getValue() instanceof String text)) {
          throw wrong("metadata %s is no string", PlainJson.shown(entry.getKey()));
        }
        metadata.put(entry.getKey(), text);
      }
    }
    return metadata;
  }

  private static Place place(
      String name, Map<String, Object> value, long length, @Nullable Long checksum) {
    Dtype dtype =
        Arrays.stream(Dtype.values())
            .filter(known -> known.name().equals(value.get("dtype")))
            .findFirst()
            .orElseThrow(
                () ->
                    wrong(
                        "tensor %s: dtype=%s; need one of %s",
                        PlainJson.shown(name),
                        PlainJson.shown(String.valueOf(value.get("dtype"))),
                        Arrays.toString(Dtype.values())));
    long[] dimensions = numbers(name, "shape", value.get("shape"));
    long[] offsets = numbers(name, "data_offsets", value.get("data_offsets"));
    long bytes = bytes(dtype, dimensions);
    if (bytes < 0
        || offsets.length != 2
        || offsets[0] > offsets[1]
        || offsets[1] > length
        || offsets[1] - offsets[0] != bytes) {
      throw wrong(
          "tensor %s: dtype=%s, shape=%s, data_offsets=%s of %d bytes; need %s bytes inside",
          PlainJson.shown(name),
          dtype,
          shown(dimensions),
          shown(offsets),
          length,
          bytes < 0 ? "fewer than 2⁶³ elements and whole" : bytes);
    }
    return new Place(name, dtype, dimensions, offsets[0], offsets[1], checksum);
  }

  /** {@return a tensor's size in bytes; −1 if it is no whole number or overflows 64 bits} */
  static long bytes(Dtype dtype, long... dimensions) {
    try {
      long count = 1;
      boolean empty = false;
      for (long dimension : dimensions) {
        empty |= dimension == 0;
        count = Math.multiplyExact(count, Math.max(dimension, 1)); // a 0 must not hide an overflow
      }
      long bits = Math.multiplyExact(count, dtype.bits());
      return empty ? 0 : bits % 8 == 0 ? bits / 8 : -1;
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  private static long[] numbers(String name, String what, @Nullable Object value) {
    if (!(value instanceof List<?> list) || !list.stream().allMatch(v -> v instanceof Long)) {
      throw wrong(
          "tensor %s: %s=%s; need a list of integers",
          PlainJson.shown(name), what, PlainJson.shown(String.valueOf(value)));
    }
    return list.stream().mapToLong(v -> (Long) v).toArray();
  }

  private static void checkCover(Map<String, Place> places, long length) {
    List<Place> inOrder = new ArrayList<>(places.values());
    inOrder.sort(Comparator.comparingLong(Place::begin).thenComparingLong(Place::end));
    long covered = 0;
    for (Place place : inOrder) {
      if (place.begin() != covered) {
        throw wrong(
            "tensor %s begins at byte %d; it %s the tensor before, which ends at %d",
            PlainJson.shown(place.name()),
            place.begin(),
            place.begin() < covered ? "overlaps" : "leaves a hole after",
            covered);
      }
      covered = place.end();
    }
    if (covered != length) {
      throw wrong("%d bytes of data; need %d, the end of the last tensor", length, covered);
    }
  }

  private static List<Long> checksums(byte[] json, @Nullable String text, int tensors) {
    if (text == null) {
      return List.of();
    }
    if (text.length() != DIGITS * (1 + tensors) || !HEX.matcher(text).matches()) {
      throw wrong(
          "metadata %s holds %d characters; need 8 hex digits for the header and for each of %d"
              + " tensors",
          CHECKSUMS, text.length(), tensors);
    }
    List<Long> checksums = new ArrayList<>();
    for (int i = 0; i <= tensors; i++) {
      checksums.add(Long.parseLong(text, i * DIGITS, (i + 1) * DIGITS, 16));
    }
    if (checksums.getFirst() != checksum(json.clone())) {
      throw wrong(
          "its checksum does not fit; the file is damaged, or another program wrote it again and"
              + " must leave out the metadata %s",
          CHECKSUMS);
    }
    return checksums;
  }

  /** Sets the eight digits of the header's own checksum to zero, then returns that checksum. */
  private static long checksum(byte[] json) {
    int from = BEFORE_CHECKSUMS.length();
    if (json.length >= from + DIGITS) {
      Arrays.fill(json, from, from + DIGITS, (byte) '0');
    }
    CRC32C crc = new CRC32C();
    crc.update(json);
    return crc.getValue();
  }

  /**
   * Composes the header of a new file, with zeros in place of the checksums.
   *
   * @throws IllegalArgumentException if our reader or the reference reader would refuse the file
   */
  static byte[] compose(Map<String, String> metadata, Map<String, StoredTensor> tensors) {
    StringBuilder json = new StringBuilder(BEFORE_CHECKSUMS);
    json.repeat('0', DIGITS * (1 + tensors.size())).append('"');
    metadata.forEach(
        (name, value) -> {
          checkText("metadata", name, CHECKSUMS);
          checkText("metadata " + PlainJson.shown(name), value, null);
          json.append(',').append(Json.quoted(name)).append(':').append(Json.quoted(value));
        });
    json.append('}');
    long offset = 0;
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      checkText("tensor", entry.getKey(), METADATA);
      StoredTensor tensor = entry.getValue();
      if (tensor == null) {
        throw wrong("tensor %s is null; need an entry", PlainJson.shown(entry.getKey()));
      }
      long end = Math.addExact(offset, tensor.bytes());
      json.append(',').append(Json.quoted(entry.getKey()));
      json.append(":{\"dtype\":\"").append(tensor.dtype()).append("\",\"shape\":");
      json.append(Arrays.toString(reversed(tensor.dimensions())).replace(" ", ""));
      json.append(",\"data_offsets\":[").append(offset).append(',').append(end).append("]}");
      offset = end;
      checkLength(json.length());
    }
    byte[] text = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    int length = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    checkLength(length);
    byte[] padded = Arrays.copyOf(text, length);
    Arrays.fill(padded, text.length, length, (byte) ' '); // so that the data is aligned
    return padded;
  }

  private static void checkLength(int length) {
    if (length > LARGEST) {
      throw wrong("a header of %d bytes; readers take at most %d", length, LARGEST);
    }
  }

  private static void checkText(String what, @Nullable String text, @Nullable String taken) {
    if (text == null || !PlainJson.isText(text)) {
      throw wrong(
          "%s is %s; need text with whole surrogate pairs",
          what, text == null ? "null" : PlainJson.shown(text));
    }
    if (text.equals(taken)) {
      throw wrong("%s is named %s; the format has that name for itself", what, text);
    }
  }

  /** Writes the checksums into a header that {@link #compose} returned. */
  static void seal(byte[] json, List<Long> tensors) {
    int at = BEFORE_CHECKSUMS.length();
    for (int i = 0; i < tensors.size(); i++) {
      put(json, at + (i + 1) * DIGITS, tensors.get(i));
    }
    put(json, at, checksum(json));
  }

  private static void put(byte[] json, int at, long checksum) {
    byte[] digits = "%08x".formatted(checksum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, json, at, DIGITS);
  }

  /** {@return the dimensions in reverse order: the format is row-major, Recur is column-major} */
  static long[] reversed(long[] dimensions) {
    long[] reversed = new long[dimensions.length];
    for (int i = 0; i < reversed.length; i++) {
      reversed[i] = dimensions[dimensions.length - 1 - i];
    }
    return reversed;
  }

  private static String shown(long[] values) {
    return PlainJson.shown(Arrays.toString(values));
  }

  private static IllegalArgumentException wrong(String message, Object... values) {
    return new IllegalArgumentException("safetensors: " + message.formatted(values));
  }
}
