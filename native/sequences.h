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
static inline claim *claims_for(claim *claims, int64_t number, int part, int parts) {
  if (part == 0)
    for (int i = 0; i < parts; i++)
      atomic_store_explicit(&claims[(number + 1) % 2 * parts + i].taken, 0, memory_order_relaxed);
  return claims + number % 2 * parts;
}
static inline claim *claims_of(const sequence_job *job, int64_t number, int part, int parts) {
  return claims_for(job->claims, number, part, parts);
}

/* What a part computes next: some adjacent blocks of units, in some of the batch's columns. */
typedef struct {
  int64_t block;
  int blocks, from, to;
} share;

/* Takes up to at_once of the blocks, or, where it cuts, one block of which two parts may have some columns each: they
 * would wait for whoever has one block more. Returns 0 where all are taken. helped counts from 0 the parts whose
 * shares are all taken. */
static inline int take_share(claim *claims, int64_t blocks, int batch, int part, int parts, int at_once, int cuts,
    int *helped, share *next) {
  if (parts == 1) { /* nobody to share with */
    int64_t block = (int64_t)at_once * (*helped)++, left = blocks - block;
    *next = (share){block, at_once < left ? at_once : left, 0, batch};
    return left > 0;
  }
  for (int64_t each = cuts ? batch : 1; *helped < parts; (*helped)++) {
    int owner = (part + *helped) % parts;
    int64_t begin = part_begin(blocks * each, owner, parts), end = part_begin(blocks * each, owner + 1, parts);
    int64_t first = begin / each, last = (end + each - 1) / each;
    if (begin == end || first + atomic_load_explicit(&claims[owner].taken, memory_order_relaxed) >= last) continue;
    int64_t block = first + atomic_fetch_add_explicit(&claims[owner].taken, at_once, memory_order_relaxed);
    if (block >= last) continue;
    next->block = block;
    next->blocks = at_once < last - block ? at_once : last - block;
    next->from = cuts && block == first ? begin % each : 0;
    next->to = cuts && block == last - 1 ? end - block * each : batch;
    return 1;
  }
  return 0;
}

#endif
