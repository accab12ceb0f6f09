package io.recur.grad;

/** Elementwise product {@code y = a∘b}; {@code da += dy∘b, db += dy∘a}. */
final class Mul implements Op {
  private Tensor a;
  private Tensor b;
  private Tensor y;

  /** Either may be a vector that is repeated over the other's columns. */
  static Tensor mul(Tensor a, Tensor b) {
    Repeat.check("mul", a, b);
    try (var _ = a.enter();
        var _ = b.enter()) {
      Tensor left = Repeat.like(b, a);
      Tensor right = Repeat.like(a, b);
      Tape tape = Tape.of("mul", left, right);
      Mul op = tape.reuse(Mul.class, Mul::new);
      op.a = left;
      op.b = right;
      op.y = tape.output(left.shape(), left.isDifferentiable() || right.isDifferentiable());
      op.forward();
      return tape.record(op, op.y);
    }
  }

  private void forward() {
    y.device().pointwise().multiply(a.value(), b.value(), y.value(), y.shape().count());
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
