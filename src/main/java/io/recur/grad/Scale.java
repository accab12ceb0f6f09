package io.recur.grad;

/** Product with a number {@code y = factor·x}; {@code dx += factor·dy}. */
final class Scale implements Op {
  private float factor;
  private Tensor x;
  private Tensor y;

  static Tensor scale(Tensor x, float factor) {
    try (OpContext context = OpContext.of("scale", x)) {
      Scale op = begin(context, x, factor);
      context.device().pointwise().scale(factor, x.value(), op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  /** A copy of any tensor on the tape. */
  static Tensor copy(Tape tape, Tensor x) {
    try (OpContext context = OpContext.of(tape, "use", x)) {
      Scale op = begin(context, x, 1);
      context.device().pointwise().copy(x.value(), op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  private static Scale begin(OpContext context, Tensor x, float factor) {
    Scale op = context.reuse(Scale.class, Scale::new);
    op.factor = factor;
    op.x = x;
    op.y = context.output(x.shape(), x.isDifferentiable());
    return op;
  }

  @Override
  public void trace(Trace trace) {
    int a = trace.number(x);
    if (factor == 1) {
      trace.give(y, a);
    } else {
      trace.give(y, new Graph.Node.Affine(y.shape().rows(), a, factor, 0));
    }
  }

  @Override
  public void backward() {
    y.device().pointwise().addScaled(factor, y.gradient(), x.accumulator(), x.shape().count());
  }
}
