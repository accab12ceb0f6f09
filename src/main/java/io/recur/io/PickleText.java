package io.recur.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Composes a pickle of protocol 2, opcode after opcode. {@link Pickle} reads it. */
final class PickleText {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Adds opcodes: a character is a byte. */
  PickleText add(String opcodes) {
    bytes.writeBytes(opcodes.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  /** Adds the reference to a name, such as {@code torch.FloatStorage}. */
  PickleText global(String name) {
    int dot = name.lastIndexOf('.');
    return add("c" + name.substring(0, dot) + "\n" + name.substring(dot + 1) + "\n");
  }

  /** Adds a call without arguments. */
  PickleText call(String name) {
    return global(name).add(")R");
  }

  /**
   * Adds a text.
   *
   * @throws IllegalArgumentException if it has half a surrogate pair
   */
  PickleText text(String text) {
    if (!PlainJson.isText(text)) {
      throw new IllegalArgumentException(
          "torch: a name is %s; need text with whole surrogate pairs"
              .formatted(PlainJson.shown(text)));
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    add("X");
    bytes.writeBytes(little(Integer.BYTES).putInt(utf8.length).array());
    bytes.writeBytes(utf8);
    return this;
  }

  /** Adds a whole number of 0 or more. */
  PickleText number(long value) {
    if (value < 1 << Byte.SIZE) {
      add("K").bytes.write((int) value);
    } else if (value <= Integer.MAX_VALUE) {
      add("J").bytes.writeBytes(little(Integer.BYTES).putInt((int) value).array());
    } else {
      add("\u008a\10").bytes.writeBytes(little(Long.BYTES).putLong(value).array());
    }
    return this;
  }

  /** Adds a tuple. */
  PickleText numbers(long... values) {
    add("(");
    for (long value : values) {
      number(value);
    }
    return add("t");
  }

  private static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** {@return all that was added} */
  byte[] bytes() {
    return bytes.toByteArray();
  }
}
