package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.KernelDevice;

/**
 * A function of two values at each place, of the table {@link Binary}: {@code y = f(a, b)}. An
 * operand of one row or of one column is repeated over the other's, and takes the gradient summed
 * over what was repeated.
 */
final class Pairwise implements Op {
  private Binary f;
  private Tensor a;
  private Tensor b;
  private Tensor y;
  private KernelDevice kernels;

  static Tensor of(Binary f, Tensor a, Tensor b) {
    Shape left = a.shape();
    Shape right = b.shape();
    check(f, left, right);
    try (OpContext context = OpContext.of(f.label(), a, b)) {
      Pairwise op = context.reuse(Pairwise.class, Pairwise::new);
      op.f = f;
      op.a = a;
      op.b = b;
      op.kernels = context.kernels;
      boolean differentiable =
          f.isDifferentiable() && (a.isDifferentiable() || b.isDifferentiable());
      op.y =
          context.output(
              isWider(right, left) ? right : left,
              Math.max(left.rows(), right.rows()),
              differentiable);
      op.forward();
      return context.record(op, op.y);
    }
  }

  /** Refuses shapes of which neither is repeated to meet the other. */
  private static void check(Binary f, Shape a, Shape b) {
    boolean rows = a.rows() == b.rows() || a.rows() == 1 || b.rows() == 1;
    boolean columns =
        a.batch() == b.batch() && a.time() == b.time() || a.columns() == 1 || b.columns() == 1;
    if (!rows || !columns) {
      throw new ShapeException(
          "%s: a=%s, b=%s; need equal shapes, or one row or one column that is repeated"
              .formatted(f.label(), a, b));
    }
  }

  /** Whether a has more columns than b, or as many, but more rows. */
  private static boolean isWider(Shape a, Shape b) {
    return a.columns() == b.columns() ? a.rows() > b.rows() : a.columns() > b.columns();
  }

  private void forward() {
    Shape shape = y.shape();
    kernels
        .arithmetic()
        .apply(
            f,
            shape.rows(),
            shape.columns(),
            a.value(),
            a.shape().rows(),
            a.shape().columns(),
            b.value(),
            b.shape().rows(),
            b.shape().columns(),
            y.value());
  }

  @Override
  public void trace(Trace trace) {
    int rows = y.shape().rows();
    trace.give(y, new Graph.Node.Combine(f, rows, trace.number(a), trace.number(b)));
  }

  @Override
  public void backward() {
    addTo(a, false);
    addTo(b, true);
  }

  private void addTo(Tensor part, boolean ofB) {
    if (!part.isDifferentiable()) {
      return;
    }
    boolean passes = f == Binary.ADD || (f == Binary.SUBTRACT && !ofB);
    boolean vector = part.shape().columns() == 1 && part.shape().rows() == y.shape().rows();
    if (part.shape().count() < y.shape().count() || (passes && vector)) {
      // a vector's is a sum of one column too: so a bias keeps what many steps add
      addSum(part, passes ? y.gradient() : derivative(ofB));
    } else if (passes || f == Binary.SUBTRACT) {
      float sign = passes ? 1 : -1;
      y.device().pointwise().addScaled(sign, y.gradient(), part.accumulator(), y.shape().count());
    } else {
      derivative(ofB, true, part.accumulator());
    }
  }

  /** Adds the sum over what was repeated. */
  private void addSum(Tensor part, Buffer d) {
    int m = y.shape().rows();
    int n = y.shape().columns();
    Shape shape = part.shape();
    if (shape.rows() == m) {
      y.device().columns().addSum(m, n, d, part.accumulator());
    } else {
      int runs = shape.columns() == 1 ? 1 : n;
      kernels.reductions().addSum(Dimension.ROWS, m * n / runs, runs, 1, d, part.accumulator());
    }
  }

  /** What the gradient of y gives to a repeated operand, before it is summed. */
  private Buffer derivative(boolean ofB) {
    Buffer whole = y.tape().context.backwardScratch(y.shape().count());
    derivative(ofB, false, whole);
    return whole;
  }

  private void derivative(boolean ofB, boolean accumulate, Buffer d) {
    Shape shape = y.shape();
    kernels
        .arithmetic()
        .derivative(
            f,
            ofB,
            accumulate,
            shape.rows(),
            shape.columns(),
            a.value(),
            a.shape().rows(),
            a.shape().columns(),
            b.value(),
            b.shape().rows(),
            b.shape().columns(),
            y.gradient(),
            d);
  }
}
