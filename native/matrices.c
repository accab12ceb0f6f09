/* Products of matrices that are not packed, C = op(A) B or C += op(A) B. A part computes some rows of all columns, or
 * all rows of some columns. */
#include "matrices.h"

#include "terms.h"

/* MOST_PLAIN: columns up to which A is read as it is, in groups, if its values, at most CACHED, fit a core's cache.
 * STRIP_ROWS: the rows of one column that are computed at once. */
enum { MOST_PLAIN = 3 * COLUMNS, CACHED = 1 << 17, STRIP_ROWS = 4096 };

/* The part of a product that lies in a block of `rows` <= WIDTH rows of op(A) from `a`, and in n columns. */
typedef struct {
  const matrix_product *p;
  const float *a;
  int64_t rows, n;
  const float *b;
  float *c;
} strip;

typedef float four __attribute__((vector_size(16)));
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLED(a, b, ...) __builtin_shuffle(a, b, (int32_t __attribute__((vector_size(16)))){__VA_ARGS__})
#endif

/* to, 4 x 4 of WIDTH rows, = the transpose of from. */
INLINE void transpose_four(const float *from, int64_t lda, float *to) {
  four a[4], b[4];
  for (int i = 0; i < 4; i++) memcpy(a + i, from + i * lda, sizeof *a);
  for (int i = 0; i < 2; i++) {
    b[i] = SHUFFLED(a[i], a[i + 2], 0, 4, 1, 5);
    b[i + 2] = SHUFFLED(a[i], a[i + 2], 2, 6, 3, 7);
  }
  for (int i = 0; i < 2; i++) {
    four low = SHUFFLED(b[2 * i], b[2 * i + 1], 0, 4, 1, 5), high = SHUFFLED(b[2 * i], b[2 * i + 1], 2, 6, 3, 7);
    memcpy(to + 2 * i * WIDTH, &low, sizeof low);
    memcpy(to + (2 * i + 1) * WIDTH, &high, sizeof high);
  }
}

/* Rows of op(A) for terms `begin` and after, term after term; zeros behind the rows that there are. */
static void pack_piece(const strip *s, int64_t begin, int64_t terms, float *to) {
  int64_t lda = s->p->lda, rows = s->rows;
  if (rows < WIDTH) memset(to, 0, sizeof(float) * terms * WIDTH);
  if (s->p->transpose) {
    const float *from = s->a + begin;
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      int64_t k = 0;
      for (; k + 4 <= terms; k += 4) transpose_four(from + i * lda + k, lda, to + k * WIDTH + i);
      for (; k < terms; k++)
        for (int64_t row = i; row < i + 4; row++) to[k * WIDTH + row] = from[row * lda + k];
    }
    for (; i < rows; i++)
      for (int64_t k = 0; k < terms; k++) to[k * WIDTH + i] = from[i * lda + k];
    return;
  }
  const float *from = s->a + begin * lda;
  for (int64_t k = 0; k < terms; k++, from += lda, to += WIDTH) {
    for (int line = 0; line < WIDTH; line += 16) __builtin_prefetch(from + AHEAD * lda + line);
    if (rows == WIDTH)
      for (int i = 0; i < WIDTH; i += LANES) store(to + i, load(from + i));
    else
      for (int64_t i = 0; i < rows; i++) to[i] = from[i];
  }
}

/* n columns of C += a packed piece times those of B. */
INLINE void add_piece(int n, const float *piece, int64_t terms, const float *b, int64_t ldb, float *c, int64_t ldc,
    int64_t rows) {
  panels_at w = {piece, 0, WIDTH};
  if (rows == WIDTH) {
    multiply_add(n, 2, 2, 0, 1, AT_HAND, w, terms, terms, b, ldb, added_to(&c, ldc));
    return;
  }
  float sums[COLUMNS * WIDTH] = {}, *to = sums;
  for (int j = 0; j < n; j++) memcpy(to + j * WIDTH, c + j * ldc, sizeof(float) * rows);
  if (rows > LANES) multiply_add(n, 2, 2, 0, 1, AT_HAND, w, terms, terms, b, ldb, added_to(&to, WIDTH));
  else multiply_add(n, 1, 1, 0, 1, AT_HAND, w, terms, terms, b, ldb, added_to(&to, WIDTH));
  for (int j = 0; j < n; j++) memcpy(c + j * ldc, to + j * WIDTH, sizeof(float) * rows);
}

/* A strip by pieces that are packed, each for all columns. */
static void multiply_packed(const strip *s) {
  const matrix_product *p = s->p;
  int64_t piece = piece_of(p->k), groups = (s->n + COLUMNS - 1) / COLUMNS;
  _Alignas(64) float packed[TERMS * WIDTH];
  for (int64_t k = 0; k < p->k; k += piece) {
    int64_t terms = least_of(piece, p->k - k);
    pack_piece(s, k, terms, packed);
    for (int64_t g = 0; g < groups; g++) {
      int64_t from = s->n * g / groups, to = s->n * (g + 1) / groups;
#define ADD(width) \
  add_piece(width, packed, terms, s->b + from * p->ldb + k, p->ldb, s->c + from * p->ldc, p->ldc, s->rows)
      BY_WIDTH(to - from, ADD)
#undef ADD
    }
  }
}

/* Blocks of A as they are, for few columns. */
static void multiply_blocks(const matrix_product *p, int panels, const float *a, const float *b, int64_t n,
    float *const *c, int64_t ldc) {
  panels_at w = {a, WIDTH, p->lda};
  int64_t groups = (n + COLUMNS - 1) / COLUMNS;
  for (int64_t g = 0; g < groups; g++) {
    int64_t from = n * g / groups;
    float *to[MOST_PANELS];
    for (int i = 0; i < panels; i++) to[i] = c[i] + from * ldc;
#define MULTIPLY(width) multiply_few(width, 2, panels, AT_HAND, w, p->k, b + from * p->ldb, p->ldb, added_to(to, ldc))
    BY_WIDTH(n * (g + 1) / groups - from, MULTIPLY)
#undef MULTIPLY
  }
}

/* The same of all rows from block to block. The rows of the last one are the last WIDTH of A, of which the first have
 * been computed. */
static void multiply_plain(const matrix_product *p, int64_t from, int64_t to, const float *b, int64_t n, float *c) {
  int64_t whole = least_of(to, p->m / WIDTH);
  for (int64_t block = from; block < whole; block += MOST_PANELS) {
    int panels = least_of(MOST_PANELS, whole - block);
    float *sums[MOST_PANELS];
    for (int i = 0; i < panels; i++) sums[i] = c + (block + i) * WIDTH;
    multiply_blocks(p, panels, p->a + block * WIDTH, b, n, sums, p->ldc);
  }
  if (whole == to) return;
  int64_t rows = p->m - whole * WIDTH, bytes = sizeof(float) * rows;
  float sums[MOST_PLAIN * WIDTH] = {}, *all = sums, *last = sums + WIDTH - rows;
  c += whole * WIDTH;
  for (int64_t j = 0; j < n; j++) memcpy(last + j * WIDTH, c + j * p->ldc, bytes);
  multiply_blocks(p, 1, p->a + p->m - WIDTH, b, n, &all, WIDTH);
  for (int64_t j = 0; j < n; j++) memcpy(c + j * p->ldc, last + j * WIDTH, bytes);
}

/* One column where A is large: column after column of A, as it is stored, with some rows' sums of a piece in L1. */
static void multiply_column(const matrix_product *p, int64_t from, int64_t to, const float *b, float *c) {
  int64_t piece = piece_of(p->k);
  for (int64_t row = from; row < to; row += STRIP_ROWS) {
    int64_t rows = least_of(STRIP_ROWS, to - row);
    for (int64_t begin = 0; begin < p->k; begin += piece) {
      float sums[STRIP_ROWS];
      memset(sums, 0, sizeof(float) * rows);
      int64_t end = least_of(begin + piece, p->k), k = begin;
      for (; k + 4 <= end; k += 4) {
        const float *a = p->a + k * p->lda + row;
        vf x[4] = {splat(b[k]), splat(b[k + 1]), splat(b[k + 2]), splat(b[k + 3])};
        OVER(rows, {
          vf sum = GET(sums);
          for (int j = 0; j < 4; j++) sum += GET(a + j * p->lda) * x[j];
          PUT(sums, sum);
        })
      }
      for (; k < end; k++) {
        const float *a = p->a + k * p->lda + row;
        vf x = splat(b[k]);
        OVER(rows, { PUT(sums, GET(sums) + GET(a) * x); })
      }
      OVER(rows, { PUT(c + row, GET(c + row) + GET(sums)); })
    }
  }
}

static void clear_rows(float *c, int64_t ldc, int64_t rows, int64_t n) {
  for (int64_t j = 0; j < n; j++) memset(c + j * ldc, 0, sizeof(float) * rows);
}

void NAME(multiply_columns)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const matrix_product *p = job;
  int64_t blocks = (p->m + WIDTH - 1) / WIDTH, groups = (p->n + COLUMNS - 1) / COLUMNS;
  int by_rows = blocks >= groups;
  int64_t from = by_rows ? part_begin(blocks, part, parts) : 0;
  int64_t to = by_rows ? part_begin(blocks, part + 1, parts) : blocks;
  int64_t first = by_rows ? 0 : part_begin(p->n, part, parts);
  int64_t n = by_rows ? p->n : part_begin(p->n, part + 1, parts) - first;
  const float *b = p->b + first * p->ldb;
  float *c = p->c + first * p->ldc;
  if (from == to || n == 0) return;
  int64_t end = least_of(to * WIDTH, p->m);
  if (!p->adds) clear_rows(c + from * WIDTH, p->ldc, end - from * WIDTH, n);
  if (!p->transpose && n == 1 && p->m * p->k > CACHED) {
    multiply_column(p, from * WIDTH, end, b, c);
    return;
  }
  if (!p->transpose && p->m >= WIDTH && n <= (p->m * p->k <= CACHED ? MOST_PLAIN : COLUMNS)) {
    multiply_plain(p, from, to, b, n, c);
    return;
  }
  for (int64_t block = from; block < to; block++) {
    const float *a = p->a + block * WIDTH * (p->transpose ? p->lda : 1);
    multiply_packed(&(strip){p, a, least_of(WIDTH, p->m - block * WIDTH), n, b, c + block * WIDTH});
  }
}
