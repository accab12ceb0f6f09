package io.recur.device;

import static io.recur.bindings.openblas.cblas_h.CblasColMajor;
import static io.recur.bindings.openblas.cblas_h.CblasNoTrans;
import static io.recur.bindings.openblas.cblas_h.CblasTrans;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemm;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemv;
import static io.recur.bindings.openblas.cblas_h.cblas_sger;

import io.recur.device.kernels.Blas;

/** Matrix products by OpenBLAS: gemm, but gemv for one row or column and ger for one term. */
final class CpuBlas implements Blas {
  @Override
  public void multiply(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      Buffer a,
      int lda,
      Buffer b,
      int ldb,
      float beta,
      Buffer c,
      int ldc) {
    if (n == 1) {
      vector(transposeA, m, k, alpha, a, lda, b, transposeB ? ldb : 1, beta, c, 1);
    } else if (m == 1) {
      vector(!transposeB, n, k, alpha, b, ldb, a, transposeA ? 1 : lda, beta, c, ldc);
    } else if (k == 1 && beta == 1) {
      cblas_sger(
          CblasColMajor(),
          m,
          n,
          alpha,
          a.segment(),
          transposeA ? lda : 1,
          b.segment(),
          transposeB ? 1 : ldb,
          c.target(),
          ldc);
    } else {
      cblas_sgemm(
          CblasColMajor(),
          transposeA ? CblasTrans() : CblasNoTrans(),
          transposeB ? CblasTrans() : CblasNoTrans(),
          m,
          n,
          k,
          alpha,
          a.segment(),
          lda,
          b.segment(),
          ldb,
          beta,
          c.target(),
          ldc);
    }
  }

  /** {@code y = alpha·op(A)·x + beta·y}, where op(A) is rows × terms. */
  private static void vector(
      boolean transpose,
      int rows,
      int terms,
      float alpha,
      Buffer a,
      int lda,
      Buffer x,
      int strideX,
      float beta,
      Buffer y,
      int strideY) {
    cblas_sgemv(
        CblasColMajor(),
        transpose ? CblasTrans() : CblasNoTrans(),
        transpose ? terms : rows,
        transpose ? rows : terms,
        alpha,
        a.segment(),
        lda,
        x.segment(),
        strideX,
        beta,
        y.target(),
        strideY);
  }
}
