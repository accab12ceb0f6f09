package io.recur.grad;

/**
 * Some rows of a matrix: {@code y = x[from … to−1, :]}, a copy; the gradient goes back to these
 * rows.
 *
 * @param x m×B or m×B×T
 * @param from first row
 * @param y the rows
 */
record Rows(Tensor x, int from, Tensor y) implements Op {
  static Tensor rows(Tensor x, int from, int to) {
    Shape shape = x.shape();
    if (from < 0 || to > shape.rows() || from >= to) {
      throw new ShapeException(
          "rows: x=%s, from=%d, to=%d; need 0 ≤ from < to ≤ rows".formatted(shape, from, to));
    }
    Tape tape = Tape.of("rows", x);
    Tensor y = tape.output(shape.withRows(to - from), x.isDifferentiable());
    int m = to - from;
    long span = (long) shape.rows() * (shape.columns() - 1) + m;
    tape.device()
        .columns()
        .block(m, shape.columns(), x.value().slice(from, span), shape.rows(), false, y.value(), m);
    return tape.record(new Rows(x, from, y), y);
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    int m = y.shape().rows();
    long span = (long) shape.rows() * (shape.columns() - 1) + m;
    y.device()
        .columns()
        .block(
            m,
            shape.columns(),
            y.gradient(),
            m,
            true,
            x.accumulator().slice(from, span),
            shape.rows());
  }
}
