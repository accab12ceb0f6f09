package io.recur.grad;

import java.util.Objects;

/**
 * The square of a small difference and the amount of a large one (Huber 1964): {@code d²/2} where
 * {@code |d| ≤ δ}, {@code δ·(|d| − δ/2)} elsewhere, with {@code d = y − target}.
 *
 * <pre>{@code
 * Tensor mean = HuberLoss.huberLoss(y, tape.input(Shape.of(1, 2), 3, 4), 1);
 * }</pre>
 */
public final class HuberLoss {
  private HuberLoss() {}

  /**
   * The mean of the losses.
   *
   * @param y prediction
   * @param target of y's shape
   * @param delta δ, above 0
   * @return a scalar
   * @throws IllegalArgumentException if δ is not above 0 and finite
   */
  public static Tensor huberLoss(Tensor y, Tensor target, float delta) {
    return huberLoss(y, target, delta, LossReduction.MEAN);
  }

  /**
   * The losses, reduced.
   *
   * @param y prediction
   * @param target of y's shape
   * @param delta δ, above 0
   * @param reduction over all values
   * @return a scalar; for {@link LossReduction#NONE} of y's shape
   * @throws IllegalArgumentException if δ is not above 0 and finite
   */
  public static Tensor huberLoss(Tensor y, Tensor target, float delta, LossReduction reduction) {
    check("huberLoss", "delta", delta);
    return of("huberLoss", y, target, delta, 1, reduction);
  }

  /**
   * {@link #huberLoss} divided by its δ, here β: {@code d²/2β} where {@code |d| ≤ β}, {@code |d| −
   * β/2} elsewhere. For β = 0 use {@link L1Loss}.
   *
   * @param y prediction
   * @param target of y's shape
   * @param beta β, above 0
   * @param reduction over all values
   * @return a scalar; for {@link LossReduction#NONE} of y's shape
   * @throws IllegalArgumentException if β is not above 0 and finite
   */
  public static Tensor smoothL1Loss(Tensor y, Tensor target, float beta, LossReduction reduction) {
    check("smoothL1Loss", "beta", beta);
    return of("smoothL1Loss", y, target, beta, beta, reduction);
  }

  /**
   * The losses, reduced over the valid steps of sequences.
   *
   * @param y prediction of sequences
   * @param target of the same rows and lengths
   * @param delta δ, above 0
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence
   * @throws ShapeException if rows or lengths differ
   * @throws IllegalArgumentException if δ is not above 0 and finite
   */
  public static Tensor huberLoss(Padded y, Padded target, float delta, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    y.checkLike("huberLoss", target);
    return reduction.of(
        y.map(valid -> huberLoss(valid, target.valid(), delta, LossReduction.NONE)));
  }

  /**
   * {@link #smoothL1Loss(Tensor, Tensor, float, LossReduction)} over the valid steps of sequences.
   *
   * @param y prediction of sequences
   * @param target of the same rows and lengths
   * @param beta β, above 0
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence
   * @throws ShapeException if rows or lengths differ
   * @throws IllegalArgumentException if β is not above 0 and finite
   */
  public static Tensor smoothL1Loss(Padded y, Padded target, float beta, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    y.checkLike("smoothL1Loss", target);
    return reduction.of(
        y.map(valid -> smoothL1Loss(valid, target.valid(), beta, LossReduction.NONE)));
  }

  private static void check(String where, String name, float bound) {
    if (!(bound > 0 && bound < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "%s: %s=%s; need 0 < %s < ∞".formatted(where, name, bound, name));
    }
  }

  /** {@code c·(d − c/2)/divisor}, with c the difference within −δ and δ. */
  private static Tensor of(
      String where, Tensor y, Tensor target, float delta, float divisor, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    L1Loss.checkEqual(where, y, target);
    try (var _ = OpContext.of(where, y, target)) {
      Tensor d = y.sub(target);
      Tensor c = d.clamp(-delta, delta);
      Tensor losses = c.mul(d.sub(c.scale(0.5f)));
      return reduction.of(divisor == 1 ? losses : losses.scale(1 / divisor));
    }
  }
}
