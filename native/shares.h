/* How the parts of a team share the items of a phase. */
#ifndef RECUR_SHARES_H
#define RECUR_SHARES_H
#include <stdatomic.h>

#include "kernels.h"

/* How many of a part's items of a phase are taken: a part takes its own in order, then those of others. */
typedef struct {
  _Alignas(64) atomic_llong taken;
} claim;

/* Called by every part when it begins a phase: resets the claims of the next one. */
static inline claim *claims_for(claim *claims, int64_t number, int part, int parts) {
  if (part == 0)
    for (int i = 0; i < parts; i++)
      atomic_store_explicit(&claims[(number + 1) % 2 * parts + i].taken, 0, memory_order_relaxed);
  return claims + number % 2 * parts;
}

/* What a part computes next: some adjacent blocks of units, in some of the batch's columns or in some steps. */
typedef struct {
  int64_t block, from, to;
  int blocks;
} share;

/* Takes up to at_once of the blocks, or, where it cuts, one block of whose `size` columns or steps two parts may have some
 * each: they would wait for whoever has one block more. Returns 0 where all are taken. helped counts from 0 the parts
 * whose shares are all taken. */
static inline int take_share(claim *claims, int64_t blocks, int64_t size, int part, int parts, int at_once, int cuts,
    int *helped, share *next) {
  if (parts == 1) { /* nobody to share with */
    int64_t block = (int64_t)at_once * (*helped)++, left = blocks - block;
    *next = (share){block, 0, size, at_once < left ? at_once : left};
    return left > 0;
  }
  for (int64_t each = cuts ? size : 1; *helped < parts; (*helped)++) {
    int owner = (part + *helped) % parts;
    int64_t begin = part_begin(blocks * each, owner, parts), end = part_begin(blocks * each, owner + 1, parts);
    int64_t first = begin / each, last = (end + each - 1) / each;
    if (begin == end || first + atomic_load_explicit(&claims[owner].taken, memory_order_relaxed) >= last) continue;
    int64_t block = first + atomic_fetch_add_explicit(&claims[owner].taken, at_once, memory_order_relaxed);
    if (block >= last) continue;
    next->block = block;
    next->blocks = at_once < last - block ? at_once : last - block;
    next->from = cuts && block == first ? begin % each : 0;
    next->to = cuts && block == last - 1 ? end - block * each : size;
    return 1;
  }
  return 0;
}

#endif
