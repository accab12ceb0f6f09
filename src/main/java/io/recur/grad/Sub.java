package io.recur.grad;

/** Difference {@code y = a − b}; {@code da += dy, db −= dy}. */
final class Sub implements Op {
  private Tensor a;
  private Tensor b;
  private Tensor y;

  /** Either may be a vector that is repeated over the other's columns. */
  static Tensor sub(Tensor a, Tensor b) {
    Repeat.check("sub", a, b);
    try (var _ = a.enter();
        var _ = b.enter()) {
      Tensor left = Repeat.like(b, a);
      Tensor right = Repeat.like(a, b);
      Tape tape = Tape.of("sub", left, right);
      Sub op = tape.reuse(Sub.class, Sub::new);
      op.a = left;
      op.b = right;
      op.y = tape.output(left.shape(), left.isDifferentiable() || right.isDifferentiable());
      op.forward();
      return tape.record(op, op.y);
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
