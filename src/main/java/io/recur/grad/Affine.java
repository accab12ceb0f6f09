package io.recur.grad;

/** A straight line {@code y = factor·x + constant}; {@code dx += factor·dy}. */
final class Affine implements Op {
  private float factor;
  private float constant;
  private Tensor x;
  private Tensor y;

  /**
   * Records the operation.
   *
   * @param where the name in error messages
   * @param constant with −0 the sign of a product of zero is kept
   */
  static Tensor of(String where, Tensor x, float factor, float constant) {
    try (OpContext context = OpContext.of(where, x)) {
      Affine op = begin(context, x, factor, constant);
      context
          .kernels
          .arithmetic()
          .affine(factor, x.value(), constant, op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  /** A copy of any tensor on the tape. */
  static Tensor copy(Tape tape, Tensor x) {
    try (OpContext context = OpContext.of(tape, "use", x)) {
      Affine op = begin(context, x, 1, -0f);
      context.device().pointwise().copy(x.value(), op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  private static Affine begin(OpContext context, Tensor x, float factor, float constant) {
    Affine op = context.reuse(Affine.class, Affine::new);
    op.factor = factor;
    op.constant = constant;
    op.x = x;
    op.y = context.output(x.shape(), x.isDifferentiable());
    return op;
  }

  @Override
  public void trace(Trace trace) {
    int a = trace.number(x);
    if (factor == 1 && constant == 0) {
      trace.give(y, a);
    } else {
      float added = constant == 0 ? 0 : constant; // not −0
      trace.give(y, new Graph.Node.Affine(y.shape().rows(), a, factor, added));
    }
  }

  @Override
  public void backward() {
    y.device().pointwise().addScaled(factor, y.gradient(), x.accumulator(), x.shape().count());
  }
}
