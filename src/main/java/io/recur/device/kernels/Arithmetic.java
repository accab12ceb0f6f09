package io.recur.device.kernels;

import io.recur.device.Buffer;

/**
 * Elementwise arithmetic with constants and of two operands. An output may be the same buffer as an
 * input of the same size, but must not overlap it in part.
 *
 * <p>An operand of an {@code m×n} matrix is one too, or its rows, its columns or both are repeated:
 * it has m rows or 1, and n columns or 1.
 *
 * <pre>{@code
 * Arithmetic arithmetic = kernels.arithmetic();
 * Buffer a = device.allocate(6);
 * arithmetic.affine(-1, a, 1, a, 6); // 1 − a
 * arithmetic.apply(Binary.DIVIDE, 3, 2, a, 3, 2, states, 3, 1, a); // each column by the first one
 * }</pre>
 */
public interface Arithmetic {
  /**
   * {@code y = factor·x + constant}.
   *
   * @param factor of x
   * @param x input
   * @param constant added; with −0 the sign of a product of zero is kept
   * @param y output
   * @param n values
   */
  void affine(float factor, Buffer x, float constant, Buffer y, long n);

  /**
   * {@code y = min(max(x, low), high)}; a not-a-number stays one.
   *
   * @param low least value
   * @param high largest value, not below low
   * @param x input
   * @param y output
   * @param n values
   */
  void clamp(float low, float high, Buffer x, Buffer y, long n);

  /**
   * {@code dx += dy} where {@code low ≤ x ≤ high}.
   *
   * @param low least value
   * @param high largest value, not below low
   * @param x the input of {@link #clamp}
   * @param dy gradient of its output
   * @param dx gradient of its input, added to
   * @param n values
   */
  void addClampDerivative(float low, float high, Buffer x, Buffer dy, Buffer dx, long n);

  /**
   * {@code Y = f(A, B)}.
   *
   * @param f the function
   * @param m rows
   * @param n columns
   * @param a an operand
   * @param rowsA its rows, m or 1
   * @param columnsA its columns, n or 1
   * @param b an operand
   * @param rowsB its rows, m or 1
   * @param columnsB its columns, n or 1
   * @param y {@code m×n}
   */
  void apply(
      Binary f,
      int m,
      int n,
      Buffer a,
      int rowsA,
      int columnsA,
      Buffer b,
      int rowsB,
      int columnsB,
      Buffer y);

  /**
   * {@code Y (+)=} what the gradient of {@code f(A, B)} gives to one operand at each place. Of a
   * repeated operand it is yet to be summed over the repetitions.
   *
   * @param f a function that {@linkplain Binary#isDifferentiable has a gradient}
   * @param ofB whether the gradient of B is wanted, else that of A
   * @param accumulate whether to add to Y
   * @param m rows
   * @param n columns
   * @param a an operand
   * @param rowsA its rows, m or 1
   * @param columnsA its columns, n or 1
   * @param b an operand
   * @param rowsB its rows, m or 1
   * @param columnsB its columns, n or 1
   * @param d gradient of f(A, B), {@code m×n}
   * @param y {@code m×n}
   */
  void derivative(
      Binary f,
      boolean ofB,
      boolean accumulate,
      int m,
      int n,
      Buffer a,
      int rowsA,
      int columnsA,
      Buffer b,
      int rowsB,
      int columnsB,
      Buffer d,
      Buffer y);

  /**
   * {@return the words from one row of an operand to the next}
   *
   * @param rows of the operand
   */
  static int row(int rows) {
    return rows == 1 ? 0 : 1;
  }

  /**
   * {@return the words from one column of an operand to the next}
   *
   * @param rows of the operand
   * @param columns of the operand
   */
  static int column(int rows, int columns) {
    return columns == 1 ? 0 : rows;
  }
}
