package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.memory.Slices;

/**
 * A part of a tensor along one dimension: {@code y = x[from … to−1]}; {@code dx[from … to−1] +=
 * dy}. It is a view where its values are contiguous, else a copy: rows are copied, and so are
 * columns of several time steps.
 */
final class Slice implements Op {
  /** The part of x that begins at the first value, and that of its gradient. */
  private final Slices source = new Slices();

  private final Slices gradient = new Slices();
  private Dimension dimension;
  private int from;
  private Tensor x;
  private Tensor y;

  static Tensor rows(Tensor x, int from, int to) {
    Shape shape = x.shape();
    check("rows", shape, from, to, shape.rows());
    return copy("rows", Dimension.ROWS, x, from, to);
  }

  static Tensor columns(Tensor x, int from, int to) {
    Shape shape = x.shape();
    check("columns", shape, from, to, shape.batch());
    if (shape.time() == 1) {
      int rank = Math.max(2, shape.rank());
      return x.view(rank, shape.rows(), to - from, 1, from * shape.rows());
    }
    return x instanceof OneHot hot
        ? hot.copyOfColumns(from, to)
        : copy("columns", Dimension.COLUMNS, x, from, to);
  }

  static Tensor column(Tensor x, int j) {
    Shape shape = x.shape();
    if (shape.time() != 1 || j < 0 || j >= shape.batch()) {
      throw new ShapeException(
          "column: x=%s, j=%d; need a matrix and 0 ≤ j < columns; of a sequence take columns(j, j + 1)"
              .formatted(shape, j));
    }
    return x.view(1, shape.rows(), 1, 1, j * shape.rows());
  }

  static Tensor time(Tensor x, int t) {
    Shape shape = x.shape();
    if (t < 0 || t >= shape.time()) {
      throw new ShapeException(
          "time: x=%s, t=%d; need 0 ≤ t < %d".formatted(shape, t, shape.time()));
    }
    return x.view(2, shape.rows(), shape.batch(), 1, t * shape.rows() * shape.batch());
  }

  static Tensor times(Tensor x, int from, int to) {
    Shape shape = x.shape();
    check("times", shape, from, to, shape.time());
    return x.view(3, shape.rows(), shape.batch(), to - from, from * shape.rows() * shape.batch());
  }

  private static void check(String where, Shape shape, int from, int to, int length) {
    if (from < 0 || to > length || from >= to) {
      throw new ShapeException(
          "%s: x=%s, from=%d, to=%d; need 0 ≤ from < to ≤ %d"
              .formatted(where, shape, from, to, length));
    }
  }

  private static Tensor copy(String where, Dimension dimension, Tensor x, int from, int to) {
    try (OpContext context = OpContext.of(where, x)) {
      Slice op = context.reuse(Slice.class, Slice::new);
      op.dimension = dimension;
      op.from = from;
      op.x = x;
      op.y = context.output(x.shape(), dimension, to - from, x.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    int m = run(y.shape());
    Buffer part = part(source, x.value());
    int n = x.shape().count(dimension);
    y.device().columns().block(m, n, part, run(x.shape()), false, y.value(), m);
  }

  @Override
  public void trace(Trace trace) {
    if (dimension == Dimension.ROWS) {
      trace.give(y, new Graph.Node.Rows(y.shape().rows(), trace.number(x), from));
    } else {
      trace.refuse("it takes some columns; leave the columns of x whole");
    }
  }

  @Override
  public void backward() {
    int m = run(y.shape());
    Buffer part = part(gradient, x.accumulator());
    int n = x.shape().count(dimension);
    y.device().columns().block(m, n, y.gradient(), m, true, part, run(x.shape()));
  }

  /** The values that follow each other: those of a column, or of a time step. */
  private int run(Shape shape) {
    return shape.stride(dimension) * shape.length(dimension);
  }

  private Buffer part(Slices slices, Buffer whole) {
    Shape shape = x.shape();
    long span = (long) run(shape) * (shape.count(dimension) - 1) + run(y.shape());
    return slices.of(whole, (long) from * shape.stride(dimension), span, span).at(0);
  }
}
