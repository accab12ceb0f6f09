/* What the parts of the library say to each other. */
#ifndef RECUR_KERNELS_H
#define RECUR_KERNELS_H
#include "recur.h"

/* Part number `part` of `parts` of one phase of a job. Between two phases all parts wait. */
typedef void phase(const void *job, int64_t number, int part, int parts);

/* Runs the phases of a job, each in as many parts as there are threads, or in one where the work of
 * a phase, in multiply-adds, does not pay for a second thread. */
void team_run(recur *r, phase *run, const void *job, int64_t phases, int64_t work);

/* First item of a part: items are shared out evenly, in order. */
static inline int64_t part_begin(int64_t items, int part, int parts) { return items * part / parts; }

/* Floats of packed columns that a part takes to make gradients of weights: at least one step's. */
static inline int64_t strip_room(const recur_sequence *s) {
  int64_t terms = s->in > s->units ? s->in : s->units, step = terms * s->batch;
  return step > 1 << 16 ? step : 1 << 16;
}

/* One instruction set. */
typedef struct {
  int64_t width; /* rows of a packed panel */
  phase *pack, *forward, *backward, *pointwise, *columns, *update;
} kernels;

/* Those of a context. */
const kernels *kernels_of(const recur *r);

typedef struct {
  int64_t gates, units, terms;
  const float *w;
  int64_t row, column;
  float *packed;
} packing;

/* The pieces of a sum: their number depends on the count of values alone, and they are added in
 * order, so the bits of a sum do not depend on the number of threads. */
enum { PIECES = 64, LEAST_PIECE = 1024 };

/* A pass over values, the numbers of the operations, and what each reads: */
enum {
  FILL,           /* y = alpha */
  COPY,           /* y = a */
  SCALE,          /* y = alpha a */
  COMBINE,        /* y = a + alpha b */
  MULTIPLY,       /* y = a b */
  ADD_PRODUCT,    /* y += a b */
  ADD_VALUE,      /* y += alpha */
  CLAMP,          /* y within -alpha and alpha */
  MAP,            /* y = f(a) */
  ADD_SLOPE,      /* y += c f'(a), where b = f(a) */
  DROP,           /* y (+)= a/(1 - alpha) or 0, by the coins of seed */
  SUM,            /* sums of pieces of a */
  SUM_OF_SQUARES  /* of its squares */
};
typedef struct {
  int operation, function, accumulate;
  float alpha;
  uint64_t seed;
  const float *a, *b, *c;
  float *y;
  int64_t n, piece, pieces;
  double *sums;
} pointwise_pass;

/* A pass over the columns of m x n matrices; recur.h has the formulas. */
enum {
  ADD_COLUMN, ADD_COLUMN_SUM, BLOCK, GATHER, SCATTER_ADD, SOFTMAX, SOFTMAX_SLOPE, CROSS_ENTROPY,
  CROSS_ENTROPY_SLOPE
};
typedef struct {
  int operation, flag; /* flag: accumulate, or logarithm */
  int64_t m, n, ldx, ldy;
  const float *x, *b;
  const int32_t *index;
  float *y;
  float alpha;
  int64_t piece, pieces;
  double *sums;
} columns_pass;

/* A step of an optimiser. */
typedef struct {
  int rule;
  float *w, *g, *slots[3], settings[6];
  int64_t n;
} update_pass;

extern const kernels kernels_sse2, kernels_avx2, kernels_avx512, kernels_neon;

#endif
