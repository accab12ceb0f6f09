package io.recur.grad;

import io.recur.device.kernels.Binary;

/**
 * Sum {@code y = a + b} or difference {@code y = a − b}; {@code da += dy, db ±= dy}. Either may be
 * a vector that is repeated over the other's columns, and takes the gradient summed over them.
 */
final class Add implements Op {
  private Tensor a;
  private Tensor b;

  /** 1 or −1, the factor of b. */
  private float sign;

  private Tensor y;

  static Tensor add(Tensor a, Tensor b) {
    if (!Repeat.spreads(a, b) && Repeat.spreads(b, a)) {
      return add(b, a);
    }
    Repeat.check("add", a, b);
    return combine("add", a, 1, b);
  }

  static Tensor sub(Tensor a, Tensor b) {
    Repeat.check("sub", a, b);
    if (Repeat.spreads(a, b)) {
      return sub(a, Repeat.like(a, b));
    }
    if (Repeat.spreads(b, a)) {
      return sub(Repeat.like(b, a), b);
    }
    return combine("sub", a, -1, b);
  }

  private static Tensor combine(String where, Tensor a, float sign, Tensor b) {
    try (OpContext context = OpContext.of(where, a, b)) {
      Add op = context.reuse(Add.class, Add::new);
      op.a = a;
      op.sign = sign;
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
      y.device().pointwise().combine(a.value(), sign, b.value(), y.value(), shape.count());
    }
  }

  @Override
  public void trace(Trace trace) {
    Binary f = sign > 0 ? Binary.ADD : Binary.SUBTRACT;
    trace.give(y, new Graph.Node.Combine(f, y.shape().rows(), trace.number(a), trace.number(b)));
  }

  @Override
  public void backward() {
    addTo(a, 1);
    addTo(b, sign);
  }

  /**
   * A vector in a sum gets a sum over columns, of one alone too: so a bias keeps what many steps
   * add.
   */
  private void addTo(Tensor part, float factor) {
    if (!part.isDifferentiable()) {
      return;
    }
    Shape shape = y.shape();
    if (sign > 0 && part.shape().columns() == 1) {
      y.device().columns().addSum(shape.rows(), shape.columns(), y.gradient(), part.accumulator());
    } else {
      y.device().pointwise().addScaled(factor, y.gradient(), part.accumulator(), shape.count());
    }
  }
}
