/* What products.c and blas.c say to each other. */
#ifndef RECUR_DOUBLE_PRODUCTS_H
#define RECUR_DOUBLE_PRODUCTS_H
#include "calls.h"

enum {
  BLAS_NOT_INITIALIZED = 1,
  BLAS_ALLOC_FAILED = 3,
  BLAS_INVALID_VALUE = 7,
  BLAS_EXECUTION_FAILED = 13,
  BLAS_NOT_SUPPORTED = 15,
};

enum { COMPUTE_FLOAT = 68, COMPUTE_PEDANTIC = 69, COMPUTE_BF16 = 75, COMPUTE_TF32 = 77 };
enum { NOT_ROUNDED, TO_TF32, TO_BF16 };

typedef struct blas {
  object object;
  void *stream; /* its handle */
  address workspace;
  int math, pointers, atomics;
} blas;

typedef struct request {
  int op_a, op_b;
  int64_t m, n, k, count;
  const void *alpha, *beta;
  int compute;
} request;

typedef struct operand {
  const void *at;
  int64_t lead, stride;
  int type;
} operand;

blas *blas_of(void *handle, int *code);        /* of this thread's context, or NULL and why */
int rounding_of(const blas *h, int compute);   /* of what is multiplied; negative: not supported */
int take_scalar(const blas *h, const void *from, float *value, address *at); /* now, or its address */

void multiply_columns(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
    const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

#endif
