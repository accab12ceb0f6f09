package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_multiply_columns;
import static io.recur.bindings.kernels.recur_h.recur_product;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;

/**
 * Matrix products by OpenBLAS, and by kernels of ours where a column's bits must not depend on the
 * others. The team shares larger ones; each thread computes a part.
 */
final class SharedProducts implements Blas {
  private final Kernels kernels;
  private final Blas single;

  SharedProducts(Kernels kernels, Blas single) {
    this.kernels = kernels;
    this.single = single;
  }

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
    if (m == 1 || n == 1 || k == 1) {
      single.multiply(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
      return;
    }
    recur_product(
        kernels.context(),
        transposeA ? 1 : 0,
        transposeB ? 1 : 0,
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
    recur_multiply_columns(
        kernels.context(),
        transposeA ? 1 : 0,
        m,
        n,
        k,
        a.segment(),
        lda,
        b.segment(),
        ldb,
        beta == 0 ? 0 : 1,
        c.target(),
        ldc);
  }
}
