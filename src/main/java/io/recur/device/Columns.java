package io.recur.device;

import org.jspecify.annotations.Nullable;

/**
 * Kernels on the columns of a column-major matrix {@code m×n}.
 *
 * <p>Every method throws, before anything is written: {@link IllegalArgumentException} if m is not
 * positive, n is negative, a leading dimension is less than m, or a buffer is of another device;
 * {@link IndexOutOfBoundsException} if a buffer is too short for its matrix; {@link
 * IllegalStateException} if the device or the memory of a buffer is closed. If another thread
 * closes that memory while a method runs, the method throws the same, and its output is lost.
 *
 * <pre>{@code
 * Buffer m = device.allocate(6);                          // 2×3
 * Buffer sum = device.allocate(2);
 * device.columns().addSum(2, 3, m, sum);
 * }</pre>
 *
 * <p>Every device refuses an index that names no column. The processor throws before anything has
 * changed. A GPU finds it while it works: the next {@link Buffer#read} of the device throws, once,
 * and names one of the bad indexes of the first such operation. Results that depend on it are lost;
 * the device stays usable.
 */
public interface Columns {
  /**
   * {@code Y[:,j] = X[:,j] + b}. Y may be X.
   *
   * @param m rows
   * @param n columns
   * @param x {@code m×n}
   * @param b {@code m}
   * @param y {@code m×n}
   */
  void add(int m, int n, Buffer x, Buffer b, Buffer y);

  /**
   * {@code y += Σⱼ X[:,j]}.
   *
   * @param m rows
   * @param n columns
   * @param x {@code m×n}
   * @param y {@code m}, added to
   */
  void addSum(int m, int n, Buffer x, Buffer y);

  /**
   * {@code Y[:,j] = b}.
   *
   * @param m rows
   * @param n columns
   * @param b {@code m}
   * @param y {@code m×n}
   */
  void repeat(int m, int n, Buffer b, Buffer y);

  /**
   * Copies or adds a block of rows: {@code Y[i,j] (+)= X[i,j]} for i below m, where both may be
   * parts of taller matrices.
   *
   * @param m rows
   * @param n columns
   * @param x first element of the source
   * @param ldx rows of the matrix that contains the source
   * @param accumulate whether to add
   * @param y first element of the target
   * @param ldy rows of the matrix that contains the target
   */
  void block(int m, int n, Buffer x, int ldx, boolean accumulate, Buffer y, int ldy);

  /**
   * {@code Y[:,j] = W[:,index[j]] + b}: the product of W with one-hot columns.
   *
   * @param m rows of W
   * @param n number of indexes
   * @param w {@code m×k}
   * @param index {@code n} int32 indexes, each 0 ≤ index &lt; k
   * @param b {@code m}, or none
   * @param y {@code m×n}
   * @throws IndexOutOfBoundsException if an index names no column of W; on a GPU, the next read
   *     does
   */
  void gather(int m, int n, Buffer w, Buffer index, @Nullable Buffer b, Buffer y);

  /**
   * {@code W[:,index[j]] += Y[:,j]}, in the order of j.
   *
   * @param m rows of W
   * @param n number of indexes
   * @param y {@code m×n}
   * @param index {@code n} int32 indexes
   * @param w {@code m×k}, added to
   * @throws IndexOutOfBoundsException if an index names no column of W; on a GPU, the next read
   *     does
   */
  void scatterAdd(int m, int n, Buffer y, Buffer index, Buffer w);

  /**
   * {@code Y[:,j] = softmax(X[:,j])} or its logarithm. Y may be X.
   *
   * @param m rows
   * @param n columns
   * @param logarithm whether to give the logarithm
   * @param x {@code m×n}
   * @param y {@code m×n}
   */
  void softmax(int m, int n, boolean logarithm, Buffer x, Buffer y);

  /**
   * Adds the derivative of {@link #softmax}.
   *
   * @param m rows
   * @param n columns
   * @param logarithm whether y is the logarithm
   * @param y the output, {@code m×n}
   * @param dy its gradient
   * @param dx the input's gradient, added to
   */
  void addSoftmaxDerivative(int m, int n, boolean logarithm, Buffer y, Buffer dy, Buffer dx);

  /**
   * Mean cross-entropy of softmax against target classes: {@code loss = −1/n Σⱼ log
   * softmax(X[:,j])[index[j]]}, in nats.
   *
   * @param m classes
   * @param n columns
   * @param x scores, {@code m×n}
   * @param index {@code n} int32 target classes
   * @param p the softmax, {@code m×n}, kept for the derivative
   * @param loss one value
   * @throws IndexOutOfBoundsException if a target is no class; on a GPU, the next read does
   */
  void crossEntropy(int m, int n, Buffer x, Buffer index, Buffer p, Buffer loss);

  /**
   * {@code dX += dloss/n·(P − onehot(index))}.
   *
   * @param m classes
   * @param n columns
   * @param p the softmax, {@code m×n}
   * @param index {@code n} int32 target classes
   * @param dloss gradient of the loss, one value
   * @param dx the scores' gradient, added to
   * @throws IndexOutOfBoundsException if a target is no class; on a GPU, the next read does
   */
  void addCrossEntropyDerivative(int m, int n, Buffer p, Buffer index, Buffer dloss, Buffer dx);
}
