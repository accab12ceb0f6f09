#include "panels.h"

/* A panel with more columns than registers, in groups of nearly equal width, each piece while it is in the cache:
 * the first group brings it there. */
INLINE void multiply_many(int n, int halves, int groups, const float *panel, int64_t terms, const float *b, int64_t ldb,
    float *s) {
  int64_t piece = piece_of(terms);
  for (int64_t k = 0; k < terms; k += piece) {
    int64_t last = least_of(piece, terms - k);
    for (int g = 0; g < groups; g++) {
      int from = n * g / groups, to = n * (g + 1) / groups;
      panels_at w = {panel + k * WIDTH, 0, WIDTH};
      const float *x = b + from * ldb + k;
      float *sums = s + from * WIDTH;
#define MULTIPLY(width)                                                                   \
  if (g == 0) multiply_add(width, halves, 1, 1, 1, w, piece, last, x, ldb, &sums, WIDTH); \
  else multiply_add(width, halves, 1, 1, 0, w, piece, last, x, ldb, &sums, WIDTH)
      BY_WIDTH(to - from, MULTIPLY)
#undef MULTIPLY
    }
  }
}

/* Few columns want several panels at once, so a group of FEW_COLUMNS is given all of them. */
INLINE void multiply(int panels, int halves, const float *packed, int64_t terms, int far, const float *b, int64_t ldb,
    int n, float *const *sums) {
  int groups = (n + COLUMNS - 1) / COLUMNS;
  if (groups > 1 && n > FEW_COLUMNS * groups) {
    for (int i = 0; i < panels; i++)
      multiply_many(n, halves, groups, packed + i * terms * WIDTH, terms, b, ldb, sums[i]);
    return;
  }
  for (int g = 0; g < groups; g++) {
    int from = n * g / groups;
    panels_at w = {packed, terms * WIDTH, WIDTH};
    float *to[MOST_PANELS];
    for (int i = 0; i < panels; i++) to[i] = sums[i] + from * WIDTH;
#define MULTIPLY(width)                                                                                              \
  if (width <= FEW_COLUMNS && far) multiply_few(width, halves, panels, 1, w, terms, b + from * ldb, ldb, to, WIDTH); \
  else multiply_few(width, halves, panels, 0, w, terms, b + from * ldb, ldb, to, WIDTH)
    BY_WIDTH(n * (g + 1) / groups - from, MULTIPLY)
#undef MULTIPLY
  }
}

void NAME(multiply_panels)(int panels, int64_t rows, const float *packed, int64_t terms, int far, const float *b,
    int64_t ldb, int n, float *const *sums) {
  if (rows > LANES) multiply(panels, 2, packed, terms, far, b, ldb, n, sums);
  else multiply(panels, 1, packed, terms, far, b, ldb, n, sums);
}

void NAME(pack)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const packing *p = job;
  int64_t all = blocks(p->rows);
  for (int64_t block = part_begin(all, part, parts); block < part_begin(all, part + 1, parts); block++) {
    float *to = p->packed + (block * p->panels + p->panel) * p->terms * WIDTH;
    int64_t row = block * WIDTH, rows = p->rows - row < WIDTH ? p->rows - row : WIDTH;
    const float *from = p->w + row * p->row;
    for (int64_t term = 0; term < p->terms; term++)
      for (int64_t i = 0; i < WIDTH; i++) to[term * WIDTH + i] = i < rows ? from[i * p->row + term * p->column] : 0;
  }
}
