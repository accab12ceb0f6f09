package io.recur.grad;

import io.recur.device.Buffer;
import java.util.Arrays;

/**
 * The losses of {@link CtcLoss}, one per sequence, by the forward and backward recursion of Graves
 * et al. 2006, section 4.1, over logarithms in double; {@code dx += dloss·(softmax(x) −
 * posterior)}, with the posterior probability of each class at each step.
 */
final class Ctc implements Op {
  private static final double NEVER = Double.NEGATIVE_INFINITY;

  private Tensor x;
  private Tensor losses;

  /** The derivatives of each loss by the scores of its sequence, in the order of x. */
  private float[] derivatives = {};

  // Of one sequence.
  private int blank;
  private int steps;

  /** The target with a blank before, between and after its classes. */
  private int[] labels = {};

  /** Log-probabilities of the classes, one row per step. */
  private double[][] logs = {};

  private Ctc() {}

  static Tensor losses(
      OpContext context,
      Tensor x,
      int blank,
      boolean zeroInfinity,
      int[] lengths,
      int[][] targets) {
    Shape shape = x.shape();
    Ctc op = context.reuse(Ctc.class, Ctc::new);
    op.x = x;
    op.blank = blank;
    op.losses = context.output(Shape.of(1, shape.batch()), x.isDifferentiable());
    int count = op.losses.isDifferentiable() ? shape.count() : 0;
    op.derivatives = op.derivatives.length == count ? op.derivatives : new float[count];
    Arrays.fill(op.derivatives, 0);
    float[] scores = x.toArray();
    float[] values = new float[shape.batch()];
    for (int j = 0; j < values.length; j++) {
      double loss = op.sequence(scores, j, lengths[j], targets[j]);
      values[j] = loss == Double.POSITIVE_INFINITY && zeroInfinity ? 0 : (float) loss;
    }
    op.losses.value().write(values);
    op.logs = new double[0][];
    return context.record(op, op.losses);
  }

  /** Returns the loss of sequence j. If x is differentiable, computes its derivatives too. */
  private double sequence(float[] scores, int j, int length, int[] target) {
    steps = length;
    labels = new int[2 * target.length + 1];
    Arrays.fill(labels, blank);
    for (int k = 0; k < target.length; k++) {
      labels[2 * k + 1] = target[k];
    }
    if (length == 0) {
      return target.length == 0 ? 0 : Double.POSITIVE_INFINITY;
    }
    logs = new double[length][];
    for (int t = 0; t < length; t++) {
      logs[t] = logSoftmax(scores, at(t, j), x.shape().rows());
    }
    double[][] alpha = forward();
    int last = labels.length - 1;
    double total = alpha[length - 1][last];
    total = last == 0 ? total : logSum(total, alpha[length - 1][last - 1]);
    if (derivatives.length > 0 && total != NEVER) {
      backward(alpha, total, j);
    }
    return -total;
  }

  private int at(int t, int j) {
    return (t * x.shape().batch() + j) * x.shape().rows();
  }

  /** Returns per step and label the log-probability of all paths to that step that end there. */
  private double[][] forward() {
    double[][] alpha = new double[steps][labels.length];
    Arrays.fill(alpha[0], NEVER);
    for (int s = 0; s < Math.min(2, labels.length); s++) {
      alpha[0][s] = logs[0][labels[s]];
    }
    for (int t = 1; t < steps; t++) {
      double[] before = alpha[t - 1];
      for (int s = 0; s < labels.length; s++) {
        double sum = before[s];
        sum = s > 0 ? logSum(sum, before[s - 1]) : sum;
        sum = skips(s) ? logSum(sum, before[s - 2]) : sum;
        alpha[t][s] = sum + logs[t][labels[s]];
      }
    }
    return alpha;
  }

  /** Whether the blank before a label may be left out. */
  private boolean skips(int s) {
    return s > 1 && labels[s] != blank && labels[s] != labels[s - 2];
  }

  /** Walks back with the probability of the labels after each label, and sets the derivatives. */
  private void backward(double[][] alpha, double total, int j) {
    int count = labels.length;
    double[] beta = new double[count];
    Arrays.fill(beta, NEVER);
    Arrays.fill(beta, Math.max(0, count - 2), count, 0);
    for (int t = steps - 1; t >= 0; t--) {
      double[] posterior = new double[x.shape().rows()];
      for (int s = 0; s < count; s++) {
        posterior[labels[s]] += Math.exp(alpha[t][s] + beta[s] - total);
      }
      for (int c = 0; c < posterior.length; c++) {
        derivatives[at(t, j) + c] = (float) (Math.exp(logs[t][c]) - posterior[c]);
      }
      double[] after = new double[count];
      for (int s = 0; s < count; s++) {
        double sum = beta[s] + logs[t][labels[s]];
        sum = s + 1 < count ? logSum(sum, beta[s + 1] + logs[t][labels[s + 1]]) : sum;
        boolean skipped = s + 2 < count && skips(s + 2);
        after[s] = skipped ? logSum(sum, beta[s + 2] + logs[t][labels[s + 2]]) : sum;
      }
      beta = after;
    }
  }

  private static double[] logSoftmax(float[] x, int from, int m) {
    double top = NEVER;
    for (int i = 0; i < m; i++) {
      top = Math.max(top, x[from + i]);
    }
    double sum = 0;
    for (int i = 0; i < m; i++) {
      sum += Math.exp(x[from + i] - top);
    }
    double[] y = new double[m];
    for (int i = 0; i < m; i++) {
      y[i] = x[from + i] - top - Math.log(sum);
    }
    return y;
  }

  /** {@code log(eᵃ + eᵇ)}. */
  private static double logSum(double a, double b) {
    double top = Math.max(a, b);
    return top == NEVER ? NEVER : top + Math.log1p(Math.exp(Math.min(a, b) - top));
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    float[] d = losses.gradientArray();
    float[] dx = new float[derivatives.length];
    for (int i = 0; i < dx.length; i++) {
      // where the derivative is 0, a gradient of the loss that is infinite or NaN adds nothing
      dx[i] = derivatives[i] == 0 ? 0 : derivatives[i] * d[i / shape.rows() % shape.batch()];
    }
    Buffer part = losses.tape().context.backwardScratch(dx.length);
    part.write(dx);
    x.device().pointwise().addScaled(1, part, x.accumulator(), dx.length);
  }
}
