package io.recur.nn;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;

/**
 * A weight matrix that stores and multiplies only what it needs: {@link DenseMatrix}, {@link
 * BandMatrix} (diagonal, tridiagonal).
 *
 * <pre>{@code
 * Matrix wi = Matrix.dense(5, 4);
 * Matrix wh = Matrix.tridiagonal(5, 5);
 * Recur recur = new Recur(new RNNCell(Elementwise.TANH, wi, wh, b, state0));
 * }</pre>
 */
public abstract sealed class Matrix permits DenseMatrix, BandMatrix {
  private final int rows;
  private final int columns;
  private final Parameter values;

  Matrix(int rows, int columns, Parameter values) {
    this.rows = rows;
    this.columns = columns;
    this.values = values;
  }

  /**
   * A dense matrix, Glorot uniform at first.
   *
   * @param rows outputs
   * @param columns inputs
   * @return the matrix
   */
  public static Matrix dense(int rows, int columns) {
    return new DenseMatrix(Parameter.glorot(rows, columns));
  }

  /**
   * A dense matrix with given values.
   *
   * @param values rows × columns
   * @return the matrix over that parameter
   */
  public static Matrix dense(Parameter values) {
    return new DenseMatrix(values);
  }

  /**
   * A diagonal matrix, or several stacked along rows for stacked gates.
   *
   * @param rows a multiple of columns
   * @param columns inputs
   * @return the matrix, Glorot uniform at first
   */
  public static Matrix diagonal(int rows, int columns) {
    return BandMatrix.random(0, rows, columns);
  }

  /**
   * A square diagonal matrix of given values, which are trained as every parameter is.
   *
   * @param values the diagonal, n × 1
   * @return n × n
   * @throws io.recur.grad.ShapeException if the values have several columns
   */
  public static Matrix diagonal(Parameter values) {
    return BandMatrix.ofDiagonal(values);
  }

  /**
   * A tridiagonal matrix, or several stacked along rows for stacked gates.
   *
   * @param rows a multiple of columns
   * @param columns inputs
   * @return the matrix, Glorot uniform at first
   */
  public static Matrix tridiagonal(int rows, int columns) {
    return BandMatrix.random(1, rows, columns);
  }

  /**
   * The diagonal of a dense matrix; the rest of it is dropped.
   *
   * @param rows a multiple of columns
   * @param columns inputs
   * @param dense column-major values of the whole matrix
   * @return the matrix
   */
  public static Matrix diagonal(int rows, int columns, float... dense) {
    return BandMatrix.of(0, rows, columns, dense);
  }

  /**
   * The three diagonals of a dense matrix; the rest of it is dropped.
   *
   * @param rows a multiple of columns
   * @param columns inputs
   * @param dense column-major values of the whole matrix
   * @return the matrix
   */
  public static Matrix tridiagonal(int rows, int columns, float... dense) {
    return BandMatrix.of(1, rows, columns, dense);
  }

  /** {@return the number of outputs} */
  public final int rows() {
    return rows;
  }

  /** {@return the number of inputs} */
  public final int columns() {
    return columns;
  }

  /** {@return whether it stores all its values, column-major} */
  public final boolean isDense() {
    return kind().isEmpty();
  }

  /** {@return the parameter that holds the stored values} */
  public final Parameter values() {
    return values;
  }

  /**
   * The product {@code W·x}, recorded.
   *
   * @param x columns × batch, with or without time
   * @return rows × batch, with or without time
   */
  public abstract Tensor times(Tensor x);

  /** {@return {@code diagonal} or {@code tridiagonal}; empty for a dense matrix} */
  public abstract String kind();

  @Override
  public final String toString() {
    return (kind().isEmpty() ? "dense" : kind()) + "(" + rows + "×" + columns + ")";
  }
}
