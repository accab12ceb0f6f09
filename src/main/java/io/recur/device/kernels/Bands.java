package io.recur.device.kernels;

import io.recur.device.Buffer;

/**
 * Products with stacked band matrices. A matrix of {@code blocks·n × n} consists of square blocks;
 * each has nonzeros where {@code |column − row| ≤ reach} and stores its diagonals one after the
 * other, lowest first: {@code (2·reach + 1)·n − reach·(reach + 1)} values. Reach 0 is diagonal,
 * reach 1 tridiagonal.
 *
 * <pre>{@code
 * Buffer w = device.allocate(Bands.stored(1, 5));        // a tridiagonal 5×5
 * kernels.bands().multiply(1, 5, 1, w, device.allocate(5), 1, 0, device.allocate(5), 5);
 * }</pre>
 */
public interface Bands {
  /**
   * {@code Y = W·X + beta·Y}.
   *
   * @param reach of the band
   * @param n columns of W
   * @param blocks square blocks in W
   * @param w the stored diagonals
   * @param x {@code n×columns}
   * @param columns of X
   * @param beta factor of the old Y; with 0 it is not read
   * @param y {@code blocks·n × columns}
   * @param ldy rows of the matrix that Y lies in
   */
  void multiply(
      int reach, int n, int blocks, Buffer w, Buffer x, int columns, float beta, Buffer y, int ldy);

  /**
   * {@code dX = Wᵀ·dY + beta·dX}.
   *
   * @param reach of the band
   * @param n columns of W
   * @param blocks square blocks in W
   * @param w the stored diagonals
   * @param dy {@code blocks·n × columns}
   * @param lddy rows of the matrix that dY lies in
   * @param columns of dY
   * @param beta factor of the old dX; with 0 it is not read
   * @param dx {@code n×columns}
   */
  void multiplyTransposed(
      int reach,
      int n,
      int blocks,
      Buffer w,
      Buffer dy,
      int lddy,
      int columns,
      float beta,
      Buffer dx);

  /**
   * {@code dW += dY·Xᵀ} on the stored diagonals.
   *
   * @param reach of the band
   * @param n columns of W
   * @param blocks square blocks in W
   * @param dy {@code blocks·n × columns}
   * @param lddy rows of the matrix that dY lies in
   * @param x {@code n×columns}
   * @param columns of X
   * @param dw the gradient of the stored diagonals, added to
   */
  void addGradient(
      int reach, int n, int blocks, Buffer dy, int lddy, Buffer x, int columns, Buffer dw);

  /**
   * The stored values of a block.
   *
   * @param reach of the band
   * @param n size of the block
   * @return values
   */
  static int stored(int reach, int n) {
    return (2 * reach + 1) * n - reach * (reach + 1);
  }
}
