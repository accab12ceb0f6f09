package io.recur.grad;

/** Difference {@code y = a − b}; {@code da += dy, db −= dy}. */
final class Sub implements Op {
  private Tensor a;
  private Tensor b;
  private Tensor y;

  /** Either may be a vector that is repeated over the other's columns. */
  static Tensor sub(Tensor a, Tensor b) {
    Repeat.check("sub", a, b);
    if (Repeat.spreads(a, b)) {
      return sub(a, Repeat.like(a, b));
    }
    if (Repeat.spreads(b, a)) {
      return sub(Repeat.like(b, a), b);
    }
    try (OpContext context = OpContext.of("sub", a, b)) {
      Sub op = context.reuse(Sub.class, Sub::new);
      op.a = a;
      op.b = b;
      op.y = context.output(a.shape(), a.isDifferentiable() || b.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    y.device().pointwise().combine(a.value(), -1, b.value(), y.value(), y.shape().count());
  }

  @Override
  public void backward() {
    int count = y.shape().count();
    if (a.isDifferentiable()) {
      y.device().pointwise().addScaled(1, y.gradient(), a.accumulator(), count);
    }
    if (b.isDifferentiable()) {
      y.device().pointwise().addScaled(-1, y.gradient(), b.accumulator(), count);
    }
  }
}
