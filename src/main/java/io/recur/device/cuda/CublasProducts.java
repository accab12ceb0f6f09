package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;
import java.lang.ref.Reference;

/** Matrix products by cuBLAS, recorded like all other work. */
final class CublasProducts implements Blas {
  private final Queue queue;

  /** Guarded by the queue's monitor. */
  private final Product product = new Product();

  CublasProducts(Queue queue) {
    this.queue = queue;
  }

  /** From the first to the last word of a matrix that may lie in a taller one. */
  private static long words(int rows, int columns, int leading) {
    return (columns - 1L) * leading + rows;
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
    synchronized (queue) {
      queue.refuse();
      product.transposeA = transposeA;
      product.transposeB = transposeB;
      product.m = m;
      product.n = n;
      product.k = k;
      product.alpha = alpha;
      product.a = a.segment(words(transposeA ? k : m, transposeA ? m : k, lda)).address();
      product.lda = lda;
      product.b = b.segment(words(transposeB ? n : k, transposeB ? k : n, ldb)).address();
      product.ldb = ldb;
      product.beta = beta;
      product.c = c.target(words(m, n, ldc)).address();
      product.ldc = ldc;
      queue.record(product);
    }
    Reference.reachabilityFence(a);
    Reference.reachabilityFence(b);
    Reference.reachabilityFence(c);
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
    multiply(transposeA, false, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
  }
}
