/* The elementwise functions on runs of values, one implementation per instruction set. */
#ifndef RECUR_POINTWISE_H
#define RECUR_POINTWISE_H
#include <stdint.h>

#include "kernels.h"
#include "vector.h"

#define ELEMENT vf
#define DEVICE INLINE
#include "cuda/elementwise.h"

/* The coins of values first, first + 1 ...: 24 uniform bits from a seed and a counter, the finaliser
 * of SplitMix64 (its last shift does not reach these bits). */
INLINE void toss(uint64_t seed, int64_t first, int n, int32_t *coins) {
  for (int i = 0; i < n; i++) {
    uint64_t z = seed + (uint64_t)(first + i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    coins[i] = (int32_t)(z >> 40);
  }
}

/* y = f(x); y may be x. */
void NAME(map)(int f, const float *x, float *y, int64_t n);

/* d = f'(x), where y = f(x); d may be x or y. */
void NAME(derivative)(int f, const float *x, const float *y, float *d, int64_t n);

/* A part of a pass ends at a multiple of CUT values or rows, so that only the last one has a vector that is not full,
 * and the bits of a value do not depend on the number of parts. */
enum { CUT = 64 };

typedef struct {
  int64_t from, to;
} range;

INLINE range rows_of(int64_t m, int part, int parts) {
  int64_t cuts = (m + CUT - 1) / CUT, to = part_begin(cuts, part + 1, parts) * CUT;
  return (range){part_begin(cuts, part, parts) * CUT, to < m ? to : m};
}

/* A part of an m x n matrix: some columns, or some rows where there are too few columns for all parts. */
INLINE void share_out(int64_t m, int64_t n, int part, int parts, range *rows, range *columns) {
  *rows = (range){0, m};
  *columns = (range){0, n};
  if (n < 4 * (int64_t)parts) *rows = rows_of(m, part, parts);
  else *columns = (range){part_begin(n, part, parts), part_begin(n, part + 1, parts)};
}

/* Phases of the passes in kernels.h. */
phase NAME(pointwise), NAME(binary), NAME(columns), NAME(reduce), NAME(update);

#endif
