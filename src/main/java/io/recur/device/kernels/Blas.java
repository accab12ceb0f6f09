package io.recur.device.kernels;

import io.recur.device.Buffer;

/**
 * Matrix products. Matrices are column-major; a leading dimension is counted in floats.
 *
 * <pre>{@code
 * Buffer a = device.allocate(6);                          // 2×3
 * Buffer v = device.allocate(3);                          // 3×1
 * Buffer c = device.allocate(2);
 * kernels.blas().multiply(false, false, 2, 1, 3, 1, a, 2, v, 3, 0, c, 2);
 * }</pre>
 */
public interface Blas {
  /**
   * {@code C = alpha·op(A)·op(B) + beta·C}. With {@code beta = 0} the old content of C is not read.
   * C must not overlap A or B. One column or one term is computed by a matrix-vector routine.
   *
   * @param transposeA whether op(A) is Aᵀ
   * @param transposeB whether op(B) is Bᵀ
   * @param m rows of op(A) and of C
   * @param n columns of op(B) and of C
   * @param k columns of op(A), rows of op(B)
   * @param alpha factor of the product
   * @param a A, {@code m×k}, or {@code k×m} where it is transposed
   * @param lda leading dimension of A
   * @param b B, {@code k×n}, or {@code n×k} where it is transposed
   * @param ldb leading dimension of B
   * @param beta factor of the old C
   * @param c C, {@code m×n}
   * @param ldc leading dimension of C
   */
  void multiply(
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
      int ldc);

  /**
   * {@code C = op(A)·B + beta·C} where a column of C has the same bits whatever n is: they depend
   * on A and that column of B and C alone. On a GPU cuBLAS chooses an order of each sum by the
   * sizes, n among them, and the bits may differ within float tolerance.
   *
   * @param transposeA whether op(A) is Aᵀ
   * @param m rows of op(A) and of C
   * @param n columns of B and of C
   * @param k columns of op(A), rows of B
   * @param a A, {@code m×k}, or {@code k×m} where it is transposed
   * @param lda leading dimension of A
   * @param b B, {@code k×n}
   * @param ldb leading dimension of B
   * @param beta factor of the old C, 0 or 1
   * @param c C, {@code m×n}, which overlaps neither A nor B
   * @param ldc leading dimension of C
   */
  void multiplyColumns(
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
      int ldc);
}
