package io.recur.grad;

import java.util.Arrays;
import java.util.Objects;

/**
 * Connectionist temporal classification (Graves et al. 2006): {@code −log} of the probability that
 * the steps of a sequence spell its target, summed over all alignments. An alignment gives each
 * step a class; runs of one class are read once, then blanks are dropped. In nats.
 *
 * <p>The scores x are classes × batch × time, one class being the blank; {@link Softmax} is applied
 * within. PyTorch's {@code CTCLoss}: its mean divides each loss by the length of its target (at
 * least 1) and then takes the mean over the batch.
 *
 * <p>Where no alignment fits, since the target with a blank between equal neighbours is longer than
 * its sequence, the loss is ∞ and its gradient 0; {@link #zeroInfinity} makes the loss 0. Steps
 * beyond a length take no gradient and may hold NaN.
 *
 * <p>The recursion over time runs on the host, in double, on one thread, on every device: a GPU
 * waits for it and copies the scores and their gradient.
 *
 * <pre>{@code
 * CtcLoss ctc = new CtcLoss();                             // class 0 is the blank
 * Tensor loss = ctc.of(x, new int[][] {{1, 2}, {3}});      // x: 4 × 2 × 9 scores
 * }</pre>
 *
 * <p>An object holds settings alone; each method that changes one returns another object.
 */
public final class CtcLoss {
  private final int blank;
  private final boolean zeroInfinity;
  private final LossReduction reduction;

  /** The mean, with class 0 as the blank. */
  public CtcLoss() {
    this(0, false, LossReduction.MEAN);
  }

  private CtcLoss(int blank, boolean zeroInfinity, LossReduction reduction) {
    this.blank = blank;
    this.zeroInfinity = zeroInfinity;
    this.reduction = Objects.requireNonNull(reduction, "reduction");
  }

  /**
   * Names the blank.
   *
   * @param blank its class
   * @return a loss with it
   */
  public CtcLoss blank(int blank) {
    return new CtcLoss(blank, zeroInfinity, reduction);
  }

  /**
   * Counts a target that does not fit its sequence as a loss of 0.
   *
   * @return a loss that does
   */
  public CtcLoss zeroInfinity() {
    return new CtcLoss(blank, true, reduction);
  }

  /**
   * Reduces the losses of the sequences.
   *
   * @param reduction over the batch
   * @return a loss with it
   */
  public CtcLoss reduction(LossReduction reduction) {
    return new CtcLoss(blank, zeroInfinity, reduction);
  }

  /**
   * The loss of sequences of equal length.
   *
   * @param x scores, classes × batch × time
   * @param targets the classes of each sequence, without blanks; copied
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch
   * @throws ShapeException if there are not as many targets as sequences, or a class is none or the
   *     blank
   */
  public Tensor of(Tensor x, int[][] targets) {
    int[] lengths = new int[x.shape().batch()];
    Arrays.fill(lengths, x.shape().time());
    return of(x, lengths, targets);
  }

  /**
   * The loss of sequences of different lengths.
   *
   * @param x scores, classes × batch × time
   * @param targets the classes of each sequence, without blanks; copied
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch
   * @throws ShapeException if there are not as many targets as sequences, or a class is none or the
   *     blank
   */
  public Tensor of(Padded x, int[][] targets) {
    return of(x.data(), x.lengths(), targets);
  }

  /**
   * The loss of sequences of different lengths.
   *
   * @param x scores, classes × batch × time
   * @param lengths the steps of each sequence, 0 ≤ length ≤ time
   * @param targets the classes of each sequence, without blanks; copied
   * @return a scalar; for {@link LossReduction#NONE} 1 × batch
   * @throws ShapeException if there are not as many lengths or targets as sequences, or a length is
   *     outside, or a class is none or the blank
   * @throws IllegalArgumentException if all lengths are 0
   */
  public Tensor of(Tensor x, int[] lengths, int[][] targets) {
    Shape shape = x.shape();
    check(shape, lengths, targets);
    int batch = shape.batch();
    try (OpContext context = OpContext.of("ctcLoss", x)) {
      Tensor losses = Ctc.losses(context, x, blank, zeroInfinity, lengths, targets);
      if (reduction != LossReduction.MEAN) {
        return reduction.of(losses);
      }
      float[] shares = new float[batch];
      for (int j = 0; j < batch; j++) {
        shares[j] = 1f / Math.max(1, targets[j].length) / batch;
      }
      return losses.mul(context.tape().input(Shape.of(1, batch), shares)).sum();
    }
  }

  private void check(Shape shape, int[] lengths, int[][] targets) {
    int batch = shape.batch();
    if (blank < 0 || blank >= shape.rows()) {
      throw new ShapeException(
          "ctcLoss: scores=%s, blank=%d; need 0 ≤ blank < %d"
              .formatted(shape, blank, shape.rows()));
    }
    if (lengths.length != batch || targets.length != batch) {
      throw new ShapeException(
          "ctcLoss: scores=%s, %d lengths, %d targets; need one per sequence, %d"
              .formatted(shape, lengths.length, targets.length, batch));
    }
    for (int j = 0; j < batch; j++) {
      if (lengths[j] < 0 || lengths[j] > shape.time()) {
        throw new ShapeException(
            "ctcLoss: lengths[%d]=%d; need 0 ≤ length ≤ %d".formatted(j, lengths[j], shape.time()));
      }
      for (int k = 0; k < targets[j].length; k++) {
        int target = targets[j][k];
        if (target < 0 || target >= shape.rows() || target == blank) {
          throw new ShapeException(
              "ctcLoss: targets[%d][%d]=%d; need 0 ≤ class < %d, not the blank %d"
                  .formatted(j, k, target, shape.rows(), blank));
        }
      }
    }
    if (Arrays.stream(lengths).allMatch(length -> length == 0)) {
      throw new IllegalArgumentException(
          "ctcLoss: all %d lengths are 0; a loss needs a step".formatted(batch));
    }
  }

  @Override
  public String toString() {
    return "CtcLoss(%s, blank=%d%s)"
        .formatted(reduction, blank, zeroInfinity ? ", zeroInfinity" : "");
  }
}
