package io.recur.grad;

/**
 * Product with a number {@code y = factor·x}; {@code dx += factor·dy}.
 *
 * @param x input
 * @param factor the number
 * @param y output
 */
record Scale(Tensor x, float factor, Tensor y) implements Op {
  static Tensor scale(Tensor x, float factor) {
    Tape tape = Tape.of("scale", x);
    Tensor y = tape.output(x.shape(), x.isDifferentiable());
    tape.device().pointwise().scale(factor, x.value(), y.value(), x.shape().count());
    return tape.record(new Scale(x, factor, y), y);
  }

  @Override
  public void backward() {
    y.device().pointwise().addScaled(factor, y.gradient(), x.accumulator(), x.shape().count());
  }
}
