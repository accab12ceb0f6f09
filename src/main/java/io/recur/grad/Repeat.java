package io.recur.grad;

/**
 * A vector as every column of a matrix: {@code Y[:,j] = x}; {@code dx += Σⱼ dY[:,j]}.
 *
 * <pre>{@code
 * Tensor columns = Repeat.repeat(tape, b, Shape.of(5, 32));   // b: 5 or 5×1
 * }</pre>
 *
 * <p>x is a vector m, or m×1; y is m×B or m×B×T.
 */
public final class Repeat implements Op {
  private Tensor x;
  private Tensor y;

  private Repeat() {}

  /**
   * Repeats a vector on a tape.
   *
   * @param tape where the operation is recorded; x may be a parameter, which is on no tape
   * @param x a vector, or a matrix of one column
   * @param shape of the result, with as many rows
   * @return the repeated vector
   */
  public static Tensor repeat(Tape tape, Tensor x, Shape shape) {
    if (x.shape().columns() != 1 || x.shape().rows() != shape.rows()) {
      throw new ShapeException(
          "repeat: x=%s, to=%s; need one column with %d rows"
              .formatted(x.shape(), shape, shape.rows()));
    }
    try (OpContext context = OpContext.of(tape, "repeat", x)) {
      Repeat op = context.reuse(Repeat.class, Repeat::new);
      op.x = x;
      op.y = context.output(shape, x.isDifferentiable());
      context.device().columns().repeat(shape.rows(), shape.columns(), x.value(), op.y.value());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    trace.give(y, trace.number(x));
  }

  @Override
  public void backward() {
    y.device()
        .columns()
        .addSum(y.shape().rows(), y.shape().columns(), y.gradient(), x.accumulator());
  }
}
