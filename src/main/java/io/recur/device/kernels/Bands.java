package io.recur.device.kernels;

import io.recur.device.Buffer;

/**
 * Products with stacked band matrices, see {@link Band}.
 *
 * <pre>{@code
 * Band band = new Band(1, 5, 1);                         // a tridiagonal 5×5
 * Buffer w = device.allocate(band.stored());
 * kernels.bands().multiply(band, w, device.allocate(5), 1, 0, device.allocate(5), 5);
 * }</pre>
 */
public interface Bands {
  /**
   * {@code Y = W·X + beta·Y}.
   *
   * @param band the shape of W
   * @param w the stored diagonals
   * @param x {@code n×columns}
   * @param columns of X
   * @param beta factor of the old Y; with 0 it is not read
   * @param y {@code blocks·n × columns}
   * @param ldy rows of the matrix that Y lies in
   */
  void multiply(Band band, Buffer w, Buffer x, int columns, float beta, Buffer y, int ldy);

  /**
   * {@code dX = Wᵀ·dY + beta·dX}.
   *
   * @param band the shape of W
   * @param w the stored diagonals
   * @param dy {@code blocks·n × columns}
   * @param lddy rows of the matrix that dY lies in
   * @param columns of dY
   * @param beta factor of the old dX; with 0 it is not read
   * @param dx {@code n×columns}
   */
  void multiplyTransposed(
      Band band, Buffer w, Buffer dy, int lddy, int columns, float beta, Buffer dx);

  /**
   * {@code dW += dY·Xᵀ} on the stored diagonals.
   *
   * @param band the shape of W
   * @param dy {@code blocks·n × columns}
   * @param lddy rows of the matrix that dY lies in
   * @param x {@code n×columns}
   * @param columns of X
   * @param dw the gradient of the stored diagonals, added to
   */
  void addGradient(Band band, Buffer dy, int lddy, Buffer x, int columns, Buffer dw);
}
