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

/* Where panels come from that meet few columns: the first cache of a core, the second one, beyond. The farther, the fewer
 * streams are read at once, of as many vectors as hide the latency of an addition; those from beyond are asked for. */
enum { AT_HAND, NEAR, FAR };
enum { NEAR_VECTORS = LANES > 8 ? 64 / LANES : 8, FAR_VECTORS = 32 / LANES, FAR_AHEAD = 4 * AHEAD };
INLINE int is_in_order(int n, int origin) { return origin != AT_HAND && n <= FEW_COLUMNS; }

INLINE int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

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

/* Sums of panels: each is a matrix whose columns are `apart` floats apart. They begin with what is at `from`, the same panels
 * and columns, 0 floats apart where all columns begin with the same. */
typedef struct {
  const float *const *from;
  int64_t from_apart;
  float *const *to;
  int64_t apart;
} sums_at;

INLINE sums_at added_to(float *const *to, int64_t apart) {
  return (sums_at){(const float *const *)to, apart, to, apart};
}
INLINE sums_at sums_from(sums_at s, int64_t panel) {
  return (sums_at){s.from + panel, s.from_apart, s.to + panel, s.apart};
}

/* What the compiler does not see through: it would count addresses in more registers than there are, and read a vector
 * again from memory that it has in a register. */
#define OPAQUE(x) __asm__("" : "+r"(x))
#if defined(__x86_64__)
#define IN_REGISTER(x) __asm__("" : "+v"(x))
#else
#define IN_REGISTER(x) __asm__("" : "+w"(x))
#endif

/* Up to four columns or panels at equal distances are at sums that an instruction forms of three registers. A pointer for
 * each would be more than there are, and fetching one takes the place of a multiply-add. */
typedef struct {
  int64_t one, three; /* bytes */
} distances;

INLINE distances distances_of(int64_t floats) {
  distances d = {floats * (int64_t)sizeof(float), 3 * floats * (int64_t)sizeof(float)};
  OPAQUE(d.three);
  return d;
}

INLINE const float *neighbour(const char *first, int i, distances d) {
  return (const float *)(first + (i == 3 ? d.three : i * d.one));
}
_Static_assert(COLUMNS <= 8 && MOST_PANELS <= 4, "two pointers to columns, one to panels");

/* Vectors of rows of panels that lie side by side: a panel has `halves`, the first one is half `odd` of the first panel. */
#define PANEL_OF(i) ((odd + (i)) / halves)
#define HALF_OF(i) ((odd + (i)) % halves * LANES)

/* n columns of sums of panels += `vectors` of the panels' rows times b, for some pieces of `piece` terms,
 * the last of them of `last`. The more vectors at once, the fewer loads per sum. Several pieces at once are for few sums,
 * which would wait for their last addition. Panels from FAR are asked for ahead: the processor asks for no line of the next
 * page by itself. */
INLINE void multiply_add(int n, int halves, int vectors, int odd, int pieces, int origin, panels_at a, int64_t piece,
    int64_t last, const float *b, int64_t ldb, sums_at sums) {
  vf sum[2 * MOST_SUMS] = {}; /* of piece c, column j, `vectors` each */
#define SUM(c, j) (sum + ((c) * n + (j)) * vectors)
  int ahead = is_in_order(n, origin) ? FAR_AHEAD : AHEAD;
  distances panel = distances_of(a.apart), column = distances_of(ldb);
  int own = n <= FEW_COLUMNS ? PANEL_OF(vectors - 1) + 1 : 1; /* panels with a pointer of their own */
  const char *w[4][MOST_PANELS], *x[4], *fifth = (const char *)(b + 4 * ldb);
  for (int c = 0; c < pieces; c++) {
    for (int i = 0; i < own; i++) w[c][i] = (const char *)(a.first + i * a.apart + c * piece * a.step);
    x[c] = (const char *)(b + c * piece);
  }
#define ADD_TERM(c)                                                                                               \
  {                                                                                                               \
    for (int i = 0; i < own; i++) OPAQUE(w[c][i]);                                                                \
    OPAQUE(x[c]);                                                                                                 \
    if (n > 4) OPAQUE(fifth);                                                                                     \
    vf its[2 * MOST_PANELS], value[COLUMNS];                                                                      \
    for (int j = 0; n < vectors && j < n; j++) value[j] = splat(*neighbour(x[c], j, column));                     \
    for (int i = 0; i < vectors; i++) {                                                                           \
      const float *first = own > 1 ? (const float *)w[c][PANEL_OF(i)] : neighbour(w[c][0], PANEL_OF(i), panel);   \
      if (origin == FAR && HALF_OF(i) % 16 == 0) __builtin_prefetch(first + HALF_OF(i) + ahead * a.step);         \
      its[i] = load(first + HALF_OF(i));                                                                          \
      if (n > 1) IN_REGISTER(its[i]);                                                                             \
      for (int j = 0; n < vectors && j < n; j++) SUM(c, j)[i] += its[i] * value[j];                               \
    }                                                                                                             \
    for (int j = 0; n >= vectors && j < n; j++) {                                                                 \
      value[j] = splat(*neighbour(j < 4 ? x[c] : fifth, j % 4, column));                                          \
      for (int i = 0; i < vectors; i++) SUM(c, j)[i] += its[i] * value[j];                                        \
    }                                                                                                             \
    for (int i = 0; i < own; i++) w[c][i] += a.step * sizeof(float);                                              \
    x[c] += sizeof(float);                                                                                        \
    if (n > 4) fifth += sizeof(float);                                                                            \
  }
  for (int64_t k = 0; k < last; k++) {
    ADD_TERM(0)
    if (pieces > 1) ADD_TERM(1)
    if (pieces > 2) ADD_TERM(2)
    if (pieces > 3) ADD_TERM(3)
  }
  for (int64_t k = last; pieces > 1 && k < piece; k++) { /* the last piece may be shorter */
    ADD_TERM(0)
    if (pieces > 2) ADD_TERM(1)
    if (pieces > 2) ADD_TERM(2)
  }
#undef ADD_TERM
  for (int i = 0; i < vectors; i++) {
    const float *from = sums.from[PANEL_OF(i)] + HALF_OF(i);
    float *to = sums.to[PANEL_OF(i)] + HALF_OF(i);
    for (int j = 0; j < n; j++, from += sums.from_apart, to += sums.apart) {
      vf total = load(from);
      for (int c = 0; c < pieces; c++) total += SUM(c, j)[i];
      store(to, total);
    }
  }
#undef SUM
}

/* The same of all pieces. */
INLINE void multiply_pieces(int n, int halves, int vectors, int odd, int origin, panels_at a, int64_t terms, const float *b,
    int64_t ldb, sums_at sums) {
  int64_t piece = piece_of(terms), k = 0;
  int few = n <= 4 && !is_in_order(n, origin);
#define MULTIPLY(pieces, most)                                                                            \
  for (; n * vectors * pieces <= most && k + (pieces - 1) * piece < terms; k += pieces * piece)           \
    multiply_add(n, halves, vectors, odd, pieces, origin, panels_from(a, 0, k), piece,                    \
        least_of(piece, terms - k - (pieces - 1) * piece), b + k, ldb,                                    \
        k == 0 ? sums : added_to(sums.to, sums.apart));
  MULTIPLY(4, (few ? 8 : 0))
  MULTIPLY(2, (few ? 12 : 0))
  MULTIPLY(1, 2 * MOST_SUMS)
#undef MULTIPLY
}

/* Vectors whose sums with n columns fit in the registers. */
INLINE int vectors_with(int n) { return 2 * MOST_SUMS / n < 2 * MOST_PANELS ? 2 * MOST_SUMS / n : 2 * MOST_PANELS; }

/* How many of the vectors that are left come next: at most `most`, all turns alike. Whole panels, unless three fit. */
INLINE int next_vectors(int left, int most) {
  int turns = (left + most - 1) / most, next = (left + turns - 1) / turns;
  return turns > 1 && most > 3 ? next + next % 2 : next;
}

/* CALL(vectors, odd) for `vectors`, at most `most`, from half `half` of a panel on: the compiler is to know them. */
#define BY_VECTORS(vectors, most, half, halves, CALL)                        \
  if (halves == 1 && vectors == 1) { CALL(1, 0); }                           \
  if (vectors == 2) { CALL(2, 0); }                                          \
  if (most >= 3 && vectors == 3 && half == 0) { CALL(3, 0); }                \
  if (most >= 3 && vectors == 3 && halves == 2 && half == 1) { CALL(3, 1); } \
  if (most >= 4 && vectors == 4) { CALL(4, 0); }                             \
  if (most >= 6 && vectors == 6 && halves == 2) { CALL(6, 0); }              \
  if (most >= 8 && vectors == 8 && halves == 2) { CALL(8, 0); }

/* All panels with up to COLUMNS columns. */
INLINE void multiply_few(int n, int halves, int panels, int origin, panels_at a, int64_t terms, const float *b, int64_t ldb,
    sums_at sums) {
  int most = vectors_with(n), all = panels * halves;
  if (is_in_order(n, origin)) most = least_of(most, origin == FAR ? FAR_VECTORS : NEAR_VECTORS);
  for (int i = 0, vectors; i < all; i += vectors) {
    vectors = next_vectors(all - i, most);
#define MULTIPLY(vectors, odd) \
  multiply_pieces(n, halves, vectors, odd, origin, panels_from(a, i / halves, 0), terms, b, ldb, sums_from(sums, i / halves))
    BY_VECTORS(vectors, most, i % halves, halves, MULTIPLY)
#undef MULTIPLY
  }
}
#endif
