package io.recur.grad;

import java.util.Objects;

/**
 * Absolute difference, {@code |y − target|}; its gradient where both are equal is 0.
 *
 * <pre>{@code
 * Tensor mean = L1Loss.l1Loss(y, tape.input(Shape.of(1, 2), 3, 4));
 * }</pre>
 */
public final class L1Loss {
  private L1Loss() {}

  /**
   * {@code mean(|y − target|)}.
   *
   * @param y prediction
   * @param target of y's shape
   * @return a scalar
   */
  public static Tensor l1Loss(Tensor y, Tensor target) {
    return l1Loss(y, target, LossReduction.MEAN);
  }

  /**
   * {@code |y − target|}, reduced.
   *
   * @param y prediction
   * @param target of y's shape
   * @param reduction over all values
   * @return a scalar; for {@link LossReduction#NONE} of y's shape
   */
  public static Tensor l1Loss(Tensor y, Tensor target, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    checkEqual("l1Loss", y, target);
    try (var _ = OpContext.of("l1Loss", y, target)) {
      return reduction.of(Functions.abs(y.sub(target)));
    }
  }

  /**
   * {@code |y − target|}, reduced over the valid steps of sequences.
   *
   * @param y prediction of sequences
   * @param target of the same rows and lengths
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence
   * @throws ShapeException if rows or lengths differ
   */
  public static Tensor l1Loss(Padded y, Padded target, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    y.checkLike("l1Loss", target);
    return reduction.of(y.map(valid -> l1Loss(valid, target.valid(), LossReduction.NONE)));
  }

  /** Refuses a target that would be repeated, or would repeat the prediction. */
  static void checkEqual(String where, Tensor y, Tensor target) {
    if (!y.shape().equals(target.shape())) {
      throw new ShapeException(
          "%s: y=%s, target=%s; need equal shapes".formatted(where, y.shape(), target.shape()));
    }
  }
}
