package io.recur.device.cuda;

/**
 * The arguments of a matrix product, see {@link io.recur.device.kernels.Blas#multiply}, with the
 * addresses of its matrices on the card. Filled again and again under the queue's monitor, so that
 * a product makes no object.
 */
final class Product {
  boolean transposeA;
  boolean transposeB;
  int m;
  int n;
  int k;
  float alpha;
  long a;
  int lda;
  long b;
  int ldb;
  float beta;
  long c;
  int ldc;
}
