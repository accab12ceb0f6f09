/* Products that the team shares. */
#include <stdbool.h>

#include "kernels.h"

typedef struct {
  sgemm_function *sgemm;
  int transpose_a, transpose_b;
  int64_t m, n, k;
  float alpha;
  const float *a;
  int64_t lda;
  const float *b;
  int64_t ldb;
  float beta;
  float *c;
  int64_t ldc;
} product;

/* A part is a strip of the longer side of C, cut at multiples of 16. */
static void multiply(const void *job, int64_t number, int part, int parts) {
  (void)number;
  enum { COLUMN_MAJOR = 102, PLAIN = 111, TRANSPOSED = 112, CUT = 16 };
  const product *p = job;
  int64_t side = p->m >= p->n ? p->m : p->n;
  int64_t cuts = (side + CUT - 1) / CUT;
  int64_t from = part_begin(cuts, part, parts) * CUT;
  int64_t to = part_begin(cuts, part + 1, parts) * CUT;
  if (to > side) to = side;
  if (from >= to) return;
  bool rows = p->m >= p->n;
  int64_t m = rows ? to - from : p->m, n = rows ? p->n : to - from;
  int64_t i = rows ? from : 0, j = rows ? 0 : from;
  p->sgemm(COLUMN_MAJOR, p->transpose_a ? TRANSPOSED : PLAIN, p->transpose_b ? TRANSPOSED : PLAIN,
      m, n, p->k, p->alpha, p->a + (p->transpose_a ? i * p->lda : i), p->lda,
      p->b + (p->transpose_b ? j : j * p->ldb), p->ldb, p->beta, p->c + i + j * p->ldc, p->ldc);
}

void recur_product(recur *r, int32_t transpose_a, int32_t transpose_b, int64_t m, int64_t n, int64_t k,
    float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
    int64_t ldc) {
  product p = {r->sgemm, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc};
  team_run(r->team, multiply, &p, 1, m * n * k / 32); /* below 2 million multiply-adds, waking costs more */
}

void recur_multiply_columns(recur *r, int32_t transpose_a, int64_t m, int64_t n, int64_t k, const float *a,
    int64_t lda, const float *b, int64_t ldb, int32_t accumulate, float *c, int64_t ldc) {
  matrix_product p = {transpose_a, accumulate, m, n, k, a, lda, b, ldb, c, ldc};
  team_run(r->team, r->set->multiply_columns, &p, 1, m * n * k / 32);
}
