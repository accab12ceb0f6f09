#include "panels.h"

enum { AHEAD = 512 }; /* floats between what is read and what is asked for */

/* A sum over the terms is cut into pieces of nearly equal length. Each is summed up from zero in the order of its
 * terms, and they are added in their order: this alone decides the bits of a product. */
INLINE int64_t piece_of(int64_t terms) {
  if (terms <= TERMS) return terms;
  int64_t pieces = (terms + TERMS - 1) / TERMS;
  return (terms + pieces - 1) / pieces;
}

/* sums[i] (WIDTH x n) += panel i times b, for some pieces of `piece` terms, the last of them of `last`. Panels are
 * `apart` floats apart. Several panels or pieces at once are for few columns, which would wait for each sum's last
 * addition. far: see multiply_panels; the processor asks for no line of the next page by itself. */
INLINE void multiply_add(int n, int panels, int pieces, int far, const float *panel, int64_t apart, int64_t piece,
    int64_t last, const float *b, int64_t ldb, float *const *sums) {
  vf sum[MOST_PANELS][MOST_PIECES][COLUMNS][2] = {};
  const float *from[MOST_PANELS], *column[COLUMNS];
  for (int i = 0; i < panels; i++) from[i] = panel + i * apart;
  for (int j = 0; j < n; j++) column[j] = b + j * ldb;
#define ADD_TERM(c, k)                                                                          \
  {                                                                                             \
    vf low[MOST_PANELS], high[MOST_PANELS];                                                     \
    for (int i = 0; i < panels; i++) {                                                          \
      const float *w = from[i] + (c * piece + k) * WIDTH;                                       \
      for (int line = 0; far && line < WIDTH; line += 16) __builtin_prefetch(w + AHEAD + line); \
      low[i] = load(w);                                                                         \
      high[i] = load(w + LANES);                                                                \
    }                                                                                           \
    for (int j = 0; j < n; j++) {                                                               \
      vf x = splat(column[j][c * piece + k]);                                                   \
      for (int i = 0; i < panels; i++) {                                                        \
        sum[i][c][j][0] += low[i] * x;                                                          \
        sum[i][c][j][1] += high[i] * x;                                                         \
      }                                                                                         \
    }                                                                                           \
  }
  for (int64_t k = 0; k < last; k++)
    for (int c = 0; c < pieces; c++) ADD_TERM(c, k)
  for (int64_t k = last; pieces > 1 && k < piece; k++)
    for (int c = 0; c < pieces - 1; c++) ADD_TERM(c, k)
#undef ADD_TERM
  for (int i = 0; i < panels; i++) {
    float *to = sums[i];
    for (int j = 0; j < n; j++)
      for (int half = 0; half < 2; half++) {
        vf total = load(to + j * WIDTH + half * LANES);
        for (int c = 0; c < pieces; c++) total += sum[i][c][j][half];
        store(to + j * WIDTH + half * LANES, total);
      }
  }
}

INLINE int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

/* The same of all pieces, for up to MOST_PANELS panels. */
INLINE void multiply_pieces(int n, int panels, int at_once, int far, const float *panel, int64_t terms,
    const float *b, int64_t ldb, float *const *sums) {
  int64_t piece = piece_of(terms), apart = terms * WIDTH, k = 0;
#define MULTIPLY(pieces)                                                                          \
  for (; at_once >= pieces && k + (pieces - 1) * piece < terms; k += pieces * piece)              \
    multiply_add(n, panels, pieces, far, panel + k * WIDTH, apart, piece,                         \
        least_of(piece, terms - k - (pieces - 1) * piece), b + k, ldb, sums);
  MULTIPLY(4)
  MULTIPLY(2)
  MULTIPLY(1)
#undef MULTIPLY
}

/* All panels with few columns: as many sums at once as hide each other's latency and fit in the registers. */
INLINE void multiply_few(int n, int panels, int far, const float *panel, int64_t terms, const float *b, int64_t ldb,
    float *const *sums) {
  int i = 0;
#define MULTIPLY(most, few, pieces)                               \
  for (; n * most <= MOST_SUMS && i + few <= panels; i += few) \
    multiply_pieces(n, few, pieces, far, panel + i * terms * WIDTH, terms, b, ldb, sums + i);
  MULTIPLY(4, 4, 1)
  MULTIPLY(6, 3, 1)
  MULTIPLY(2, 2, n < 2 ? 2 : 1)
  MULTIPLY(0, 1, n < 2 ? 4 : n <= FEW_COLUMNS ? 2 : 1)
#undef MULTIPLY
}

/* A panel with more columns than registers, in groups of nearly equal width, each piece while it is in the cache. */
static void multiply_many(int n, int groups, const float *panel, int64_t terms, const float *b, int64_t ldb, float *s) {
  int64_t piece = piece_of(terms);
  for (int64_t k = 0; k < terms; k += piece) {
    int64_t last = least_of(piece, terms - k);
    for (int g = 0; g < groups; g++) {
      int from = n * g / groups, to = n * (g + 1) / groups;
      const float *w = panel + k * WIDTH, *x = b + from * ldb + k;
      float *sums = s + from * WIDTH;
#define MULTIPLY(width) multiply_add(width, 1, 1, 0, w, 0, piece, last, x, ldb, &sums)
      BY_WIDTH(to - from, MULTIPLY)
#undef MULTIPLY
    }
  }
}

/* Few columns want several panels at once, so a group of FEW_COLUMNS is given all of them. */
void NAME(multiply_panels)(int panels, const float *packed, int64_t terms, int far, const float *b, int64_t ldb,
    int n, float *const *sums) {
  int groups = (n + COLUMNS - 1) / COLUMNS;
  if (groups > 1 && n > FEW_COLUMNS * groups) {
    for (int i = 0; i < panels; i++) multiply_many(n, groups, packed + i * terms * WIDTH, terms, b, ldb, sums[i]);
    return;
  }
  for (int g = 0; g < groups; g++) {
    int from = n * g / groups;
    float *to[MOST_PANELS];
    for (int i = 0; i < panels; i++) to[i] = sums[i] + from * WIDTH;
#define MULTIPLY(width)                                                                               \
  if (width <= FEW_COLUMNS && far) multiply_few(width, panels, 1, packed, terms, b + from * ldb, ldb, to); \
  else multiply_few(width, panels, 0, packed, terms, b + from * ldb, ldb, to)
    BY_WIDTH(n * (g + 1) / groups - from, MULTIPLY)
#undef MULTIPLY
  }
}

void NAME(pack)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const packing *p = job;
  int64_t all = blocks(p->units);
  for (int64_t block = part_begin(all, part, parts); block < part_begin(all, part + 1, parts); block++)
    for (int64_t gate = 0; gate < p->gates; gate++) {
      float *to = p->packed + (block * p->gates + gate) * p->terms * WIDTH;
      int64_t unit = block * WIDTH, rows = p->units - unit < WIDTH ? p->units - unit : WIDTH;
      const float *from = p->w + (gate * p->units + unit) * p->row;
      for (int64_t term = 0; term < p->terms; term++)
        for (int64_t i = 0; i < WIDTH; i++)
          to[term * WIDTH + i] = i < rows ? from[i * p->row + term * p->column] : 0;
    }
}
