package io.recur.grad;

/**
 * Softmax of every column, or its logarithm: {@code y = eˣ/Σeˣ}; {@code dx += y∘(dy − Σ dy∘y)}, and
 * {@code dx += dy − eʸ·Σ dy} for the logarithm. Stable for large values.
 *
 * <pre>{@code
 * Tensor p = Softmax.softmax(x);
 * }</pre>
 *
 * @param x scores, classes × batch or classes × batch × time
 * @param logarithm whether y is the logarithm
 * @param y of x's shape
 */
public record Softmax(Tensor x, boolean logarithm, Tensor y) implements Op {
  /**
   * Softmax of every column.
   *
   * @param x scores
   * @return columns of sum 1
   */
  public static Tensor softmax(Tensor x) {
    return apply("softmax", x, false);
  }

  /**
   * Logarithm of the softmax of every column.
   *
   * @param x scores
   * @return log-probabilities
   */
  public static Tensor logSoftmax(Tensor x) {
    return apply("logSoftmax", x, true);
  }

  private static Tensor apply(String where, Tensor x, boolean logarithm) {
    Tape tape = Tape.of(where, x);
    Shape shape = x.shape();
    Tensor y = tape.output(shape, x.isDifferentiable());
    tape.device().columns().softmax(shape.rows(), shape.columns(), logarithm, x.value(), y.value());
    return tape.record(new Softmax(x, logarithm, y), y);
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    y.device()
        .columns()
        .addSoftmaxSlope(
            shape.rows(), shape.columns(), logarithm, y.value(), y.gradient(), x.accumulator());
  }
}
