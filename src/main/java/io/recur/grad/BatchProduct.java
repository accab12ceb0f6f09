package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;

/**
 * A product of matrices for each sequence of a batch, whose steps are the columns of its matrices:
 * {@code y[:,b,:] = a[:,b,:]·x[:,b,:]}, or with {@code a[:,b,:]ᵀ}; {@code da[:,b,:] +=
 * dy[:,b,:]·x[:,b,:]ᵀ, dx[:,b,:] += a[:,b,:]ᵀ·dy[:,b,:]}.
 *
 * <pre>{@code
 * Tensor m = tape.input(Shape.of(3, 2, 4), new float[24]);
 * Tensor q = tape.input(Shape.of(3, 2, 5), new float[30]);
 * Tensor scores = BatchProduct.inner(m, q);                          // 4×2×5
 * Tensor means = BatchProduct.product(m, Softmax.softmax(scores));   // 3×2×5
 * }</pre>
 */
public final class BatchProduct implements Op {
  private boolean isTransposed;
  private Tensor a;
  private Tensor x;
  private Tensor y;
  private Blas blas;

  private BatchProduct() {}

  /**
   * The steps of a, weighed: {@code y[i,b,s] = Σₜ a[i,b,t]·x[t,b,s]}.
   *
   * @param a m × batch × n
   * @param x n × batch × s
   * @return m × batch × s
   * @throws ShapeException if the sizes do not fit each other
   */
  public static Tensor product(Tensor a, Tensor x) {
    return of("product", a, x, false);
  }

  /**
   * The inner product of each step of a with each step of x: {@code y[t,b,s] = Σᵢ
   * a[i,b,t]·x[i,b,s]}.
   *
   * @param a n × batch × m
   * @param x n × batch × s
   * @return m × batch × s
   * @throws ShapeException if the sizes do not fit each other
   */
  public static Tensor inner(Tensor a, Tensor x) {
    return of("inner", a, x, true);
  }

  private static Tensor of(String where, Tensor a, Tensor x, boolean isTransposed) {
    Shape left = a.shape();
    Shape right = x.shape();
    int terms = isTransposed ? left.rows() : left.time();
    if (left.batch() != right.batch() || terms != right.rows()) {
      throw new ShapeException(
          "%s: a=%s, x=%s; need one batch, and as many rows of x as %s of a"
              .formatted(where, left, right, isTransposed ? "rows" : "steps"));
    }
    int rows = isTransposed ? left.time() : left.rows();
    Shape shape = Shape.of(rows, right.batch(), right.time());
    try (OpContext context = OpContext.of(where, a, x)) {
      BatchProduct op = context.reuse(BatchProduct.class, BatchProduct::new);
      op.isTransposed = isTransposed;
      op.a = a;
      op.x = x;
      op.blas = context.kernels.blas();
      op.y = context.output(shape, a.isDifferentiable() || x.isDifferentiable());
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    for (int b = 0; b < y.shape().batch(); b++) {
      multiply(b, isTransposed, a, a.value(), false, x, x.value(), 0, y, y.value());
    }
  }

  @Override
  public void backward() {
    Buffer dy = y.gradient();
    for (int b = 0; b < y.shape().batch(); b++) {
      if (a.isDifferentiable() && isTransposed) {
        multiply(b, false, x, x.value(), true, y, dy, 1, a, a.accumulator());
      } else if (a.isDifferentiable()) {
        multiply(b, false, y, dy, true, x, x.value(), 1, a, a.accumulator());
      }
      if (x.isDifferentiable()) {
        multiply(b, !isTransposed, a, a.value(), false, y, dy, 1, x, x.accumulator());
      }
    }
  }

  /** {@code C = op(A)·op(B) + beta·C} of the matrices of sequence b, which have a row per row. */
  private void multiply(
      int b,
      boolean transposeA,
      Tensor left,
      Buffer leftValues,
      boolean transposeB,
      Tensor right,
      Buffer rightValues,
      float beta,
      Tensor to,
      Buffer toValues) {
    int terms = transposeA ? left.shape().rows() : left.shape().time();
    blas.multiply(
        transposeA,
        transposeB,
        to.shape().rows(),
        to.shape().time(),
        terms,
        1,
        of(b, left, leftValues),
        left.shape().rows() * left.shape().batch(),
        of(b, right, rightValues),
        right.shape().rows() * right.shape().batch(),
        beta,
        of(b, to, toValues),
        to.shape().rows() * to.shape().batch());
  }

  /** The matrix of sequence b, within a taller one. */
  private static Buffer of(int b, Tensor tensor, Buffer values) {
    int first = b * tensor.shape().rows();
    return values.slice(first, tensor.shape().count() - first);
  }
}
