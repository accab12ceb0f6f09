package io.recur.grad;

/**
 * Elementwise product {@code y = a∘b}; {@code da += dy∘b, db += dy∘a}.
 *
 * @param a of b's shape
 * @param b of a's shape
 * @param y product
 */
record Mul(Tensor a, Tensor b, Tensor y) implements Op {
  /** Either may be a vector that is repeated over the other's columns. */
  static Tensor mul(Tensor a, Tensor b) {
    Repeat.check("mul", a, b);
    Tensor left = Repeat.like(b, a);
    Tensor right = Repeat.like(a, b);
    Tape tape = Tape.of("mul", left, right);
    Tensor y = tape.output(left.shape(), left.isDifferentiable() || right.isDifferentiable());
    tape.device().pointwise().multiply(left.value(), right.value(), y.value(), y.shape().count());
    return tape.record(new Mul(left, right, y), y);
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
