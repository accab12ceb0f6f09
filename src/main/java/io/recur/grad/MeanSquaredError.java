package io.recur.grad;

import java.util.Objects;

/**
 * Mean over all values of the squared difference.
 *
 * <pre>{@code
 * Tensor error = MeanSquaredError.meanSquaredError(x, tape.input(Shape.of(1, 2), 3, 4));
 * }</pre>
 */
public final class MeanSquaredError {
  private MeanSquaredError() {}

  /**
   * {@code mean((y − target)²)}.
   *
   * @param y prediction
   * @param target of y's shape
   * @return a scalar
   * @throws ShapeException if the shapes differ
   */
  public static Tensor meanSquaredError(Tensor y, Tensor target) {
    if (!y.shape().equals(target.shape())) {
      throw new ShapeException(
          "meanSquaredError: y=%s, target=%s; need equal shapes"
              .formatted(y.shape(), target.shape()));
    }
    try (var _ = OpContext.of("meanSquaredError", y, target)) {
      return Functions.square(y.sub(target)).mean();
    }
  }

  /**
   * {@code (y − target)²}, reduced over the valid steps of sequences.
   *
   * @param y prediction of sequences
   * @param target of the same rows and lengths
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence
   * @throws ShapeException if rows or lengths differ
   */
  public static Tensor meanSquaredError(Padded y, Padded target, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    y.checkLike("meanSquaredError", target);
    L1Loss.checkEqual("meanSquaredError", y.valid(), target.valid());
    return reduction.of(y.map(valid -> Functions.square(valid.sub(target.valid()))));
  }
}
