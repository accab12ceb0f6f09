package io.recur.io.onnx;

import io.recur.io.json.Json;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads one message of the wire format of Protocol Buffers: fields of a number and a kind, one
 * after the other. A message inside is another one over a part of the same bytes; no length is
 * believed that exceeds what is left.
 */
final class Wire {
  /** Messages inside each other. */
  private static final int DEPTH = 100;

  private static final int MOST_BITS = 64;

  private static final int VARINT = 0;
  private static final int EIGHT_BYTES = 1;
  private static final int LENGTH = 2;
  private static final int FOUR_BYTES = 5;

  private final ByteBuffer bytes;
  private final int depth;
  private int field;
  private int kind;

  private Wire(ByteBuffer bytes, int depth) {
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    this.depth = depth;
  }

  /** A message of all remaining bytes. */
  static Wire of(ByteBuffer bytes) {
    return new Wire(bytes.slice(), 0);
  }

  /** Moves to the next field; false at the end. */
  boolean next() {
    if (!bytes.hasRemaining()) {
      return false;
    }
    long tag = varint();
    kind = (int) (tag & 7);
    long number = tag >>> 3;
    boolean isKnown = kind == VARINT || kind == EIGHT_BYTES || kind == LENGTH || kind == FOUR_BYTES;
    if (number < 1 || number >= 1 << 29 || !isKnown) {
      throw damaged("a field of number=%d, kind=%d".formatted(number, kind));
    }
    field = (int) number;
    return true;
  }

  /** {@return the number of the field} */
  int field() {
    return field;
  }

  /**
   * {@return how the field is written: 0 a number, 1 eight bytes, 2 a length and bytes, 5 four
   * bytes}
   */
  int kind() {
    return kind;
  }

  /** Passes over the field. */
  void skip() {
    switch (kind) {
      case VARINT -> varint();
      case EIGHT_BYTES -> advance(8);
      case FOUR_BYTES -> advance(4);
      default -> advance(length());
    }
  }

  /** Reads an integer. */
  long whole() {
    need(VARINT);
    return varint();
  }

  /** Reads a float. */
  float real() {
    need(FOUR_BYTES);
    advance(4);
    return bytes.getFloat(bytes.position() - 4);
  }

  /** Reads a message. */
  Wire message() {
    if (depth == DEPTH) {
      throw damaged("%d messages inside each other".formatted(DEPTH + 1));
    }
    return new Wire(part(), depth + 1);
  }

  /** Reads bytes: a part of those of the file. */
  ByteBuffer part() {
    need(LENGTH);
    int length = length();
    int from = bytes.position();
    advance(length);
    return bytes.slice(from, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Reads a text. */
  String text() {
    ByteBuffer part = part();
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(part).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "wire: field %d is no UTF-8; the file is damaged".formatted(field), e);
    }
  }

  /** Reads integers, one of a repeated field or many packed, and adds them to others. */
  void wholes(Numbers to) {
    if (kind == VARINT) {
      to.add(varint());
      return;
    }
    Wire packed = new Wire(part(), depth);
    while (packed.bytes.hasRemaining()) {
      to.add(packed.varint());
    }
  }

  /** Reads numbers of 4 or 8 bytes, one of a repeated field or many packed, as their bits. */
  void fixed(int size, Numbers to) {
    if (kind != LENGTH) {
      need(size == 4 ? FOUR_BYTES : EIGHT_BYTES);
      advance(size);
      int at = bytes.position() - size;
      to.add(size == 4 ? bytes.getInt(at) : bytes.getLong(at));
      return;
    }
    ByteBuffer packed = part();
    if (packed.remaining() % size != 0) {
      throw damaged("%d bytes of numbers of %d".formatted(packed.remaining(), size));
    }
    while (packed.hasRemaining()) {
      to.add(size == 4 ? packed.getInt() : packed.getLong());
    }
  }

  private void need(int wanted) {
    if (kind != wanted) {
      throw damaged("field %d of kind=%d, not %d".formatted(field, kind, wanted));
    }
  }

  private int length() {
    long length = varint();
    if (length < 0 || length > bytes.remaining()) {
      throw damaged(
          "field %d says that it has %s bytes of %d that are left"
              .formatted(field, Long.toUnsignedString(length), bytes.remaining()));
    }
    return (int) length;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < MOST_BITS; shift += 7) {
      if (!bytes.hasRemaining()) {
        throw damaged("it ends within a number");
      }
      byte next = bytes.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw damaged("a number of more than 10 bytes");
  }

  private void advance(int count) {
    if (count > bytes.remaining()) {
      throw damaged("field %d needs %d bytes of %d".formatted(field, count, bytes.remaining()));
    }
    bytes.position(bytes.position() + count);
  }

  private static IllegalArgumentException damaged(String what) {
    return new IllegalArgumentException("wire: " + what + "; the file is damaged, or not ONNX");
  }

  /** A list of numbers without objects. */
  static final class Numbers {
    private long[] values = new long[4];
    private int size;

    void add(long value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = value;
    }

    int size() {
      return size;
    }

    long at(int i) {
      return values[i];
    }

    long[] toArray() {
      return Arrays.copyOf(values, size);
    }

    /** The numbers as the bits of floats. */
    float[] toFloats() {
      float[] floats = new float[size];
      for (int i = 0; i < size; i++) {
        floats[i] = Float.intBitsToFloat((int) values[i]);
      }
      return floats;
    }
  }

  /** A text of a file in quotes, as an error shows it. */
  static String shown(String text) {
    return Json.shown(text);
  }
}
