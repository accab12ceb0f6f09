/* The inner loops of every product: the order of a sum, and how many sums are computed at once. */
#ifndef RECUR_TERMS_H
#define RECUR_TERMS_H
#include "vector.h"

/* Pairs of vectors of sums that fit in the registers beside several panels, panels at once, and columns up to which one
 * panel's sums alone do not hide the latency of an addition. */
enum { MOST_SUMS = COLUMNS > 6 ? 12 : 6, MOST_PANELS = 4, FEW_COLUMNS = 3 };

/* Terms of a piece: those of a panel and of some columns stay in L1. Terms between what is read and what is asked
 * for. */
enum { TERMS = 128, AHEAD = 512 / WIDTH };

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

/* A sum over the terms is cut into pieces of nearly equal length. Each is summed up from zero in the order of its
 * terms, and they are added in their order: this alone decides the bits of a product. */
INLINE int64_t piece_of(int64_t terms) {
  if (terms <= TERMS) return terms;
  int64_t pieces = (terms + TERMS - 1) / TERMS;
  return (terms + pieces - 1) / pieces;
}

/* Panels of WIDTH rows, `apart` floats apart, whose terms are `step` floats apart. */
typedef struct {
  const float *first;
  int64_t apart, step;
} panels_at;

INLINE panels_at panels_from(panels_at a, int64_t panel, int64_t term) {
  return (panels_at){a.first + panel * a.apart + term * a.step, a.apart, a.step};
}

/* Up to eight columns in four registers: their addresses are sums that an instruction forms. A pointer for each would be
 * more than there are, and fetching one from a vector register takes the place of a multiply-add. */
typedef struct {
  const char *first, *fifth;
  int64_t one, three; /* columns, in bytes */
} columns_at;
_Static_assert(COLUMNS <= 8, "columns_at names eight columns");

INLINE columns_at columns_from(const float *b, int64_t ldb) {
  int64_t one = ldb * (int64_t)sizeof(float);
  return (columns_at){(const char *)b, (const char *)(b + 4 * ldb), one, 3 * one};
}

INLINE const float *in_column(columns_at x, int j, int64_t k) {
  const char *base = j < 4 ? x.first : x.fifth;
  return (const float *)(base + (j % 4 == 3 ? x.three : j % 4 * x.one)) + k;
}

/* sums[i] (`halves` vectors of rows of a matrix of lds, n columns) += panel i times b, for some pieces of `piece`
 * terms, the last of them of `last`. Several panels or pieces at once are for few columns, which would wait for each
 * sum's last addition. far: see multiply_panels; the processor asks for no line of the next page by itself. */
INLINE void multiply_add(int n, int halves, int panels, int pieces, int far, panels_at a, int64_t piece, int64_t last,
    const float *b, int64_t ldb, float *const *sums, int64_t lds) {
  vf sum[2 * MOST_SUMS] = {}; /* of panel i, piece c and column j, `halves` each */
#define SUM(i, c, j) (sum + (((i) * pieces + (c)) * n + (j)) * halves)
  const float *from[MOST_PANELS];
  for (int i = 0; i < panels; i++) from[i] = a.first + i * a.apart;
  columns_at x = columns_from(b, ldb);
#define ADD_TERM(c, k)                                                                                   \
  {                                                                                                      \
    vf low[MOST_PANELS], high[MOST_PANELS];                                                              \
    for (int i = 0; i < panels; i++) {                                                                   \
      const float *w = from[i] + (c * piece + k) * a.step;                                               \
      for (int line = 0; far && line < WIDTH; line += 16) __builtin_prefetch(w + AHEAD * a.step + line); \
      low[i] = load(w);                                                                                  \
      if (halves > 1) high[i] = load(w + LANES);                                                         \
    }                                                                                                    \
    for (int j = 0; j < n; j++) {                                                                        \
      vf value = splat(*in_column(x, j, c * piece + k));                                                 \
      for (int i = 0; i < panels; i++) {                                                                 \
        SUM(i, c, j)[0] += low[i] * value;                                                               \
        if (halves > 1) SUM(i, c, j)[1] += high[i] * value;                                              \
      }                                                                                                  \
    }                                                                                                    \
  }
  for (int64_t k = 0; k < last; k++)
    for (int c = 0; c < pieces; c++) ADD_TERM(c, k)
  for (int64_t k = last; pieces > 1 && k < piece; k++)
    for (int c = 0; c < pieces - 1; c++) ADD_TERM(c, k)
#undef ADD_TERM
  for (int i = 0; i < panels; i++) {
    float *to = sums[i];
    for (int j = 0; j < n; j++)
      for (int half = 0; half < halves; half++) {
        vf total = load(to + j * lds + half * LANES);
        for (int c = 0; c < pieces; c++) total += SUM(i, c, j)[half];
        store(to + j * lds + half * LANES, total);
      }
  }
#undef SUM
}

INLINE int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

/* The same of all pieces. */
INLINE void multiply_pieces(int n, int halves, int panels, int at_once, int far, panels_at a, int64_t terms,
    const float *b, int64_t ldb, float *const *sums, int64_t lds) {
  int64_t piece = piece_of(terms), k = 0;
#define MULTIPLY(pieces)                                                             \
  for (; at_once >= pieces && k + (pieces - 1) * piece < terms; k += pieces * piece) \
    multiply_add(n, halves, panels, pieces, far, panels_from(a, 0, k), piece,           \
        least_of(piece, terms - k - (pieces - 1) * piece), b + k, ldb, sums, lds);
  MULTIPLY(4)
  MULTIPLY(2)
  MULTIPLY(1)
#undef MULTIPLY
}

/* All panels with up to COLUMNS columns: as many sums at once as hide each other's latency and fit in the registers. */
INLINE void multiply_few(int n, int halves, int panels, int far, panels_at a, int64_t terms, const float *b,
    int64_t ldb, float *const *sums, int64_t lds) {
  int i = 0;
#define MULTIPLY(most, few, pieces)                                         \
  for (; n * most * halves <= 2 * MOST_SUMS && i + few <= panels; i += few) \
    multiply_pieces(n, halves, few, pieces, far, panels_from(a, i, 0), terms, b, ldb, sums + i, lds);
  MULTIPLY(4, 4, 1)
  MULTIPLY(6, 3, 1)
  MULTIPLY(2, 2, n < 2 ? 2 : 1)
  MULTIPLY(0, 1, n < 2 ? 4 : n <= FEW_COLUMNS ? 2 : 1)
#undef MULTIPLY
}
#endif
