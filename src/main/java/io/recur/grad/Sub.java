package io.recur.grad;

/**
 * Difference {@code y = a − b}; {@code da += dy, db −= dy}.
 *
 * @param a of b's shape
 * @param b of a's shape
 * @param y difference
 */
record Sub(Tensor a, Tensor b, Tensor y) implements Op {
  /** Either may be a vector that is repeated over the other's columns. */
  static Tensor sub(Tensor a, Tensor b) {
    Repeat.check("sub", a, b);
    Tensor left = Repeat.like(b, a);
    Tensor right = Repeat.like(a, b);
    Tape tape = Tape.of("sub", left, right);
    Tensor y = tape.output(left.shape(), left.isDifferentiable() || right.isDifferentiable());
    tape.device()
        .pointwise()
        .combine(left.value(), -1, right.value(), y.value(), y.shape().count());
    return tape.record(new Sub(left, right, y), y);
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
