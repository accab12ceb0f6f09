package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;

/** Matrix products by cuBLAS, recorded like all other work. */
final class CublasProducts implements Blas {
  private final Queue queue;

  CublasProducts(Queue queue) {
    this.queue = queue;
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
    queue.product(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  }
}
