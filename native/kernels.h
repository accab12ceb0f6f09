/* What the parts of the library say to each other. */
#ifndef RECUR_KERNELS_H
#define RECUR_KERNELS_H
#include "recur.h"

#include <stdatomic.h>

/* Part number `part` of `parts` of one phase of a job. Between two phases all parts wait. */
typedef void phase(const void *job, int64_t number, int part, int parts);

/* Runs the phases of a job, each in as many parts as there are threads, or in one where the work of
 * a phase, in multiply-adds, does not pay for a second thread. */
void team_run(recur *r, phase *run, const void *job, int64_t phases, int64_t work);

/* First item of a part: items are shared out evenly, in order. */
static inline int64_t part_begin(int64_t items, int part, int parts) { return items * part / parts; }

/* Items of a phase that a part has not handed out yet: it takes its own in order, then helps others. */
typedef struct {
  _Alignas(64) atomic_llong taken;
} claim;

/* The job of forward and backward: two sets of claims, a phase's and the next one's. */
typedef struct {
  const recur_sequence *s;
  claim *claims;
} sequence_job;

/* Called by every part when it begins a phase: makes the claims of the next one ready. */
static inline claim *claims_of(const sequence_job *job, int64_t number, int part, int parts) {
  if (part == 0)
    for (int i = 0; i < parts; i++)
      atomic_store_explicit(&job->claims[(number + 1) % 2 * parts + i].taken, 0, memory_order_relaxed);
  return job->claims + number % 2 * parts;
}

/* The next item for a part, or -1; helped counts from 0 the parts whose items are all taken. */
static inline int64_t next_item(claim *claims, int64_t items, int part, int parts, int *helped) {
  for (; *helped < parts; (*helped)++) {
    int owner = (part + *helped) % parts;
    int64_t begin = part_begin(items, owner, parts), end = part_begin(items, owner + 1, parts);
    if (begin + atomic_load_explicit(&claims[owner].taken, memory_order_relaxed) >= end) continue;
    int64_t item = begin + atomic_fetch_add_explicit(&claims[owner].taken, 1, memory_order_relaxed);
    if (item < end) return item;
  }
  return -1;
}

/* Backward makes the gradients of the weights from those of a run of steps: of some 256 columns, while
 * these are still in the cache; of all steps where the weights' own gradients would not stay there from
 * run to run. The last run may have less. */
static inline int64_t run_steps(const recur_sequence *s) {
  int64_t gates = s->cell == RECUR_LSTM ? 4 : s->cell == RECUR_RNN ? 1 : 3;
  int64_t steps = s->batch < 256 ? 256 / s->batch : 1;
  return steps < s->time && gates * s->units * ((int64_t)s->units + s->in) <= 1 << 20 ? steps : s->time;
}

/* Floats of packed columns that a part takes to make gradients of weights: half of a large second-level
 * cache, or one column. */
static inline int64_t strip_room(const recur_sequence *s) {
  int64_t terms = s->in > s->units ? s->in : s->units;
  return terms > 1 << 17 ? terms : 1 << 17;
}

/* One instruction set. */
typedef struct {
  int64_t width; /* rows of a packed panel */
  int (*projects_all)(const recur_sequence *s); /* whether forward begins with a phase more */
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
  float *y, *carry;
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
