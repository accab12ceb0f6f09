package io.recur.grad;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Cross-entropy of the sigmoid of scores against probabilities, in nats: {@code −p·t·log σ(x) − (1
 * − t)·log(1 − σ(x))}, with p the weight of the positive class, 1 if none is given. PyTorch's
 * {@code binary_cross_entropy_with_logits}.
 *
 * <p>It is computed as {@code p·t∘softplus(−x) + (1 − t)∘softplus(x)}: value and gradient keep
 * their digits for large scores too.
 *
 * <pre>{@code
 * Tensor mean = BinaryCrossEntropy.binaryCrossEntropy(x, tape.input(Shape.of(1, 2), 0, 1));
 * }</pre>
 */
public final class BinaryCrossEntropy {
  private BinaryCrossEntropy() {}

  /**
   * The mean of the losses.
   *
   * @param x scores, of any shape
   * @param target probabilities, of x's shape
   * @return a scalar, in nats
   */
  public static Tensor binaryCrossEntropy(Tensor x, Tensor target) {
    return of(x, target, null, LossReduction.MEAN);
  }

  /**
   * The losses, reduced.
   *
   * @param x scores, of any shape
   * @param target probabilities, of x's shape
   * @param reduction over all values
   * @return a scalar; for {@link LossReduction#NONE} of x's shape; in nats
   */
  public static Tensor binaryCrossEntropy(Tensor x, Tensor target, LossReduction reduction) {
    return of(x, target, null, reduction);
  }

  /**
   * The losses with a weight of the positive class, reduced. The mean is over the number of values.
   *
   * @param x scores, of any shape
   * @param target probabilities, of x's shape
   * @param positive p: one value, or one per row; as many negatives per positive as the data have
   *     balance both
   * @param reduction over all values
   * @return a scalar; for {@link LossReduction#NONE} of x's shape; in nats
   */
  public static Tensor binaryCrossEntropy(
      Tensor x, Tensor target, Tensor positive, LossReduction reduction) {
    Shape weight = positive.shape();
    if (weight.columns() != 1 || (weight.rows() != 1 && weight.rows() != x.shape().rows())) {
      throw new ShapeException(
          "binaryCrossEntropy: x=%s, positive=%s; need one value, or one per row"
              .formatted(x.shape(), weight));
    }
    return of(x, target, positive, reduction);
  }

  /**
   * The losses, reduced over the valid steps of sequences.
   *
   * @param x scores of sequences
   * @param target of the same rows and lengths
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence; in nats
   * @throws ShapeException if rows or lengths differ
   */
  public static Tensor binaryCrossEntropy(Padded x, Padded target, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    x.checkLike("binaryCrossEntropy", target);
    return reduction.of(
        x.map(valid -> binaryCrossEntropy(valid, target.valid(), LossReduction.NONE)));
  }

  /**
   * The losses with a weight of the positive class, reduced over the valid steps of sequences.
   *
   * @param x scores of sequences
   * @param target of the same rows and lengths
   * @param positive p: one value, or one per row
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence; in nats
   * @throws ShapeException if rows or lengths differ
   */
  public static Tensor binaryCrossEntropy(
      Padded x, Padded target, Tensor positive, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    x.checkLike("binaryCrossEntropy", target);
    return reduction.of(
        x.map(valid -> binaryCrossEntropy(valid, target.valid(), positive, LossReduction.NONE)));
  }

  private static Tensor of(
      Tensor x, Tensor target, @Nullable Tensor positive, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    L1Loss.checkEqual("binaryCrossEntropy", x, target);
    Tensor[] inputs =
        positive == null ? new Tensor[] {x, target} : new Tensor[] {x, target, positive};
    try (OpContext context = OpContext.of("binaryCrossEntropy", inputs)) {
      Tensor t = target.tape() == null ? context.tape().use(target) : target;
      Tensor scores = x.tape() == null ? context.tape().use(x) : x;
      Tensor positives = t.mul(Functions.softplus(Functions.negate(scores)));
      Tensor negatives = t.rsub(1).mul(Functions.softplus(scores));
      return reduction.of((positive == null ? positives : positives.mul(positive)).add(negatives));
    }
  }
}
