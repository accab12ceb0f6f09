package io.recur.grad;

import io.recur.device.kernels.Blas;

/**
 * Matrix product {@code y = a·x}; {@code da += dy·xᵀ, dx += aᵀ·dy}.
 *
 * <p>a is a matrix m×k; x is a vector k, a batch k×B or sequences k×B×T; y has m in place of k. If
 * x is {@link OneHot}, the product gathers columns of a. On a tape that does not record, a column
 * of y has the same bits in every batch. On a GPU, cuBLAS may round it otherwise in another batch.
 */
final class MatMul implements Op {
  private Tensor a;
  private Tensor x;
  private Tensor y;
  private Blas blas;

  static Tensor matmul(Tensor a, Tensor x) {
    Shape left = a.shape();
    if (left.rank() > 2 || left.columns() != x.shape().rows()) {
      throw new ShapeException(
          "matmul: W=%s, x=%s; need a matrix W with W.cols == x.rows, %d != %d: x is features × batch × time"
              .formatted(left, x.shape(), left.columns(), x.shape().rows()));
    }
    Tensor w = DropConnect.read(a, x);
    try (OpContext context = OpContext.of("matmul", w, x)) {
      MatMul op = context.reuse(MatMul.class, MatMul::new);
      op.a = w;
      op.x = x;
      op.blas = context.kernels.blas();
      op.y = context.output(x.shape(), left.rows(), w.isDifferentiable() || x.isDifferentiable());
      op.forward(context.tape().isRecording());
      return context.record(op, op.y);
    }
  }

  /** Where no backward follows, a column's bits do not depend on the batch. */
  private void forward(boolean isRecording) {
    int m = a.shape().rows();
    int n = x.shape().columns();
    int k = a.shape().columns();
    if (x instanceof OneHot hot) {
      y.device().columns().gather(m, n, a.value(), hot.index(), null, y.value());
    } else if (isRecording) {
      blas.multiply(false, false, m, n, k, 1, a.value(), m, x.value(), k, 0, y.value(), m);
    } else {
      blas.multiplyColumns(false, m, n, k, a.value(), m, x.value(), k, 0, y.value(), m);
    }
  }

  @Override
  public void trace(Trace trace) {
    int rows = y.shape().rows();
    trace.give(y, new Graph.Node.Product(trace.matrix(a), rows, trace.factor(x)));
  }

  @Override
  public void backward() {
    int m = a.shape().rows();
    int n = x.shape().columns();
    int k = a.shape().columns();
    if (a.isDifferentiable()) {
      if (x instanceof OneHot hot) {
        y.device().columns().scatterAdd(m, n, y.gradient(), hot.index(), a.accumulator());
      } else {
        blas.multiply(
            false, true, m, k, n, 1, y.gradient(), m, x.value(), k, 1, a.accumulator(), m);
      }
    }
    if (x.isDifferentiable()) {
      blas.multiply(true, false, k, n, m, 1, a.value(), m, y.gradient(), m, 1, x.accumulator(), k);
    }
  }
}
