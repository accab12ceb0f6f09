package io.recur.serve;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The id of a session: a number, or a text of 1 to 64 bytes. A number never equals a text. */
final class Id {
  private static final int MOST_BYTES = 64;
  private static final long MULTIPLIER = 0xa0761d6478bd642fL; // odd, of many 1 bits
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

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
    ByteBuffer key = ByteBuffer.allocate(1 + bytes()).put((byte) (text == null ? 0 : 1));
    write(key);
    return key.array();
  }

  void write(ByteBuffer to) {
    if (text == null) {
      to.putLong(number);
    } else {
      to.put(text);
    }
  }

  /** The id that {@link #write(ByteBuffer)} wrote: a number where its text has no bytes. */
  static Id read(ByteBuffer from, int textBytes) {
    if (textBytes == 0) {
      return of(from.getLong());
    }
    byte[] text = new byte[textBytes];
    from.get(text);
    return of(new String(text, StandardCharsets.UTF_8));
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
    return text == null
        ? Long.toString(number)
        : '"' + new String(text, StandardCharsets.UTF_8) + '"';
  }
}
