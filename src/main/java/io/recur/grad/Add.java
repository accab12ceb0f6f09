package io.recur.grad;

/**
 * Sum {@code y = a + b}; {@code da += dy, db += dy}, summed over the columns where b is a vector: b
 * is of a's shape, or a vector added to every column.
 */
final class Add implements Op {
  private Tensor a;
  private Tensor b;
  private Tensor y;

  static Tensor add(Tensor a, Tensor b) {
    if (!Repeat.spreads(a, b) && Repeat.spreads(b, a)) {
      return add(b, a);
    }
    Repeat.check("add", a, b);
    try (OpContext context = OpContext.of("add", a, b)) {
      Add op = context.reuse(Add.class, Add::new);
      op.a = a;
      op.b = b;
      op.y = context.output(a.shape(), a.isDifferentiable() || b.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    Shape shape = a.shape();
    if (Repeat.spreads(a, b)) {
      y.device().columns().add(shape.rows(), shape.columns(), a.value(), b.value(), y.value());
    } else {
      y.device().pointwise().combine(a.value(), 1, b.value(), y.value(), shape.count());
    }
  }

  @Override
  public void backward() {
    addTo(a);
    addTo(b);
  }

  /** A vector gets a sum over columns, of one alone too: so a bias keeps what many steps add. */
  private void addTo(Tensor part) {
    if (!part.isDifferentiable()) {
      return;
    }
    Shape shape = y.shape();
    if (part.shape().columns() == 1) {
      y.device().columns().addSum(shape.rows(), shape.columns(), y.gradient(), part.accumulator());
    } else {
      y.device().pointwise().addScaled(1, y.gradient(), part.accumulator(), shape.count());
    }
  }
}
