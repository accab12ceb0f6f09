package io.recur.grad;

import io.recur.device.Dimension;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;

/**
 * The operations on a tensor, each in a file of its own; {@link Functions} has the elementwise
 * functions.
 *
 * <p>Two operands need equal shapes, or one of them is repeated: one column over the other's
 * columns, one row (1×B or 1×B×T) over its rows, one value over all of it. The gradient of a
 * repeated operand is the sum over what was repeated.
 *
 * <pre>{@code
 * Tensor z = Functions.sigmoid(Wxh.matmul(x).add(b));   // b: one column
 * Tensor next = z.rsub(1).mul(y).add(z.mul(h));         // (1 − z)∘y + z∘h
 * Tensor length = Functions.sqrt(Functions.square(x).sum(Dimension.ROWS));
 * Tensor unit = x.div(length);                          // a row, repeated
 * }</pre>
 *
 * <p>Every operation throws {@link ShapeException} if the shapes do not fit, and {@link
 * IllegalStateException} if no operand is on a tape, if one was made before its tape was cleared,
 * or if two are on different tapes or devices.
 */
public abstract sealed class TensorOperations permits Tensor {
  TensorOperations() {}

  private Tensor self() {
    return (Tensor) this;
  }

  /**
   * Matrix product, see {@link MatMul}.
   *
   * @param x right factor
   * @return this·x
   */
  public final Tensor matmul(Tensor x) {
    return MatMul.matmul(self(), x);
  }

  /**
   * Sum.
   *
   * @param b of the same shape, or with one row or one column that is repeated, for instance a bias
   * @return this + b
   */
  public final Tensor add(Tensor b) {
    return Pairwise.of(Binary.ADD, self(), b);
  }

  /**
   * Difference.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return this − b
   */
  public final Tensor sub(Tensor b) {
    return Pairwise.of(Binary.SUBTRACT, self(), b);
  }

  /**
   * Elementwise product.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return this∘b
   */
  public final Tensor mul(Tensor b) {
    return Pairwise.of(Binary.MULTIPLY, self(), b);
  }

  /**
   * Elementwise quotient.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return this/b
   */
  public final Tensor div(Tensor b) {
    return Pairwise.of(Binary.DIVIDE, self(), b);
  }

  /**
   * The smaller value at each place, NaN where one is NaN. Equal values share the gradient.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return min(self(), b)
   */
  public final Tensor minimum(Tensor b) {
    return Pairwise.of(Binary.MINIMUM, self(), b);
  }

  /**
   * The larger value at each place, NaN where one is NaN. Equal values share the gradient.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return max(self(), b)
   */
  public final Tensor maximum(Tensor b) {
    return Pairwise.of(Binary.MAXIMUM, self(), b);
  }

  /**
   * A mask; no gradient passes it.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return 1 where this &gt; b, else 0
   */
  public final Tensor greater(Tensor b) {
    return Pairwise.of(Binary.GREATER, self(), b);
  }

  /**
   * A mask; no gradient passes it.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return 1 where this ≥ b, else 0
   */
  public final Tensor greaterEqual(Tensor b) {
    return Pairwise.of(Binary.GREATER_EQUAL, self(), b);
  }

  /**
   * A mask; no gradient passes it.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return 1 where this &lt; b, else 0
   */
  public final Tensor less(Tensor b) {
    return Pairwise.of(Binary.LESS, self(), b);
  }

  /**
   * A mask; no gradient passes it.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return 1 where this ≤ b, else 0
   */
  public final Tensor lessEqual(Tensor b) {
    return Pairwise.of(Binary.LESS_EQUAL, self(), b);
  }

  /**
   * A mask; no gradient passes it.
   *
   * @param b of the same shape, or with one row or one column that is repeated
   * @return 1 where this = b, else 0
   */
  public final Tensor equal(Tensor b) {
    return Pairwise.of(Binary.EQUAL, self(), b);
  }

  /**
   * Product with a number.
   *
   * @param number the number
   * @return number·this
   */
  public final Tensor scale(float number) {
    return Affine.of("scale", self(), number, -0f);
  }

  /**
   * Sum with a number.
   *
   * @param number the number
   * @return this + number
   */
  public final Tensor add(float number) {
    return Affine.of("add", self(), 1, number);
  }

  /**
   * Difference from a number.
   *
   * @param number the number
   * @return this − number
   */
  public final Tensor sub(float number) {
    return Affine.of("sub", self(), 1, -number);
  }

  /**
   * A number less this, as PyTorch names it: {@code z.rsub(1)} is {@code 1 − z}.
   *
   * @param number the number
   * @return number − this
   */
  public final Tensor rsub(float number) {
    return Affine.of("rsub", self(), -1, number);
  }

  /**
   * Values within two bounds; NaN stays NaN. The gradient passes between them and at each.
   *
   * @param low least value; −∞ for none
   * @param high largest value; ∞ for none
   * @return min(max(self(), low), high)
   * @throws IllegalArgumentException if low is above high, or one is NaN
   */
  public final Tensor clamp(float low, float high) {
    return Clamp.clamp(self(), low, high);
  }

  /**
   * Rows {@code from} to {@code to − 1}, see {@link Slice}.
   *
   * @param from first row
   * @param to one after the last
   * @return a copy of these rows
   */
  public final Tensor rows(int from, int to) {
    return Slice.rows(self(), from, to);
  }

  /**
   * Sums over a dimension: in×B×T gives 1×B×T over rows, in×1×T over columns, in×B over time. This
   * and the three that follow sum in double, in an order that depends on the dimension's length
   * alone.
   *
   * @param over the dimension
   * @return Σ this
   */
  public final Tensor sum(Dimension over) {
    return Reduce.reduce(Reduction.SUM, self(), over);
  }

  /**
   * Means over a dimension, see {@link #sum(Dimension)}.
   *
   * @param over the dimension
   * @return Σ this / n
   */
  public final Tensor mean(Dimension over) {
    return Reduce.reduce(Reduction.MEAN, self(), over);
  }

  /**
   * Largest values over a dimension; NaN where one is NaN. Ties share the gradient evenly.
   *
   * @param over the dimension
   * @return the maxima, of the shape of {@link #sum(Dimension)}
   */
  public final Tensor max(Dimension over) {
    return Reduce.reduce(Reduction.MAX, self(), over);
  }

  /**
   * Population variances over a dimension (PyTorch's {@code correction=0}). A large mean costs no
   * digits.
   *
   * @param over the dimension
   * @return Σ (this − mean)² / n, of the shape of {@link #sum(Dimension)}
   */
  public final Tensor variance(Dimension over) {
    return Reduce.reduce(Reduction.VARIANCE, self(), over);
  }

  /**
   * The steps in reverse: {@code y[:,j,t] = this[:,j,T−1−t]}. A vector or a batch is one step.
   *
   * @return of this shape
   */
  public final Tensor reversed() {
    return OverTime.reversed(self());
  }

  /**
   * The last step of each sequence that has a length of its own; {@link Padded} has more over such
   * steps.
   *
   * @param lengths the valid steps of each sequence, 0 ≤ length ≤ time
   * @return features × batch; zeros of an empty sequence
   */
  public final Tensor last(int... lengths) {
    return Padded.of(self(), lengths).last();
  }

  /** {@return the sum of all values, a scalar} */
  public final Tensor sum() {
    return Sum.sum(self());
  }

  /** {@return the mean of all values, a scalar} */
  public final Tensor mean() {
    return Sum.mean(self());
  }
}
