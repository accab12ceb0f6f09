package io.recur.device;

import java.util.Locale;

/**
 * A dimension of {@code rows × columns × time} values, of which the rows are contiguous. An
 * operation along a dimension sees the values as {@code stride × length × count}: {@code length} of
 * them, each {@code stride} words after the last, belong together.
 *
 * <pre>{@code
 * Tensor mean = x.mean(Dimension.ROWS);                  // of in×B×T values: 1×B×T
 * int words = Dimension.TIME.stride(4, 32, 10);          // from one time step to the next: 128
 * }</pre>
 */
public enum Dimension {
  /** The rows of a column: features. */
  ROWS,

  /** The columns of a time step: the batch. */
  COLUMNS,

  /** The time steps. */
  TIME;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** {@return the name in an error: {@code rows}, {@code columns} or {@code time}} */
  public String label() {
    return label;
  }

  /**
   * The words from one value to the next of this dimension.
   *
   * @param rows the first size
   * @param columns the second size, the batch
   * @param time the third size
   * @return the product of the sizes before this one
   */
  public int stride(int rows, int columns, int time) {
    return switch (this) {
      case ROWS -> 1;
      case COLUMNS -> rows;
      case TIME -> rows * columns;
    };
  }

  /**
   * The size of this dimension.
   *
   * @param rows the first size
   * @param columns the second size, the batch
   * @param time the third size
   * @return one of the three
   */
  public int length(int rows, int columns, int time) {
    return switch (this) {
      case ROWS -> rows;
      case COLUMNS -> columns;
      case TIME -> time;
    };
  }

  /**
   * How often {@code stride × length} values follow each other.
   *
   * @param rows the first size
   * @param columns the second size, the batch
   * @param time the third size
   * @return the product of the sizes after this one
   */
  public int count(int rows, int columns, int time) {
    return switch (this) {
      case ROWS -> columns * time;
      case COLUMNS -> time;
      case TIME -> 1;
    };
  }
}
