/* What the parts of the library say to each other. */
#ifndef RECUR_KERNELS_H
#define RECUR_KERNELS_H
#include "recur.h"
#include "team.h"

/* One instruction set. */
typedef struct {
  int64_t width;   /* rows of a packed panel */
  int64_t group;   /* columns that a product computes together */
  int64_t tile;    /* columns of a tile */
  phase *pack, *multiply_columns, *program, *pointwise, *binary, *columns, *reduce, *update;
} kernels;

extern const kernels kernels_sse2, kernels_avx2, kernels_avx512, kernels_neon;

typedef void sgemm_function(int, int, int, int, int, int, float, const float *, int, const float *,
    int, float, float *, int); /* cblas_sgemm */

/* A context. */
struct recur {
  const kernels *set;
  sgemm_function *sgemm;
  team *team;
};

/* Panel `panel` of `panels` that lie side by side. */
typedef struct {
  int64_t panels, panel, rows, terms;
  const float *w;
  int64_t row, column;
  float *packed;
} packing;

/* C = op(A) B, or C += op(A) B; op(A): m x k, B: k x n. */
typedef struct {
  int transpose, adds;
  int64_t m, n, k;
  const float *a;
  int64_t lda;
  const float *b;
  int64_t ldb;
  float *c;
  int64_t ldc;
} matrix_product;

/* The pieces of a sum: their number depends on the count of values alone, and they are added in
 * order, so the bits of a sum do not depend on the number of threads. */
enum { PIECES = 64, LEAST_PIECE = 1024 };

/* A pass over values, the numbers of the operations, and what each reads: */
enum {
  FILL,           /* y = alpha */
  COPY,           /* y = a */
  AFFINE,         /* y = alpha a + beta */
  COMBINE,        /* y = a + alpha b */
  TIMES,          /* y = a b */
  ADD_PRODUCT,    /* y += a b */
  CLAMP,          /* y = a within alpha and beta */
  ADD_CLAMP_DERIVATIVE, /* y += b where a is within alpha and beta */
  MAP,            /* y = f(a) */
  ADD_DERIVATIVE, /* y += c f'(a), where b = f(a) */
  DROP,           /* y (+)= a/(1 - alpha) or 0, by the coins of seed */
  SUM,            /* sums of pieces of a */
  SUM_OF_SQUARES  /* of its squares */
};
typedef struct {
  int operation, function, accumulate;
  float alpha, beta;
  uint64_t seed;
  const float *a, *b, *c;
  float *y;
  int64_t n, piece, pieces;
  double *sums;
} pointwise_pass;

/* A binary function of A and B, or what its gradient d gives to one of them; y and d are m x n. row_a: floats from one
 * row of A to the next, 0 or 1; column_a: from one column to the next. */
enum { TO_Y, TO_A, TO_B };
typedef struct {
  int function, target, accumulate;
  int64_t m, n, row_a, column_a, row_b, column_b;
  const float *a, *b, *d;
  float *y;
} binary_pass;

/* A pass over the columns of m x n matrices; recur.h has the formulas. */
enum {
  ADD_COLUMN, ADD_COLUMN_SUM, BLOCK, GATHER, SCATTER_ADD, SOFTMAX, SOFTMAX_DERIVATIVE, CROSS_ENTROPY,
  CROSS_ENTROPY_DERIVATIVE
};
typedef struct {
  int operation, flag; /* flag: accumulate, or logarithm */
  int64_t m, n, ldx, ldy;
  const float *x, *b;
  const int32_t *index;
  float *y, *carry;
  float alpha;
  int64_t piece, pieces;
  double *sums;
} columns_pass;

/* A reduction over the n of m x n x t values; along: m is 1, and the n values are the rows of a column. */
enum { BY_SUM, BY_MEAN, BY_MAX, BY_VARIANCE };
enum { REDUCE, ADD_REDUCED /* to y */, REDUCTION_DERIVATIVE /* added to y, from the result b and its gradient c */ };
typedef struct {
  int operation, reduction, along;
  int64_t m, n, t;
  const float *x, *b, *c;
  float *y, *carry;
} reduction_pass;

/* A step of an optimiser. */
typedef struct {
  int rule;
  float *w, *g, *slots[3], settings[6];
  int64_t n;
} update_pass;

#endif
