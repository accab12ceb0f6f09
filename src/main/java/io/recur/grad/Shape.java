package io.recur.grad;

import io.recur.device.Dimension;

/**
 * The shape of a tensor: features × batch × time, first dimension contiguous (column-major). A
 * vector has rank 1, a matrix or a batch of vectors rank 2, a batch of sequences rank 3.
 *
 * <pre>{@code
 * Shape weights = Shape.of(20, 5);      // 20×5
 * Shape batch = Shape.of(10, 32);       // 32 vectors of length 10
 * Shape sequences = Shape.of(10, 32, 64);
 * }</pre>
 *
 * @param rank 1, 2 or 3
 * @param rows features: the length of a column
 * @param batch columns of one time step
 * @param time steps
 */
public record Shape(int rank, int rows, int batch, int time) {
  static final Shape SCALAR = new Shape(1, 1, 1, 1);

  /** Checks the sizes. */
  public Shape {
    check(rank, rows, batch, time);
    if ((rank == 1 && batch != 1) || (rank < 3 && time != 1)) {
      throw new ShapeException(
          "shape: rank=%d, %d×%d×%d; need batch=1 and time=1 of rank 1, time=1 of rank 2"
              .formatted(rank, rows, batch, time));
    }
  }

  /** Refuses sizes that no tensor has, before they are narrowed to an int. */
  static void check(int rank, long rows, long batch, long time) {
    if (rank < 1 || rank > 3 || rows < 1 || batch < 1 || time < 1) {
      throw new ShapeException(
          "shape: rank=%d, %d×%d×%d; need 1 to 3 dimensions, each 1 or more"
              .formatted(rank, rows, batch, time));
    }
    if ((double) rows * batch * time > Integer.MAX_VALUE) { // a long might overflow
      throw new ShapeException(
          "shape: %d×%d×%d is %.0f values; at most %d"
              .formatted(rows, batch, time, (double) rows * batch * time, Integer.MAX_VALUE));
    }
  }

  /**
   * A shape from its dimensions.
   *
   * @param dimensions one to three sizes, features first
   * @return the shape
   */
  public static Shape of(int... dimensions) {
    return switch (dimensions.length) {
      case 1 -> new Shape(1, dimensions[0], 1, 1);
      case 2 -> new Shape(2, dimensions[0], dimensions[1], 1);
      case 3 -> new Shape(3, dimensions[0], dimensions[1], dimensions[2]);
      default ->
          throw new ShapeException(
              "shape: %d dimensions; need 1 to 3: features, batch, time"
                  .formatted(dimensions.length));
    };
  }

  /** {@return the number of columns, batch times time} */
  public int columns() {
    return batch * time;
  }

  /** {@return the number of values, rows times columns} */
  public int count() {
    return rows * columns();
  }

  boolean is(int rank, int rows, int batch, int time) {
    return this.rank == rank && this.rows == rows && this.batch == batch && this.time == time;
  }

  /**
   * The same rank, batch and time with other features.
   *
   * @param rows the new features
   * @return the shape
   */
  public Shape withRows(int rows) {
    return new Shape(rank, rows, batch, time);
  }

  /** Another length in one dimension. */
  Shape with(Dimension d, long length, int rank) {
    long rows = d == Dimension.ROWS ? length : this.rows;
    long batch = d == Dimension.COLUMNS ? length : this.batch;
    long time = d == Dimension.TIME ? length : this.time;
    check(rank, rows, batch, time);
    return new Shape(rank, (int) rows, (int) batch, (int) time);
  }

  int stride(Dimension d) {
    return d.stride(rows, batch, time);
  }

  int length(Dimension d) {
    return d.length(rows, batch, time);
  }

  int count(Dimension d) {
    return d.count(rows, batch, time);
  }

  /** {@return the dimensions, features first, as an array of length rank} */
  public int[] dimensions() {
    return switch (rank) {
      case 1 -> new int[] {rows};
      case 2 -> new int[] {rows, batch};
      default -> new int[] {rows, batch, time};
    };
  }

  @Override
  public String toString() {
    return switch (rank) {
      case 1 -> Integer.toString(rows);
      case 2 -> rows + "×" + batch;
      default -> rows + "×" + batch + "×" + time;
    };
  }
}
