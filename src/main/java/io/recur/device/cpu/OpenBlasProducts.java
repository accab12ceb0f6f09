package io.recur.device.cpu;

import static io.recur.bindings.openblas.cblas_h.CblasColMajor;
import static io.recur.bindings.openblas.cblas_h.CblasNoTrans;
import static io.recur.bindings.openblas.cblas_h.CblasTrans;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemm;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemv;
import static io.recur.bindings.openblas.cblas_h.cblas_sger;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;
import java.lang.foreign.MemorySegment;

/** Matrix products by OpenBLAS: gemv for one row or column, ger for one term, gemm for others. */
final class OpenBlasProducts implements Blas {
  /**
   * The most terms that gemv and gemm may add to one float. The sum of gemv is a running one, and
   * so is that of gemm for small matrices on AVX-512: for a million equal terms it is 3e-3 off.
   */
  private static final int MOST_TERMS = 4096;

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
      vector(transposeA, m, k, alpha, a, lda, b, 0, transposeB ? ldb : 1, beta, c, 0, 1);
    } else if (m == 1) {
      vector(!transposeB, n, k, alpha, b, ldb, a, 0, transposeA ? 1 : lda, beta, c, 0, ldc);
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
      for (int from = 0; from < k; from += MOST_TERMS) {
        cblas_sgemm(
            CblasColMajor(),
            transposeA ? CblasTrans() : CblasNoTrans(),
            transposeB ? CblasTrans() : CblasNoTrans(),
            m,
            n,
            Math.min(MOST_TERMS, k - from),
            alpha,
            at(a, transposeA ? from : (long) from * lda),
            lda,
            at(b, transposeB ? (long) from * ldb : from),
            ldb,
            from == 0 ? beta : 1,
            c.target(),
            ldc);
      }
    }
  }

  /** Column by column: gemm adds up the terms of one column and of many in different orders. */
  @Override
  public void multiplyColumns(
      boolean transposeA,
      int m,
      int n,
      int k,
      Buffer a,
      int lda,
      Buffer b,
      int ldb,
      float beta,
      Buffer c,
      int ldc) {
    for (int j = 0; j < n; j++) {
      vector(transposeA, m, k, 1, a, lda, b, (long) j * ldb, 1, beta, c, (long) j * ldc, 1);
    }
  }

  /** {@code y = alpha·op(A)·x + beta·y}, where op(A) is rows × terms, and x and y begin there. */
  private static void vector(
      boolean transpose,
      int rows,
      int terms,
      float alpha,
      Buffer a,
      int lda,
      Buffer x,
      long beginX,
      int strideX,
      float beta,
      Buffer y,
      long beginY,
      int strideY) {
    for (int from = 0; from < terms; from += MOST_TERMS) {
      int few = Math.min(MOST_TERMS, terms - from);
      cblas_sgemv(
          CblasColMajor(),
          transpose ? CblasTrans() : CblasNoTrans(),
          transpose ? few : rows,
          transpose ? rows : few,
          alpha,
          at(a, transpose ? from : (long) from * lda),
          lda,
          at(x, beginX + (long) from * strideX),
          strideX,
          from == 0 ? beta : 1,
          beginY == 0 ? y.target() : y.target().asSlice(beginY * Float.BYTES),
          strideY);
    }
  }

  private static MemorySegment at(Buffer buffer, long floats) {
    MemorySegment segment = buffer.segment();
    return floats == 0 ? segment : segment.asSlice(floats * Float.BYTES);
  }
}
