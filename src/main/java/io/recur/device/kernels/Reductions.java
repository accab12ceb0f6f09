package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Dimension;

/**
 * Reductions of X, {@code m×n×t}, over a dimension d: over rows to {@code n×t} values, over columns
 * to {@code m×t}, over time to {@code m×n}. Sums are formed in double. The bits of a result depend
 * on the device, the dimension, and the values that it is made of, in their order: neither on the
 * number of threads nor on the other two sizes.
 *
 * <pre>{@code
 * Reductions reductions = kernels.reductions();
 * reductions.reduce(Reduction.MEAN, Dimension.ROWS, 3, 2, 1, device.allocate(6), device.allocate(2));
 * }</pre>
 */
public interface Reductions {
  /**
   * {@return the number of results}
   *
   * @param d over which dimension
   * @param m rows
   * @param n columns of a time step
   * @param t time steps
   */
  static long results(Dimension d, int m, int n, int t) {
    return (long) d.stride(m, n, t) * d.count(m, n, t);
  }

  /**
   * {@code y = } the reduction of X.
   *
   * @param r which
   * @param d over which dimension
   * @param m rows
   * @param n columns of a time step
   * @param t time steps
   * @param x {@code m×n×t}
   * @param y one value per reduced run
   */
  void reduce(Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y);

  /**
   * {@code y += } the sum of X. Memory that outlives a tape keeps what y rounds away, see {@link
   * KernelDevice#keepsCarry}.
   *
   * @param d over which dimension
   * @param m rows
   * @param n columns of a time step
   * @param t time steps
   * @param x {@code m×n×t}
   * @param y one value per reduced run, added to
   */
  void addSum(Dimension d, int m, int n, int t, Buffer x, Buffer y);

  /**
   * Adds the derivative of {@link #reduce}. Of a sum and a mean neither x nor y is read.
   *
   * @param r which
   * @param d over which dimension
   * @param m rows
   * @param n columns of a time step
   * @param t time steps
   * @param x {@code m×n×t}
   * @param y its reduction
   * @param dy the gradient of y
   * @param dx the gradient of X, added to
   */
  void addDerivative(
      Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y, Buffer dy, Buffer dx);
}
