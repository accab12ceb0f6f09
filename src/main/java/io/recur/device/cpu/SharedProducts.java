package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_product;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;

/** Matrix products by OpenBLAS. The team shares larger ones; each thread computes a part. */
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
}
