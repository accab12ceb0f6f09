package io.recur.device.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.Buffer;
import java.lang.foreign.MemorySegment;

/** The one answer of all devices to an index that names no column. */
public final class Indexes {
  private Indexes() {}

  /**
   * The indexes of a kernel on the processor, each checked: the kernels follow any of them.
   *
   * @param where the operation's name, for the error
   * @param index int32 indexes
   * @param n how many
   * @param columns what they may name
   * @throws IndexOutOfBoundsException if one names no column; nothing has changed
   */
  public static MemorySegment check(String where, Buffer index, long n, long columns) {
    MemorySegment indexes = index.segment(n);
    for (long j = 0; j < n; j++) {
      int column = indexes.getAtIndex(JAVA_INT, j);
      if (column < 0 || column >= columns) {
        throw new IndexOutOfBoundsException(message(where, j, column, columns));
      }
    }
    return indexes;
  }

  /**
   * What is wrong with an index.
   *
   * @param where the operation's name
   * @param j number of the index
   * @param column that it names
   * @param columns that it may name
   * @return the message of an error
   */
  public static String message(String where, long j, int column, long columns) {
    return "%s: index[%d]=%d; need 0 ≤ index < %d".formatted(where, j, column, columns);
  }
}
