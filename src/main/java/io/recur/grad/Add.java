package io.recur.grad;

/**
 * Sum {@code y = a + b}; {@code da += dy, db += dy}, summed over the columns where b is a vector.
 *
 * @param a first term
 * @param b second term, of a's shape, or a vector added to every column
 * @param y sum
 */
record Add(Tensor a, Tensor b, Tensor y) implements Op {
  static Tensor add(Tensor a, Tensor b) {
    if (!Repeat.spreads(a, b) && Repeat.spreads(b, a)) {
      return add(b, a);
    }
    Repeat.check("add", a, b);
    Tape tape = Tape.of("add", a, b);
    Tensor y = tape.output(a.shape(), a.isDifferentiable() || b.isDifferentiable());
    Shape shape = a.shape();
    if (Repeat.spreads(a, b)) {
      tape.device().columns().add(shape.rows(), shape.columns(), a.value(), b.value(), y.value());
    } else {
      tape.device().pointwise().combine(a.value(), 1, b.value(), y.value(), shape.count());
    }
    return tape.record(new Add(a, b, y), y);
  }

  @Override
  public void backward() {
    Shape shape = y.shape();
    if (a.isDifferentiable()) {
      y.device().pointwise().addScaled(1, y.gradient(), a.accumulator(), shape.count());
    }
    if (!b.isDifferentiable()) {
      return;
    }
    if (Repeat.spreads(a, b)) {
      y.device().columns().addSum(shape.rows(), shape.columns(), y.gradient(), b.accumulator());
    } else {
      y.device().pointwise().addScaled(1, y.gradient(), b.accumulator(), shape.count());
    }
  }
}
