package io.recur.grad;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph.Node;
import java.util.Arrays;

/**
 * Softmax of every column, or its logarithm: {@code y = eˣ/Σeˣ}; {@code dx += y∘(dy − Σ dy∘y)}, and
 * {@code dx += dy − eʸ·Σ dy} for the logarithm. Stable for large values.
 *
 * <pre>{@code
 * Tensor p = Softmax.softmax(x);
 * }</pre>
 *
 * <p>x holds scores, classes × batch or classes × batch × time; y is of x's shape.
 */
public final class Softmax implements Op {
  private boolean logarithm;
  private Tensor x;
  private Tensor y;

  private Softmax() {}

  /**
   * Softmax of every column.
   *
   * @param x scores
   * @return columns of sum 1
   */
  public static Tensor softmax(Tensor x) {
    return apply("softmax", x, false);
  }

  /**
   * Logarithm of the softmax of every column.
   *
   * @param x scores
   * @return log-probabilities
   */
  public static Tensor logSoftmax(Tensor x) {
    return apply("logSoftmax", x, true);
  }

  /**
   * Softmax over the steps, of every row of every sequence.
   *
   * @param x scores, rows × batch × time
   * @return of x's shape; the sum over time is 1
   */
  public static Tensor overTime(Tensor x) {
    int[] whole = new int[x.shape().batch()];
    Arrays.fill(whole, x.shape().time());
    return OverTime.softmax(x, whole);
  }

  /**
   * Softmax over the steps of each sequence's length, of every row. What stands behind the end is
   * not read and may be NaN.
   *
   * @param x scores, rows × batch × time
   * @param lengths the valid steps of each sequence, 0 ≤ length ≤ time
   * @return of x's shape; the sum over the valid steps is 1, and zeros stand behind the end
   * @throws ShapeException if x is of another rank, or the lengths do not fit as in {@link
   *     Padded#of}
   */
  public static Tensor overTime(Tensor x, int... lengths) {
    return OverTime.softmax(x, Packing.of(x.shape(), lengths).lengths);
  }

  private static Tensor apply(String where, Tensor x, boolean logarithm) {
    try (OpContext context = OpContext.of(where, x)) {
      Shape shape = x.shape();
      Softmax op = context.reuse(Softmax.class, Softmax::new);
      op.logarithm = logarithm;
      op.x = x;
      op.y = context.output(shape, x.isDifferentiable());
      context
          .device()
          .columns()
          .softmax(shape.rows(), shape.columns(), logarithm, x.value(), op.y.value());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    int rows = y.shape().rows();
    int a = trace.number(x);
    int largest = trace.node(new Node.Reduce(Reduction.MAX, a));
    int below = trace.node(new Node.Combine(Binary.SUBTRACT, rows, a, largest));
    int powers = trace.node(new Node.Map(Elementwise.EXP, rows, below));
    int sum = trace.node(new Node.Reduce(Reduction.SUM, powers));
    if (logarithm) {
      int log = trace.node(new Node.Map(Elementwise.LOG, 1, sum));
      trace.give(y, new Node.Combine(Binary.SUBTRACT, rows, below, log));
    } else {
      trace.give(y, new Node.Combine(Binary.DIVIDE, rows, powers, sum));
    }
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    y.device()
        .columns()
        .addSoftmaxDerivative(
            shape.rows(), shape.columns(), logarithm, y.value(), y.gradient(), x.accumulator());
  }
}
