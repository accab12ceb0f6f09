/* What the kernels of a whole sequence and those who call them agree on: how many gates and tiles a cell has, how a
 * sequence is cut into runs of steps, and how the parts of a team share the items of a phase. */
#ifndef RECUR_SEQUENCES_H
#define RECUR_SEQUENCES_H
#include <stdatomic.h>

#include "kernels.h"

/* Gates that multiply x, and tiles that a patch keeps: an LSTM keeps c and tanh c beside its gates, a
 * GRU Wh3 h + bh. A derivative reads them from one piece of memory; columns of H x B would be far apart. */
enum { MOST_GATES = 4 };
static inline int gate_count(const recur_sequence *s) {
  return s->cell == RECUR_LSTM ? 4 : s->cell == RECUR_RNN ? 1 : 3;
}
static inline int tile_count(const recur_sequence *s) {
  return s->cell == RECUR_LSTM ? 6 : s->cell == RECUR_GRU ? 4 : gate_count(s);
}

/* Tiles of gradients: of the sums of each gate, and for a GRU of Wh3 h. */
static inline int dtile_count(const recur_sequence *s) {
  return s->cell == RECUR_GRU ? 4 : gate_count(s);
}

/* Backward computes the gradients of the weights from those of a run of steps: of some 256 columns, while
 * these are still in the cache; of all steps where the weights' own gradients would not stay there from
 * run to run. The last run may have less. */
static inline int64_t run_steps(const recur_sequence *s) {
  int64_t steps = s->batch < 256 ? 256 / s->batch : 1;
  int64_t weights = gate_count(s) * (int64_t)s->units * ((int64_t)s->units + s->in);
  return steps < s->time && weights <= 1 << 20 ? steps : s->time;
}

/* Floats of packed columns that a part takes to compute gradients of weights: half of a large second-level
 * cache, or one column. */
static inline int64_t strip_room(const recur_sequence *s) {
  int64_t terms = s->in > s->units ? s->in : s->units;
  return terms > 1 << 17 ? terms : 1 << 17;
}

/* How many of a part's items of a phase are taken: a part takes its own in order, then those of others. */
typedef struct {
  _Alignas(64) atomic_llong taken;
} claim;

/* The job of forward and backward: two sets of claims, a phase's and the next one's. */
typedef struct {
  const recur_sequence *s;
  claim *claims;
} sequence_job;

/* Called by every part when it begins a phase: resets the claims of the next one. */
static inline claim *claims_of(const sequence_job *job, int64_t number, int part, int parts) {
  if (part == 0)
    for (int i = 0; i < parts; i++)
      atomic_store_explicit(&job->claims[(number + 1) % 2 * parts + i].taken, 0, memory_order_relaxed);
  return job->claims + number % 2 * parts;
}

/* The first of up to *count next items for a part, and how many, or -1; helped counts from 0 the parts whose items are
 * all taken. */
static inline int64_t next_items(claim *claims, int64_t items, int part, int parts, int *helped, int *count) {
  for (; *helped < parts; (*helped)++) {
    int owner = (part + *helped) % parts;
    int64_t begin = part_begin(items, owner, parts), end = part_begin(items, owner + 1, parts);
    if (begin + atomic_load_explicit(&claims[owner].taken, memory_order_relaxed) >= end) continue;
    int64_t item = begin + atomic_fetch_add_explicit(&claims[owner].taken, *count, memory_order_relaxed);
    if (item >= end) continue;
    if (*count > end - item) *count = end - item;
    return item;
  }
  return -1;
}

#endif
