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

/* One instruction set. */
typedef struct {
  int64_t width; /* rows of a packed panel */
  phase *pack, *forward, *backward;
} kernels;

typedef struct {
  int64_t gates, units, terms;
  const float *w;
  int64_t row, column;
  float *packed;
} packing;

extern const kernels kernels_sse2, kernels_avx2, kernels_avx512, kernels_neon;

#endif
