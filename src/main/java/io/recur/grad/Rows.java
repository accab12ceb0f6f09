package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.memory.Slices;

/**
 * Some rows of a matrix: {@code y = x[from … to−1, :]}, a copy; {@code dx[from … to−1, :] += dy}.
 */
final class Rows implements Op {
  /** The part of x that begins at the first of the rows, and that of its gradient. */
  private final Slices source = new Slices();

  private final Slices gradient = new Slices();
  private int from;
  private Tensor x;
  private Tensor y;

  static Tensor rows(Tensor x, int from, int to) {
    Shape shape = x.shape();
    if (from < 0 || to > shape.rows() || from >= to) {
      throw new ShapeException(
          "rows: x=%s, from=%d, to=%d; need 0 ≤ from < to ≤ rows".formatted(shape, from, to));
    }
    try (OpContext context = OpContext.of("rows", x)) {
      Rows op = context.reuse(Rows.class, Rows::new);
      op.from = from;
      op.x = x;
      op.y = context.output(shape, to - from, x.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    int m = y.shape().rows();
    Shape shape = x.shape();
    Buffer rows = part(source, x.value());
    y.device().columns().block(m, shape.columns(), rows, shape.rows(), false, y.value(), m);
  }

  @Override
  public void backward() {
    int m = y.shape().rows();
    Shape shape = x.shape();
    Buffer rows = part(gradient, x.accumulator());
    y.device().columns().block(m, shape.columns(), y.gradient(), m, true, rows, shape.rows());
  }

  private Buffer part(Slices slices, Buffer whole) {
    long span = (long) x.shape().rows() * (x.shape().columns() - 1) + y.shape().rows();
    return slices.of(whole, from, span, span).at(0);
  }
}
