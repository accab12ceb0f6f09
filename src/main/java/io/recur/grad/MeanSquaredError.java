package io.recur.grad;

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
}
