package io.recur.grad;

import io.recur.device.kernels.Binary;

/** Elementwise product {@code y = a∘b}; {@code da += dy∘b, db += dy∘a}. */
final class Mul implements Op {
  private Tensor a;
  private Tensor b;
  private Tensor y;

  /** Either may be a vector that is repeated over the other's columns. */
  static Tensor mul(Tensor a, Tensor b) {
    Repeat.check("mul", a, b);
    if (Repeat.spreads(a, b)) {
      return mul(a, Repeat.like(a, b));
    }
    if (Repeat.spreads(b, a)) {
      return mul(Repeat.like(b, a), b);
    }
    try (OpContext context = OpContext.of("mul", a, b)) {
      Mul op = context.reuse(Mul.class, Mul::new);
      op.a = a;
      op.b = b;
      op.y = context.output(a.shape(), a.isDifferentiable() || b.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    y.device().pointwise().multiply(a.value(), b.value(), y.value(), y.shape().count());
  }

  @Override
  public void trace(Trace trace) {
    int rows = y.shape().rows();
    trace.give(y, new Graph.Node.Combine(Binary.MULTIPLY, rows, trace.number(a), trace.number(b)));
  }

  @Override
  public void backward() {
    int count = y.shape().count();
    if (a.isDifferentiable()) {
      y.device().pointwise().addProduct(y.gradient(), b.value(), a.accumulator(), count);
    }
    if (b.isDifferentiable()) {
      y.device().pointwise().addProduct(y.gradient(), a.value(), b.accumulator(), count);
    }
  }
}
