package io.recur.grad;

import java.util.Arrays;
import java.util.Objects;

/**
 * Cross-entropy of scores against target classes with PyTorch's settings: weights of the classes,
 * an ignored target, label smoothing, a reduction. Of column j with the target t, in nats:
 *
 * <pre>
 * lossⱼ = −(1 − ε)·w[t]·log softmax(x[:,j])[t] − ε/C·Σᵢ w[i]·log softmax(x[:,j])[i]
 * </pre>
 *
 * <p>with C classes and the smoothing ε. The mean is {@code Σ lossⱼ / Σ w[tⱼ]} over the columns
 * that are not ignored. An ignored column is left out before anything is computed: it costs
 * nothing, takes no gradient, and may hold NaN.
 *
 * <pre>{@code
 * CrossEntropyLoss tags = new CrossEntropyLoss().weights(1, 2, 0.5f).smoothing(0.1f);
 * Tensor mean = tags.of(x, 0, 2, CrossEntropyLoss.IGNORED);   // x: 3 × 3 scores
 * }</pre>
 *
 * <p>An object holds settings alone; each method that changes one returns another object. {@link
 * CrossEntropy} is the plain mean, whose targets stay on the device.
 */
public final class CrossEntropyLoss {
  /** The target that is ignored unless {@link #ignoring} names another one. */
  public static final int IGNORED = -100;

  /** One per class; empty for none. */
  private final float[] weights;

  private final int ignored;
  private final float smoothing;
  private final LossReduction reduction;

  /** The mean without weights and smoothing, which ignores {@value #IGNORED}. */
  public CrossEntropyLoss() {
    this(new float[0], IGNORED, 0, LossReduction.MEAN);
  }

  private CrossEntropyLoss(float[] weights, int ignored, float smoothing, LossReduction reduction) {
    this.weights = weights;
    this.ignored = ignored;
    this.smoothing = smoothing;
    this.reduction = Objects.requireNonNull(reduction, "reduction");
  }

  /**
   * Weights the classes, such as rare ones more.
   *
   * @param weights one per class, each 0 or more; none for equal weights
   * @return a loss with these
   * @throws IllegalArgumentException if one is negative, infinite or NaN
   */
  public CrossEntropyLoss weights(float... weights) {
    for (int i = 0; i < weights.length; i++) {
      if (!(weights[i] >= 0 && weights[i] < Float.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "crossEntropy: weights[%d]=%s; need 0 ≤ weight < ∞".formatted(i, weights[i]));
      }
    }
    return new CrossEntropyLoss(weights.clone(), ignored, smoothing, reduction);
  }

  /**
   * Leaves out the columns with this target.
   *
   * @param target any number, also one that is no class
   * @return a loss that ignores it
   */
  public CrossEntropyLoss ignoring(int target) {
    return new CrossEntropyLoss(weights, target, smoothing, reduction);
  }

  /**
   * Spreads a part of the target over all classes evenly (Szegedy et al. 2016).
   *
   * @param smoothing ε, 0 ≤ ε ≤ 1
   * @return a loss with it
   * @throws IllegalArgumentException if ε is outside
   */
  public CrossEntropyLoss smoothing(float smoothing) {
    if (!(smoothing >= 0 && smoothing <= 1)) {
      throw new IllegalArgumentException(
          "crossEntropy: smoothing=" + smoothing + "; need 0 ≤ smoothing ≤ 1");
    }
    return new CrossEntropyLoss(weights, ignored, smoothing, reduction);
  }

  /**
   * Reduces the losses of the columns.
   *
   * @param reduction over the columns that are not ignored
   * @return a loss with it
   */
  public CrossEntropyLoss reduction(LossReduction reduction) {
    return new CrossEntropyLoss(weights, ignored, smoothing, reduction);
  }

  /**
   * The loss against classes on the device, whose indexes are read back: on a GPU this waits for
   * what came before.
   *
   * @param x scores, classes × batch or classes × batch × time
   * @param target of x's shape
   * @return as {@link #of(Tensor, int...)}
   * @throws ShapeException if the shapes differ
   */
  public Tensor of(Tensor x, OneHot target) {
    L1Loss.checkEqual("crossEntropy", x, target);
    return of(x, target.indexes());
  }

  /**
   * The loss against classes.
   *
   * @param x scores, classes × batch or classes × batch × time
   * @param classes one target per column, those of the first time step first; each a class, or the
   *     ignored one; copied
   * @return a scalar; for {@link LossReduction#NONE} one loss per column, 1 × batch × time, 0 where
   *     it is ignored; in nats
   * @throws ShapeException if there are not as many targets as columns, or one is no class, or the
   *     weights are not as many as the classes
   * @throws IllegalArgumentException if all columns are ignored, or a mean is over weights of 0
   */
  public Tensor of(Tensor x, int... classes) {
    Shape shape = x.shape();
    int[] kept = kept(shape, classes);
    int n = kept.length;
    float[] factors = new float[n];
    double total = 0;
    for (int k = 0; k < n; k++) {
      factors[k] = weights.length == 0 ? 1 : weights[classes[kept[k]]];
      total += factors[k];
    }
    if (reduction == LossReduction.MEAN && total == 0) {
      throw new IllegalArgumentException(
          "crossEntropy: the weights of the %d targets sum to 0; a mean over them is none"
              .formatted(n));
    }
    try (OpContext context = OpContext.of("crossEntropy", x)) {
      Tape tape = context.tape();
      Tensor scores = x.reshape(Shape.of(shape.rows(), shape.columns()));
      if (n < shape.columns()) {
        scores = scores.take(kept);
      }
      if (weights.length == 0 && smoothing == 0 && reduction != LossReduction.NONE) {
        int[] targets = Arrays.stream(kept).map(j -> classes[j]).toArray();
        Tensor mean = CrossEntropy.crossEntropy(scores, tape.oneHot(scores.shape(), targets));
        return reduction == LossReduction.MEAN ? mean : mean.scale(n);
      }
      Tensor losses = losses(tape, Softmax.logSoftmax(scores), kept, classes, factors);
      return switch (reduction) {
        case MEAN -> losses.sum().scale((float) (1 / total));
        case SUM -> losses.sum();
        case NONE -> spread(losses, kept, shape).reshape(shape.withRows(1));
      };
    }
  }

  /**
   * The loss of the valid steps of sequences against classes on the device, whose indexes are read
   * back: on a GPU this waits for what came before.
   *
   * @param x scores
   * @param target one-hot columns of the same rows and lengths
   * @return as {@link #of(Padded, int...)}
   * @throws ShapeException if rows or lengths differ, or the target is not one-hot
   */
  public Tensor of(Padded x, Padded target) {
    x.checkLike("crossEntropy", target);
    if (!(target.valid() instanceof OneHot hot)) {
      throw new ShapeException(
          "crossEntropy: target=%s; need one-hot columns, such as of tape.oneHot"
              .formatted(target));
    }
    L1Loss.checkEqual("crossEntropy", x.valid(), hot);
    return ofValid(x, hot.indexes());
  }

  /**
   * The loss of the valid steps of sequences against classes.
   *
   * @param x scores
   * @param classes one target per column of {@link Padded#data}, those of the first time step
   *     first; each a class, or the ignored one; those behind the ends are not read
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch, the sum of each sequence; in nats
   * @throws ShapeException if there are not as many targets as columns, or one is no class, or the
   *     weights are not as many as the classes
   * @throws IllegalArgumentException if all valid steps are ignored, or a mean is over weights of 0
   */
  public Tensor of(Padded x, int... classes) {
    return ofValid(x, x.validOf("crossEntropy", classes));
  }

  private Tensor ofValid(Padded x, int... classes) {
    return reduction == LossReduction.NONE
        ? reduction.of(x.map(valid -> of(valid, classes)))
        : of(x.valid(), classes);
  }

  /** The columns that are not ignored. Refuses targets that are no classes. */
  private int[] kept(Shape shape, int[] classes) {
    if (classes.length != shape.columns()) {
      throw new ShapeException(
          "crossEntropy: scores=%s, %d targets; need one per column, %d"
              .formatted(shape, classes.length, shape.columns()));
    }
    if (weights.length != 0 && weights.length != shape.rows()) {
      throw new ShapeException(
          "crossEntropy: scores=%s, %d weights; need one per class, %d"
              .formatted(shape, weights.length, shape.rows()));
    }
    int[] kept = new int[classes.length];
    int n = 0;
    for (int j = 0; j < classes.length; j++) {
      if (classes[j] != ignored) {
        if (classes[j] < 0 || classes[j] >= shape.rows()) {
          throw new ShapeException(
              "crossEntropy: classes[%d]=%d; need 0 ≤ class < %d, or %d where it is ignored"
                  .formatted(j, classes[j], shape.rows(), ignored));
        }
        kept[n++] = j;
      }
    }
    if (n == 0) {
      throw new IllegalArgumentException(
          "crossEntropy: all %d targets are %d, which is ignored; a loss needs one that is not"
              .formatted(classes.length, ignored));
    }
    return Arrays.copyOf(kept, n);
  }

  /** One loss per column of the logarithms, 1 × n. */
  private Tensor losses(Tape tape, Tensor logs, int[] kept, int[] classes, float[] factors) {
    int m = logs.shape().rows();
    int n = kept.length;
    int[] places = new int[n];
    float[] scales = new float[n];
    for (int k = 0; k < n; k++) {
      places[k] = k * m + classes[kept[k]];
      scales[k] = (smoothing - 1) * factors[k];
    }
    Tensor own = logs.reshape(Shape.of(1, m * n)).take(places);
    Tensor losses = own.mul(tape.input(Shape.of(1, n), scales));
    if (smoothing == 0) {
      return losses;
    }
    float[] all = weights.clone();
    if (all.length == 0) {
      all = new float[m];
      Arrays.fill(all, 1);
    }
    Tensor even = tape.input(Shape.of(1, m), all).matmul(logs);
    return losses.sub(even.scale(smoothing / m));
  }

  /** The losses at the columns that they are of, with 0 between them. */
  private static Tensor spread(Tensor losses, int[] kept, Shape shape) {
    if (kept.length == shape.columns()) {
      return losses;
    }
    int[] from = new int[shape.columns()];
    Arrays.fill(from, Rearrange.NONE);
    for (int k = 0; k < kept.length; k++) {
      from[kept[k]] = k;
    }
    return Rearrange.columns("crossEntropy", losses, 1, from, 0, Shape.of(1, from.length));
  }

  @Override
  public String toString() {
    return "CrossEntropyLoss(%s, ignoring %d, smoothing=%s%s)"
        .formatted(
            reduction,
            ignored,
            smoothing,
            weights.length == 0 ? "" : ", weights=" + Arrays.toString(weights));
  }
}
