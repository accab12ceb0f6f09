package io.recur.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The header of a file of {@code numpy.save}: a magic word, a version, a length, and a dictionary
 * as Python writes it, with exactly the entries descr, fortran_order and shape.
 *
 * @param type F32, F64, I32 or I64
 * @param order of the bytes of a value
 * @param isFortran whether the first size is contiguous
 * @param sizes in NumPy's order
 * @param begin the offset of the first value
 */
record NpyHeader(Dtype type, ByteOrder order, boolean isFortran, int[] sizes, int begin) {
  private static final String MAGIC = "\u0093NUMPY";
  private static final int ALIGNMENT = 64;

  /** The bytes before the dictionary in version 1, whose length has two. */
  private static final int FIRST = MAGIC.length() + 4;

  /** More than the header of any array of numbers. */
  private static final int LONGEST = 4096;

  private static final int MOST_SIZES = 32;
  private static final String DESCRIPTION = "descr";
  private static final String FORTRAN = "fortran_order";
  private static final String SHAPE = "shape";

  private static final Pattern ENTRY =
      Pattern.compile("\\G\\s*'(\\w+)'\\s*:\\s*('[^']*'|True|False|\\([\\d,\\s]*\\))\\s*,?");

  private static final Map<String, Dtype> TYPES =
      Map.of("f4", Dtype.F32, "f8", Dtype.F64, "i4", Dtype.I32, "i8", Dtype.I64);

  /**
   * Reads a header and compares it with the file's size.
   *
   * @throws IllegalArgumentException if it breaks a rule; the message names it
   */
  static NpyHeader read(FileChannel channel) throws IOException {
    long size = channel.size();
    String start = text(channel, 0, (int) Math.min(size, FIRST + 2));
    int version = start.length() < FIRST + 2 ? 0 : start.charAt(MAGIC.length());
    if (!start.startsWith(MAGIC) || version < 1 || version > 3) {
      throw wrong("%d bytes; need a file of numpy.save, of version 1 to 3", size);
    }
    int from = version == 1 ? FIRST : FIRST + 2;
    long length = 0;
    for (int i = from - 1; i >= MAGIC.length() + 2; i--) {
      length = length << Byte.SIZE | start.charAt(i);
    }
    if (length > LONGEST || length > size - from) {
      throw wrong(
          "a header of %d bytes in a file of %d; need at most %d, of an array of numbers",
          length, size, LONGEST);
    }
    NpyHeader header = of(text(channel, from, (int) length).strip(), from + (int) length);
    if (header.bytes() != size - header.begin) {
      throw wrong(
          "shape=%s of %s in %d bytes after the header; need %s",
          Arrays.toString(header.sizes),
          header.type,
          size - header.begin,
          header.bytes() < 0 ? "fewer than 2⁶³" : header.bytes());
    }
    if (header.count() > Integer.MAX_VALUE - 8) {
      throw wrong("%d values; need at most %d", header.count(), Integer.MAX_VALUE - 8);
    }
    return header;
  }

  private static String text(FileChannel channel, long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    Values.readFully(channel, at, bytes);
    return new String(bytes.array(), StandardCharsets.ISO_8859_1);
  }

  private static NpyHeader of(String text, int begin) {
    Map<String, String> entries = new HashMap<>();
    boolean isWhole = text.startsWith("{") && text.endsWith("}");
    String inner = isWhole ? text.substring(1, text.length() - 1) : "";
    Matcher entry = ENTRY.matcher(inner);
    int end = 0;
    while (entry.find()) {
      isWhole &= entries.put(entry.group(1), entry.group(2)) == null;
      end = entry.end();
    }
    isWhole &= inner.substring(end).isBlank();
    if (!isWhole || !entries.keySet().equals(Set.of(DESCRIPTION, FORTRAN, SHAPE))) {
      throw wrong(
          "header %s; need descr, fortran_order and shape of an array of numbers, once each",
          PlainJson.shown(text));
    }
    String type = entries.get(DESCRIPTION);
    String fortran = entries.get(FORTRAN);
    int[] sizes = sizes(entries.get(SHAPE));
    if (!type.matches("'[<>=|]?\\w{2}'") || !TYPES.containsKey(kind(type)) || sizes == null) {
      throw wrong(
          "descr=%s, shape=%s; need float32, float64, int32 or int64 ('<f4', '<f8', '<i4', '<i8') of"
              + " at most %d sizes: array.astype('float32')",
          PlainJson.shown(type), PlainJson.shown(entries.get(SHAPE)), MOST_SIZES);
    }
    if (!fortran.equals("True") && !fortran.equals("False")) {
      throw wrong("fortran_order=%s; need True or False", PlainJson.shown(fortran));
    }
    ByteOrder order = type.startsWith("'>") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new NpyHeader(TYPES.get(kind(type)), order, fortran.equals("True"), sizes, begin);
  }

  private static String kind(String type) {
    return type.substring(type.length() - 3, type.length() - 1);
  }

  /** {@return the sizes of a tuple; null if it is none, or one is no int} */
  private static int @Nullable [] sizes(String tuple) {
    String inner = tuple.replaceAll("\\s", "");
    if (!inner.matches("\\(\\)|\\((\\d{1,10},)+(\\d{1,10})?\\)")) {
      return null;
    }
    long[] sizes =
        Pattern.compile("\\d+")
            .matcher(inner)
            .results()
            .mapToLong(size -> Long.parseLong(size.group()))
            .toArray();
    boolean fits = Arrays.stream(sizes).allMatch(size -> size <= Integer.MAX_VALUE);
    return fits && sizes.length <= MOST_SIZES
        ? Arrays.stream(sizes).mapToInt(size -> (int) size).toArray()
        : null;
  }

  /** {@return the bytes of all values, −1 if they overflow 64 bits} */
  private long bytes() {
    return Header.bytes(type, Arrays.stream(sizes).asLongStream().toArray());
  }

  /** {@return the number of values} */
  long count() {
    return bytes() / (type.bits() / Byte.SIZE);
  }

  /** {@return the header of an array of float32 in C order, with padding} */
  static byte[] compose(int... sizes) {
    String shape =
        IntStream.of(sizes).mapToObj(Integer::toString).collect(Collectors.joining(", "))
            + (sizes.length == 1 ? "," : "");
    String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }".formatted(shape);
    int whole = Math.ceilDiv(FIRST + text.length() + 1, ALIGNMENT) * ALIGNMENT;
    String padded = text + " ".repeat(whole - FIRST - text.length() - 1) + "\n";
    return ByteBuffer.allocate(whole)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC.getBytes(StandardCharsets.ISO_8859_1))
        .put((byte) 1)
        .put((byte) 0)
        .putShort((short) padded.length())
        .put(padded.getBytes(StandardCharsets.ISO_8859_1))
        .array();
  }

  private static IllegalArgumentException wrong(String message, @Nullable Object... facts) {
    return new IllegalArgumentException("npy: " + message.formatted(facts));
  }
}
