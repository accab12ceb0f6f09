package io.recur.serve;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Walks over sessions that are packed in memory one after the other, as a file or a store holds
 * them. A session is, little-endian and without gaps: the bytes of the text of its id, 0 for a
 * number; 1 where it has failed; the id; the number of its last step, -1 where it had none; rows
 * and length of the last answer, 4 bytes each, and its values; the state.
 */
final class PackedSessions {
  /** The bytes of a session besides its id, its answer and its state. */
  static final int FIXED_BYTES = 18;

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat PACKED_FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final MemorySegment memory;
  private final int floats;
  private final long end;
  private long at;
  private long next;
  private int idBytes;

  /**
   * Begins before the first session.
   *
   * @param end the byte behind the last one
   * @param floats of a state
   */
  PackedSessions(MemorySegment memory, long begin, long end, int floats) {
    this.memory = memory;
    this.next = begin;
    this.end = end;
    this.floats = floats;
  }

  /**
   * Goes to the next session.
   *
   * @return false behind the last one
   * @throws IllegalArgumentException if the bytes are those of no session
   */
  boolean next() {
    if (next == end) {
      return false;
    }
    at = next;
    require(2);
    int text = memory.get(BYTE, at);
    idBytes = text == 0 ? Long.BYTES : text;
    if (text < 0 || text > Id.MOST_BYTES) {
      throw new IllegalArgumentException("an id of %d bytes".formatted(text));
    }
    require(FIXED_BYTES + idBytes);
    int length = answerFloats();
    if (length < 0 || length > 0 && (answerRows() < 1 || length % answerRows() != 0)) {
      throw new IllegalArgumentException(
          "an answer of %d values, %d rows".formatted(length, answerRows()));
    }
    next = stateAt() + (long) Float.BYTES * floats;
    require(next - at);
    return true;
  }

  private void require(long bytes) {
    if (bytes > end - at) {
      throw new IllegalArgumentException(
          "a session of %d bytes or more, of which %d are there".formatted(bytes, end - at));
    }
  }

  /**
   * The id.
   *
   * @throws IllegalArgumentException if its text is not UTF-8
   */
  Id id() {
    return Id.packed(memory, at + 2, memory.get(BYTE, at));
  }

  boolean isFailed() {
    return memory.get(BYTE, at + 1) != 0;
  }

  private long fixedAt() {
    return at + 2 + idBytes;
  }

  long number() {
    return memory.get(LONG, fixedAt());
  }

  int answerRows() {
    return memory.get(INT, fixedAt() + 8);
  }

  int answerFloats() {
    return memory.get(INT, fixedAt() + 12);
  }

  long answerAt() {
    return fixedAt() + 16;
  }

  long stateAt() {
    return answerAt() + (long) Float.BYTES * answerFloats();
  }

  MemorySegment memory() {
    return memory;
  }

  // Packing.

  /** Writes what comes before the values, and returns the byte behind it. */
  static long write(
      MemorySegment to,
      long at,
      Id id,
      boolean isFailed,
      long number,
      int answerRows,
      int answerFloats) {
    to.set(BYTE, at, (byte) id.textBytes());
    to.set(BYTE, at + 1, (byte) (isFailed ? 1 : 0));
    id.pack(to, at + 2);
    long behind = at + 2 + id.bytes();
    to.set(LONG, behind, number);
    to.set(INT, behind + 8, answerRows);
    to.set(INT, behind + 12, answerFloats);
    return behind + 16;
  }

  static void copyOut(MemorySegment from, long at, MemorySegment to, long toAt, int floats) {
    MemorySegment.copy(from, FLOAT, at, to, PACKED_FLOAT, toAt, floats);
  }

  static void copyIn(MemorySegment from, long at, MemorySegment to, long toAt, int floats) {
    MemorySegment.copy(from, PACKED_FLOAT, at, to, FLOAT, toAt, floats);
  }
}
