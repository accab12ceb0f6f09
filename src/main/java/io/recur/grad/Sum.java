package io.recur.grad;

/**
 * Sum of all values times a factor: {@code y = factor·Σ x}; {@code dx += factor·dy}.
 *
 * @param x input
 * @param factor 1, or 1/count for the mean
 * @param y a scalar
 */
record Sum(Tensor x, float factor, Tensor y) implements Op {
  static Tensor sum(Tensor x) {
    return scaled("sum", x, 1);
  }

  static Tensor mean(Tensor x) {
    return scaled("mean", x, 1f / x.shape().count());
  }

  private static Tensor scaled(String where, Tensor x, float factor) {
    Tape tape = Tape.of(where, x);
    Tensor y = tape.output(Shape.of(1), x.isDifferentiable());
    tape.device().pointwise().sumInto(factor, x.value(), x.shape().count(), y.value());
    return tape.record(new Sum(x, factor, y), y);
  }

  @Override
  public void backward() {
    y.device().pointwise().addBroadcast(factor, y.gradient(), x.accumulator(), x.shape().count());
  }
}
