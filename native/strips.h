/* Products of panels of gradients with matrices. The columns of a matrix are first packed in strips of up to COLUMNS
 * features, term after term. */
#ifndef RECUR_STRIPS_H
#define RECUR_STRIPS_H
#include "panels.h"

/* Terms that are summed up in registers before they are added to the gradient: the roundings of a sum over a
 * million terms are shared out between the two. */
enum { MOST_TERMS = 1024 };

INLINE int64_t strip_count(int64_t features) { return (features + COLUMNS - 1) / COLUMNS; }

INLINE void pack_strips(const float *x, int64_t features, int64_t terms, float *packed) {
  int64_t strips = strip_count(features);
  for (int64_t i = 0; i < strips; i++) {
    const float *from = x + features * i / strips;
    float *to = packed + features * i / strips * terms;
#define PACK(n) \
  for (int64_t k = 0; k < terms; k++) memcpy(to + k * (n), from + k * features, sizeof(float) * (n))
    BY_WIDTH(features * (i + 1) / strips - features * i / strips, PACK)
#undef PACK
  }
}

/* dw (WIDTH rows of which `rows` exist, n columns) += panel x'. It asks for dw first, whose lines come from afar. */
INLINE void add_strip(int n, int halves, const float *panel, int64_t terms, const float *x, int64_t rows, float *dw,
    int64_t ldw) {
  vf sum[COLUMNS][2] = {};
  for (int j = 0; j < n; j++)
    for (int half = 0; half < halves; half++) __builtin_prefetch(dw + j * ldw + half * LANES, 1);
  for (int64_t k = 0; k < terms; k++) {
    vf low = load(panel + k * WIDTH), high = load(panel + k * WIDTH + LANES);
    for (int j = 0; j < n; j++) {
      vf value = splat(x[k * n + j]);
      sum[j][0] += low * value;
      if (halves > 1) sum[j][1] += high * value;
    }
  }
  for (int j = 0; j < n; j++)
    for (int half = 0; half < halves; half++) {
      float *to = dw + j * ldw + half * LANES;
      store_part(to, load_part(to, rows - half * LANES) + sum[j][half], rows - half * LANES);
    }
}

/* The same of strips first ... last - 1. Meanwhile it asks for the next panel, which nobody has read since it was
 * written. */
INLINE void add_strips(const float *panel, const float *next, int64_t features, int64_t terms,
    const float *packed, int64_t rows, int64_t first, int64_t last, float *dw, int64_t ldw) {
  int64_t strips = strip_count(features), size = terms * WIDTH;
  for (int64_t i = first; i < last; i++) {
    int64_t j = features * i / strips;
    for (int64_t ahead = size * i / strips; ahead < size * (i + 1) / strips; ahead += 16)
      __builtin_prefetch(next + ahead);
#define ADD(n)                                                                                      \
  if (rows > LANES) add_strip(n, 2, panel, terms, packed + j * terms, rows, dw + j * ldw, ldw); \
  else add_strip(n, 1, panel, terms, packed + j * terms, rows, dw + j * ldw, ldw)
    BY_WIDTH(features * (i + 1) / strips - j, ADD)
#undef ADD
  }
}

/* The place of a carry, if there are carries. */
INLINE float *beside(float *carry, int64_t at) { return carry ? carry + at : NULL; }

#endif
