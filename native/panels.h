/* Packed weights: panel after panel, the gates of the same units side by side, terms in order. */
#ifndef RECUR_PANELS_H
#define RECUR_PANELS_H
#include "kernels.h"
#include "vector.h"

/* Columns whose sums lie in a tile beside the registers, and terms whose panel stays in L1. */
enum { TILE = 48, TERMS = 128 };

typedef float tile[TILE * WIDTH]; /* WIDTH x TILE */

/* Pairs of vectors of sums that fit in the registers beside several panels, panels and pieces of a sum at once, and
 * columns up to which one panel's sums alone do not hide the latency of an addition. */
enum { MOST_SUMS = COLUMNS > 6 ? 12 : 6, MOST_PANELS = 4, MOST_PIECES = 4, FEW_COLUMNS = 3 };

/* CALL(width) for a width from 1 to COLUMNS that the compiler is to know. */
#define BY_WIDTH(width, CALL)                    \
  switch (width) {                               \
    case 1: CALL(1); break;                      \
    case 2: CALL(2); break;                      \
    case 3: CALL(3); break;                      \
    case 4: CALL(4); break;                      \
    case 5: CALL(5); break;                      \
    case 6: CALL(6); break;                      \
    case 7: CALL((7 <= COLUMNS ? 7 : 1)); break; \
    case 8: CALL((8 <= COLUMNS ? 8 : 1)); break; \
  }

INLINE int64_t blocks(int64_t units) { return (units + WIDTH - 1) / WIDTH; }

INLINE const float *panel_of(const float *packed, int64_t block, int gate, int gates, int64_t terms) {
  return packed + (block * gates + gate) * terms * WIDTH;
}

/* sums[i] (WIDTH x n) += panel i times b, for up to MOST_PANELS panels and TILE columns of b. The panels follow each
 * other as pack leaves them: the gates of one block, or the same of adjacent blocks. The bits of a column depend on
 * neither number, nor on its place. far: whether the panels have to come from beyond the caches of this core. */
void NAME(multiply_panels)(int panels, const float *packed, int64_t terms, int far, const float *b, int64_t ldb,
    int n, float *const *sums);

/* The phase of recur_pack. */
void NAME(pack)(const void *job, int64_t number, int part, int parts);

#endif
