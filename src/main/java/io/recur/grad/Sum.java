package io.recur.grad;

/** Sum of all values times a factor: {@code y = factor·Σ x}; {@code dx += factor·dy}. */
final class Sum implements Op {
  /** 1, or 1/count for the mean. */
  private float factor;

  private Tensor x;
  private Tensor y;

  static Tensor sum(Tensor x) {
    return scaled("sum", x, 1);
  }

  static Tensor mean(Tensor x) {
    return scaled("mean", x, 1f / x.shape().count());
  }

  private static Tensor scaled(String where, Tensor x, float factor) {
    try (OpContext context = OpContext.of(where, x)) {
      Sum op = context.reuse(Sum.class, Sum::new);
      op.factor = factor;
      op.x = x;
      op.y = context.output(Shape.SCALAR, x.isDifferentiable());
      context.device().pointwise().sumInto(factor, x.value(), x.shape().count(), op.y.value());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    trace.refuse("it adds up all columns; sum the rows of each column");
  }

  @Override
  public void backward() {
    y.device().pointwise().addBroadcast(factor, y.gradient(), x.accumulator(), x.shape().count());
  }
}
