package io.recur.grad;

/** Product with a number {@code y = factor·x}; {@code dx += factor·dy}. */
final class Scale implements Op {
  private float factor;
  private Tensor x;
  private Tensor y;

  static Tensor scale(Tensor x, float factor) {
    try (var _ = x.enter()) {
      Tape tape = Tape.of("scale", x);
      Scale op = begin(tape, x, factor);
      tape.device().pointwise().scale(factor, x.value(), op.y.value(), x.shape().count());
      return tape.record(op, op.y);
    }
  }

  /** A copy of any tensor on the tape. */
  static Tensor copy(Tape tape, Tensor x) {
    try (var _ = tape.enter()) {
      tape.recorded.next();
      tape.accept("use", x);
      Scale op = begin(tape, x, 1);
      tape.device().pointwise().copy(x.value(), op.y.value(), x.shape().count());
      return tape.record(op, op.y);
    }
  }

  private static Scale begin(Tape tape, Tensor x, float factor) {
    Scale op = tape.reuse(Scale.class, Scale::new);
    op.factor = factor;
    op.x = x;
    op.y = tape.output(x.shape(), x.isDifferentiable());
    return op;
  }

  @Override
  public void backward() {
    y.device().pointwise().addScaled(factor, y.gradient(), x.accumulator(), x.shape().count());
  }
}
