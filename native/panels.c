#include "panels.h"

#include <stddef.h>

/* Vectors of panels that are read together for more columns than registers. */
enum { MANY_VECTORS = 3 * COLUMNS <= 2 * MOST_SUMS ? 3 : 2 };

/* All panels with n <= COLUMNS columns. */
INLINE void multiply_group(int n, int panels, int halves, const float *packed, int64_t terms, int origin, const float *b,
    int64_t ldb, sums_at sums) {
  panels_at w = {packed, terms * WIDTH, WIDTH};
#define MULTIPLY(halves)                                                                                                \
  if (n > FEW_COLUMNS || origin == FAR) multiply_few(n, halves, panels, FAR, w, terms, b, ldb, sums);                  \
  else if (origin == NEAR) multiply_few(n <= FEW_COLUMNS ? n : 1, halves, panels, NEAR, w, terms, b, ldb, sums);        \
  else multiply_few(n <= FEW_COLUMNS ? n : 1, halves, panels, AT_HAND, w, terms, b, ldb, sums)
  if (halves == 2) { MULTIPLY(2); }
  else { MULTIPLY(1); }
#undef MULTIPLY
}

/* Some vectors of panels with more columns than registers, in groups of nearly equal width, each piece while it is in the
 * cache: the first group brings it there. */
INLINE void multiply_many(int halves, int vectors, int odd, const float *packed, int64_t terms, const float *b, int64_t ldb,
    int n, int groups, sums_at sums) {
  int64_t piece = piece_of(terms);
  for (int64_t k = 0; k < terms; k += piece) {
    panels_at w = {packed + k * WIDTH, terms * WIDTH, WIDTH};
    int64_t last = least_of(piece, terms - k);
    for (int g = 0; g < groups; g++) {
      int from = n * g / groups, to = n * (g + 1) / groups;
      const float *x = b + from * ldb + k;
      const float *begin[3];
      float *end[3];
      for (int i = 0; i < vectors; i++) {
        begin[PANEL_OF(i)] = sums.from[PANEL_OF(i)] + from * sums.from_apart;
        end[PANEL_OF(i)] = sums.to[PANEL_OF(i)] + from * sums.apart;
      }
      sums_at its = {begin, sums.from_apart, end, sums.apart};
#define MULTIPLY(width)                                                                          \
  if (g == 0) multiply_add(width, halves, vectors, odd, 1, FAR, w, last, last, x, ldb, its); \
  else multiply_add(width, halves, vectors, odd, 1, AT_HAND, w, last, last, x, ldb, its)
      BY_WIDTH(to - from, MULTIPLY)
#undef MULTIPLY
    }
    sums = added_to(sums.to, sums.apart);
  }
}

/* Functions of their own: in a larger one the compiler keeps the inner loops' addresses in memory. */
#define GROUP(n)                                                                                                          \
  static __attribute__((noinline)) void group_of_##n(int panels, int halves, const float *packed, int64_t terms, int origin, \
      const float *b, int64_t ldb, sums_at sums) {                                                                        \
    multiply_group(n <= COLUMNS ? n : COLUMNS, panels, halves, packed, terms, origin, b, ldb, sums);                      \
  }
GROUP(1) GROUP(2) GROUP(3) GROUP(4) GROUP(5) GROUP(6) GROUP(7) GROUP(8)
#define MANY(halves, vectors, odd)                                                                                       \
  static __attribute__((noinline)) void many_##halves##vectors##odd(const float *packed, int64_t terms, const float *b,  \
      int64_t ldb, int n, int groups, sums_at sums) {                                                                    \
    multiply_many(halves, vectors <= MANY_VECTORS ? vectors : 2, odd, packed, terms, b, ldb, n, groups, sums);           \
  }
MANY(1, 1, 0) MANY(1, 2, 0) MANY(1, 3, 0) MANY(2, 2, 0) MANY(2, 3, 0) MANY(2, 3, 1)

void NAME(multiply_panels)(int panels, int64_t rows, const float *packed, int64_t terms, int origin, const float *b,
    int64_t ldb, int n, sums_at sums) {
  static void (*const group_of[])(int, int, const float *, int64_t, int, const float *, int64_t, sums_at)
      = {NULL, group_of_1, group_of_2, group_of_3, group_of_4, group_of_5, group_of_6, group_of_7, group_of_8};
  static void (*const many_of[2][4][2])(const float *, int64_t, const float *, int64_t, int, int, sums_at)
      = {{{NULL}, {many_110}, {many_120}, {many_130}}, {{NULL}, {NULL}, {many_220}, {many_230, many_231}}};
  int halves = rows > LANES ? 2 : 1, groups = (n + COLUMNS - 1) / COLUMNS, all = panels * halves;
  if (groups > 1 && n > FEW_COLUMNS * groups) {
    for (int i = 0, vectors; i < all; i += vectors) {
      vectors = next_vectors(all - i, MANY_VECTORS);
      many_of[halves - 1][vectors][i % halves](packed + i / halves * terms * WIDTH, terms, b, ldb, n, groups,
          sums_from(sums, i / halves));
    }
    return;
  }
  for (int g = 0; g < groups; g++) { /* few columns want many vectors at once */
    int from = n * g / groups;
    const float *begin[MOST_PANELS];
    float *end[MOST_PANELS];
    for (int i = 0; i < panels; i++) {
      begin[i] = sums.from[i] + from * sums.from_apart;
      end[i] = sums.to[i] + from * sums.apart;
    }
    group_of[n * (g + 1) / groups - from](panels, halves, packed, terms, origin, b + from * ldb, ldb,
        (sums_at){begin, sums.from_apart, end, sums.apart});
  }
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
