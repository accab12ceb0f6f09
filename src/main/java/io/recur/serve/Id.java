package io.recur.serve;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The id of a session: a number, or a text of 1 to 64 bytes. A number never equals a text. */
final class Id {
  static final int MOST_BYTES = 64;

  /** That of a call of no session: this object alone, not its equals. */
  static final Id NOBODY = new Id(0, null);

  private static final long MULTIPLIER = 0xa0761d6478bd642fL; // odd, of many 1 bits
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final VarHandle KEY_LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong PACKED_LONG = LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long number;
  private final byte @Nullable [] text;

  private Id(long number, byte @Nullable [] text) {
    this.number = number;
    this.text = text;
  }

  static Id of(long number) {
    return new Id(number, null);
  }

  static Id of(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length < 1 || bytes.length > MOST_BYTES) {
      throw new IllegalArgumentException(
          "session: an id of %d bytes; need 1 to %d bytes of UTF-8"
              .formatted(bytes.length, MOST_BYTES));
    }
    boolean isWhole = text.chars().noneMatch(c -> Character.isSurrogate((char) c));
    if (!isWhole && !new String(bytes, StandardCharsets.UTF_8).equals(text)) {
      throw new IllegalArgumentException(
          "session: an id with half of a surrogate pair, which UTF-8 does not have");
    }
    return new Id(0, bytes);
  }

  /** The id that is stored at a place: a number where its text has no bytes. */
  static Id at(MemorySegment from, long at, int textBytes) {
    return textBytes == 0
        ? of(from.get(LONG, at))
        : new Id(0, from.asSlice(at, textBytes).toArray(ValueLayout.JAVA_BYTE));
  }

  /** The bytes of its text; 0 for a number. */
  int textBytes() {
    return text == null ? 0 : text.length;
  }

  /** The bytes that it needs. */
  int bytes() {
    return text == null ? Long.BYTES : text.length;
  }

  /** The id as a key of a store: a byte that says what it is, and its bytes. */
  byte[] key() {
    byte[] key = new byte[1 + bytes()];
    key[0] = (byte) (text == null ? 0 : 1);
    if (text == null) {
      KEY_LONG.set(key, 1, number);
    } else {
      System.arraycopy(text, 0, key, 1, text.length);
    }
    return key;
  }

  /** Writes the id as {@link #packed} reads it. */
  void pack(MemorySegment to, long at) {
    if (text == null) {
      to.set(PACKED_LONG, at, number);
    } else {
      write(to, at);
    }
  }

  /** The id that was packed at a place: a number where its text has no bytes. */
  static Id packed(MemorySegment from, long at, int textBytes) {
    return textBytes == 0
        ? of(from.get(PACKED_LONG, at))
        : of(
            new String(
                from.asSlice(at, textBytes).toArray(ValueLayout.JAVA_BYTE),
                StandardCharsets.UTF_8));
  }

  void write(MemorySegment to, long at) {
    if (text == null) {
      to.set(LONG, at, number);
    } else {
      MemorySegment.copy(text, 0, to, ValueLayout.JAVA_BYTE, at, text.length);
    }
  }

  /** Whether it is the one that is stored at a place. */
  boolean isAt(MemorySegment from, long at, int textBytes) {
    if (textBytes != textBytes()) {
      return false;
    }
    if (text == null) {
      return from.get(LONG, at) == number;
    }
    for (int i = 0; i < textBytes; i++) {
      if (from.get(ValueLayout.JAVA_BYTE, at + i) != text[i]) {
        return false;
      }
    }
    return true;
  }

  /** A number that depends on a secret seed, so that nobody can choose ids that collide. */
  long hash(long seed) {
    return text == null ? mixed(mixed(seed, number), 1) : hash(seed, text);
  }

  /** {@link #hash(long)} of bytes. */
  static long hash(long seed, byte... bytes) {
    long hash = seed;
    long word = 0;
    for (int i = 0; i < bytes.length; i++) {
      word = word << Byte.SIZE | bytes[i] & 0xff;
      if (i % Long.BYTES == Long.BYTES - 1) {
        hash = mixed(hash, word);
        word = 0;
      }
    }
    return mixed(mixed(hash, word), 2L + bytes.length);
  }

  /** Both halves of a product of 128 bits. */
  private static long mixed(long a, long b) {
    long x = a ^ b;
    long y = MULTIPLIER ^ Long.rotateLeft(a, 32);
    return Math.unsignedMultiplyHigh(x, y) ^ x * y ^ Long.rotateLeft(a, 17);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Id its && number == its.number && Arrays.equals(text, its.text);
  }

  @Override
  public int hashCode() {
    return text == null ? Long.hashCode(number) : Arrays.hashCode(text);
  }

  @Override
  public String toString() {
    if (this == NOBODY) {
      return "none";
    }
    return text == null
        ? Long.toString(number)
        : '"' + new String(text, StandardCharsets.UTF_8) + '"';
  }
}
