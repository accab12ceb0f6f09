package io.recur.grad;

import io.recur.device.Dimension;
import java.util.Arrays;
import java.util.Objects;

/**
 * Negative log-likelihood of a target under a mixture of K Gaussians (Bishop 1994, mixture density
 * networks), for forecasts with intervals. Of one column with D features, in nats:
 *
 * <pre>
 * loss = −log Σₖ softmax(x)[k]·Π_d N(target[d]; mean[k·D + d], e^s[k·D + d])
 * </pre>
 *
 * <p>with N the normal density of a mean and a standard deviation. The sum is one of exponentials
 * below their largest, so that no density underflows. A deviation is given as its logarithm s,
 * which a network's output is as it stands; {@code s.clamp(-7, 7)} keeps it from collapsing onto
 * one target.
 *
 * <pre>{@code
 * Tensor y = dense(16, 3 * 4).on(device, 1).apply(h);   // K = 4 components of one feature
 * Tensor loss = MixtureLoss.gaussianMixtureLoss(y.rows(0, 4), y.rows(4, 8), y.rows(8, 12), x);
 * }</pre>
 */
public final class MixtureLoss {
  private static final float HALF_LOG_2PI = (float) (0.5 * Math.log(2 * Math.PI));

  private MixtureLoss() {}

  /**
   * The mean of the losses of all columns.
   *
   * @param scores of the components: K × B or K × B × T; zeros for one component
   * @param means K·D × B or K·D × B × T, the D features of one component after each other
   * @param logDeviations s, of the shape of means
   * @param target D × B or D × B × T
   * @return a scalar, in nats
   * @throws ShapeException if the shapes do not fit each other
   */
  public static Tensor gaussianMixtureLoss(
      Tensor scores, Tensor means, Tensor logDeviations, Tensor target) {
    return gaussianMixtureLoss(scores, means, logDeviations, target, LossReduction.MEAN);
  }

  /**
   * The losses of all columns, reduced.
   *
   * @param scores of the components: K × B or K × B × T; zeros for one component
   * @param means K·D × B or K·D × B × T, the D features of one component after each other
   * @param logDeviations s, of the shape of means
   * @param target D × B or D × B × T
   * @param reduction over the columns
   * @return a scalar; for {@link LossReduction#NONE} 1 × B × T; in nats
   * @throws ShapeException if the shapes do not fit each other
   */
  public static Tensor gaussianMixtureLoss(
      Tensor scores, Tensor means, Tensor logDeviations, Tensor target, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    check(scores.shape(), means.shape(), logDeviations.shape(), target.shape());
    try (OpContext context =
        OpContext.of("gaussianMixtureLoss", scores, means, logDeviations, target)) {
      Tape tape = context.tape();
      Tensor s = lifted(tape, logDeviations);
      Tensor[] copies = new Tensor[scores.shape().rows()];
      Arrays.fill(copies, lifted(tape, target));
      Tensor z = Concat.rows(copies).sub(means).mul(Functions.exp(Functions.negate(s)));
      Tensor terms = Functions.square(z).scale(-0.5f).sub(s).sub(HALF_LOG_2PI);
      Tensor joint = perComponent(terms, target.shape(), scores.shape());
      joint = joint.add(Softmax.logSoftmax(lifted(tape, scores)));
      return reduction.of(Functions.negate(logSumExp(joint)));
    }
  }

  /**
   * The losses of the valid steps of sequences, reduced. All four have the same lengths.
   *
   * @param scores of the components: K rows
   * @param means K·D rows, the D features of one component after each other
   * @param logDeviations s, K·D rows
   * @param target D rows
   * @param reduction over the valid steps
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence; in nats
   * @throws ShapeException if shapes or lengths do not fit each other
   */
  public static Tensor gaussianMixtureLoss(
      Padded scores, Padded means, Padded logDeviations, Padded target, LossReduction reduction) {
    Objects.requireNonNull(reduction, "reduction");
    for (Padded other : new Padded[] {means, logDeviations, target}) {
      scores.checkLike("gaussianMixtureLoss", other);
    }
    return reduction.of(
        scores.map(
            valid ->
                gaussianMixtureLoss(
                    valid,
                    means.valid(),
                    logDeviations.valid(),
                    target.valid(),
                    LossReduction.NONE)));
  }

  /** The sums over the D rows of each component, K × B × T. */
  private static Tensor perComponent(Tensor terms, Shape target, Shape scores) {
    int d = target.rows();
    if (d == 1) {
      return terms;
    }
    Tensor columns = terms.reshape(Shape.of(d, terms.shape().count() / d));
    return columns.sum(Dimension.ROWS).reshape(scores);
  }

  /** {@code log Σ eˣ} of each column. */
  private static Tensor logSumExp(Tensor x) {
    Tensor top = x.max(Dimension.ROWS);
    return top.add(Functions.log(Functions.exp(x.sub(top)).sum(Dimension.ROWS)));
  }

  private static Tensor lifted(Tape tape, Tensor x) {
    return x.tape() == null ? tape.use(x) : x;
  }

  private static void check(Shape scores, Shape means, Shape deviations, Shape target) {
    if (!means.equals(deviations)
        || (long) scores.rows() * target.rows() != means.rows()
        || !scores.equals(target.withRows(scores.rows()))
        || !means.equals(target.withRows(means.rows()))) {
      throw new ShapeException(
          """
          gaussianMixtureLoss: scores=%s, means=%s, logDeviations=%s, target=%s; need scores of K \
          rows, target of D, means and logDeviations of K·D, and equal batch and time"""
              .formatted(scores, means, deviations, target));
    }
  }
}
