package io.recur.device.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.Buffer;
import java.lang.foreign.MemorySegment;

/**
 * Refuses an index that names no column, in the same words on every device.
 *
 * <pre>{@code
 * Buffer index = device.allocate(2);
 * index.writeIndexes(0, 4);
 * Indexes.check("gather", index, 2, 5);                   // 0 and 4 name columns of five
 * }</pre>
 */
public final class Indexes {
  private Indexes() {}

  /**
   * Checks the indexes of a kernel on the processor, which does not check them itself.
   *
   * @param where the operation's name, for the error
   * @param index int32 indexes
   * @param n the number of indexes
   * @param columns the number of columns; each index is below it
   * @return the segment of the indexes
   * @throws IndexOutOfBoundsException if an index names no column; nothing has changed
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
   * Words the error of a bad index.
   *
   * @param where the operation's name
   * @param j the position of the index
   * @param column the index
   * @param columns the number of columns
   * @return the message
   */
  public static String message(String where, long j, int column, long columns) {
    return "%s: index[%d]=%d; need 0 ≤ index < %d".formatted(where, j, column, columns);
  }
}
