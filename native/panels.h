/* Packed weights: panel after panel, those of the same block of rows side by side, terms in order. */
#ifndef RECUR_PANELS_H
#define RECUR_PANELS_H
#include "kernels.h"
#include "terms.h"

/* The most columns whose sums lie in a tile: weights are read once for all of them. */
enum { TILE = 128 };

INLINE int64_t blocks(int64_t units) { return (units + WIDTH - 1) / WIDTH; }

INLINE const float *panels_of(const float *packed, int64_t block, int panels, int64_t terms) {
  return packed + block * panels * terms * WIDTH;
}

/* sums i (WIDTH x n) += panel i times b, for up to MOST_PANELS panels and TILE columns of b. The panels follow each
 * other as pack leaves them: those of one block, then those of the next. The bits of a column depend on
 * neither number, nor on its place. rows: those of each panel that exist; sums of others may be left as they are.
 * origin: where the panels come from, see AT_HAND. */
void NAME(multiply_panels)(int panels, int64_t rows, const float *packed, int64_t terms, int origin, const float *b,
    int64_t ldb, int n, sums_at sums);

/* The phase of recur_pack. */
void NAME(pack)(const void *job, int64_t number, int part, int parts);

#endif
