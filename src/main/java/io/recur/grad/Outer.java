package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Reduction;

/**
 * The outer product of each pair of columns: {@code Y[:,c] = a[:,c]·b[:,c]ᵀ}, a matrix whose
 * columns follow each other; {@code da[:,c] += dY[:,c]·b[:,c], db[:,c] += dY[:,c]ᵀ·a[:,c]}.
 *
 * <pre>{@code
 * Tensor s = Outer.outer(y, x);                 // y·xᵀ, a matrix per column
 * Tensor found = HeadProduct.product(s, h);     // (y·xᵀ)·h
 * }</pre>
 *
 * <p>a is m×B or m×B×T, b n×B or n×B×T, Y m·n×B or m·n×B×T. The value in row i and column j of a
 * matrix is in row {@code i + j·m} of Y.
 */
public final class Outer implements Op {
  private Tensor a;
  private Tensor b;
  private Tensor y;
  private KernelDevice kernels;

  private Outer() {}

  /**
   * The outer product of each pair of columns.
   *
   * @param a m × batch, with or without time
   * @param b n × batch, with or without time
   * @return m·n × batch, with or without time
   * @throws ShapeException if the columns are not as many, or a matrix has more values than a shape
   *     can count
   */
  public static Tensor outer(Tensor a, Tensor b) {
    Shape left = a.shape();
    Shape right = b.shape();
    if (left.batch() != right.batch() || left.time() != right.time()) {
      throw new ShapeException(
          "outer: a=%s, b=%s; need as many columns in each".formatted(left, right));
    }
    Shape shape = left.with(Dimension.ROWS, (long) left.rows() * right.rows(), left.rank());
    try (OpContext context = OpContext.of("outer", a, b)) {
      Outer op = context.reuse(Outer.class, Outer::new);
      op.a = a;
      op.b = b;
      op.kernels = context.kernels;
      op.y = context.output(shape, a.isDifferentiable() || b.isDifferentiable());
      int m = left.rows();
      int n = right.rows();
      stretch(op.kernels, m, n, left.columns(), a.value(), op.y.value());
      byRow(op.kernels, m, n * left.columns(), op.y.value(), b.value(), op.y.value());
      return context.record(op, op.y);
    }
  }

  /** Each of c columns of m values n times: {@code Y[:, j, c] = x[:, c]}. */
  static void stretch(KernelDevice kernels, int m, int n, int c, Buffer x, Buffer y) {
    y.device().pointwise().fill(0, y, (long) m * n * c);
    kernels.reductions().addDerivative(Reduction.SUM, Dimension.COLUMNS, m, n, c, y, x, x, y);
  }

  /** {@code Y[:, j] = X[:, j]·row[j]}; Y may be X. */
  static void byRow(KernelDevice kernels, int m, int columns, Buffer x, Buffer row, Buffer y) {
    kernels.arithmetic().apply(Binary.MULTIPLY, m, columns, x, m, columns, row, 1, columns, y);
  }

  @Override
  public void trace(Trace trace) {
    trace.refuse("a matrix per column has no compiled form");
  }

  @Override
  public void backward() {
    int m = a.shape().rows();
    int n = b.shape().rows();
    int c = a.shape().columns();
    Buffer scratch = y.tape().context.backwardScratch(y.shape().count());
    if (a.isDifferentiable()) {
      byRow(kernels, m, n * c, y.gradient(), b.value(), scratch);
      kernels.reductions().addSum(Dimension.COLUMNS, m, n, c, scratch, a.accumulator());
    }
    if (b.isDifferentiable()) {
      stretch(kernels, m, n, c, a.value(), scratch);
      kernels
          .arithmetic()
          .apply(Binary.MULTIPLY, m, n * c, scratch, m, n * c, y.gradient(), m, n * c, scratch);
      kernels.reductions().addSum(Dimension.ROWS, m, n, c, scratch, b.accumulator());
    }
  }
}
