package io.recur.grad;

/**
 * Dropout (Srivastava et al. 2014): each value is zeroed with probability {@code rate}, the others
 * are multiplied by {@code 1/(1 − rate)}, and so are their gradients. A tape that does not record
 * leaves all values unchanged. The random numbers come from {@link Tape#seed}.
 *
 * <pre>{@code
 * tape.seed(42);
 * Tensor z = Drop.dropout(x, 0.2f);
 * }</pre>
 */
public final class Drop implements Op {
  private float rate;

  /** Of the random numbers: forward and backward drop the same values. */
  private long seed;

  private Tensor x;
  private Tensor y;

  private Drop() {}

  /**
   * Drops values.
   *
   * @param x input
   * @param rate the probability that a value is dropped, 0 ≤ rate &lt; 1
   * @return of x's shape
   */
  public static Tensor dropout(Tensor x, float rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("dropout: rate=" + rate + "; need 0 ≤ rate < 1");
    }
    try (OpContext context = OpContext.of("dropout", x)) {
      if (!context.tape().isRecording() || rate == 0) {
        return x;
      }
      Drop op = context.reuse(Drop.class, Drop::new);
      op.rate = rate;
      op.seed = context.tape().draws.next();
      op.x = x;
      op.y = context.output(x.shape(), x.isDifferentiable());
      context
          .device()
          .pointwise()
          .drop(rate, op.seed, false, x.value(), op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    int rows = y.shape().rows();
    trace.give(y, new Graph.Node.Drop(rows, trace.number(x), rate, trace.draw(x)));
  }

  @Override
  public void backward() {
    y.device().pointwise().drop(rate, seed, true, y.gradient(), x.accumulator(), x.shape().count());
  }
}
