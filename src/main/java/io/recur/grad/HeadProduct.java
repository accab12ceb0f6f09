package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Reduction;

/**
 * The product of a matrix per column, such as the state of a head, with a vector per column: {@code
 * y[:,c] = S[:,c]·q[:,c]}; {@code dS[:,c] += dy[:,c]·q[:,c]ᵀ, dq[:,c] += S[:,c]ᵀ·dy[:,c]}.
 *
 * <pre>{@code
 * Tensor s = Outer.outer(y, x);                 // y·xᵀ, a matrix per column
 * Tensor found = HeadProduct.product(s, h);     // (y·xᵀ)·h
 * }</pre>
 *
 * <p>S is m·n×B or m·n×B×T with the columns of each matrix one after the other, as {@link Outer}
 * makes it, q n×B or n×B×T, y m×B or m×B×T. Sums are formed in double.
 */
public final class HeadProduct implements Op {
  private Tensor s;
  private Tensor q;
  private Tensor y;
  private KernelDevice kernels;

  private HeadProduct() {}

  /**
   * Multiplies the matrix of each column with the vector of that column.
   *
   * @param s m·n × batch, with or without time
   * @param q n × batch, with or without time
   * @return m × batch, with or without time
   * @throws ShapeException if the columns are not as many, or the rows of s are no multiple of
   *     those of q
   */
  public static Tensor product(Tensor s, Tensor q) {
    Shape left = s.shape();
    Shape right = q.shape();
    if (left.batch() != right.batch()
        || left.time() != right.time()
        || left.rows() % right.rows() != 0) {
      throw new ShapeException(
          "product: S=%s, q=%s; need as many columns in each, and rows of S that are a multiple"
                  .formatted(left, right)
              + " of those of q");
    }
    try (OpContext context = OpContext.of("product", s, q)) {
      HeadProduct op = context.reuse(HeadProduct.class, HeadProduct::new);
      op.s = s;
      op.q = q;
      op.kernels = context.kernels;
      int m = left.rows() / right.rows();
      op.y = context.output(left, m, s.isDifferentiable() || q.isDifferentiable());
      op.forward(m, context.scratch(left.count()));
      return context.record(op, op.y);
    }
  }

  private void forward(int m, Buffer scratch) {
    int n = q.shape().rows();
    int c = q.shape().columns();
    Outer.byRow(kernels, m, n * c, s.value(), q.value(), scratch);
    kernels.reductions().reduce(Reduction.SUM, Dimension.COLUMNS, m, n, c, scratch, y.value());
  }

  @Override
  public void trace(Trace trace) {
    trace.refuse("a matrix per column has no compiled form");
  }

  @Override
  public void backward() {
    int m = y.shape().rows();
    int n = q.shape().rows();
    int c = q.shape().columns();
    Buffer dy = y.tape().context.backwardScratch(s.shape().count());
    Outer.stretch(kernels, m, n, c, y.gradient(), dy);
    if (s.isDifferentiable()) {
      kernels
          .arithmetic()
          .derivative(
              Binary.MULTIPLY,
              false,
              true,
              m,
              n * c,
              s.value(),
              m,
              n * c,
              q.value(),
              1,
              n * c,
              dy,
              s.accumulator());
    }
    if (q.isDifferentiable()) {
      kernels.arithmetic().apply(Binary.MULTIPLY, m, n * c, dy, m, n * c, s.value(), m, n * c, dy);
      kernels.reductions().addSum(Dimension.ROWS, m, n, c, dy, q.accumulator());
    }
  }
}
