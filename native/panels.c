#include "panels.h"

enum { AHEAD = 512 }; /* floats between what is read and what is asked for */

/* s += panel b for n columns, the sum of each value in the order of the terms. With few columns the
 * terms are dealt to several sums, or each would wait for the one before. far: the panel is not in a
 * cache of this core's; the processor asks for no line of the next page by itself. */
INLINE void multiply_add(int n, int chains, int far, const float *panel, int64_t terms, const float *b,
    int64_t ldb, float *s) {
  vf sum[COLUMNS][4][2] = {};
  const float *column[COLUMNS];
  for (int j = 0; j < n; j++) {
    column[j] = b + j * ldb;
    sum[j][0][0] = load(s + j * WIDTH);
    sum[j][0][1] = load(s + j * WIDTH + LANES);
  }
  int64_t k = 0;
  for (; k + chains <= terms; k += chains)
    for (int c = 0; c < chains; c++) {
      for (int i = 0; far && i < WIDTH; i += 16) __builtin_prefetch(panel + (k + c) * WIDTH + AHEAD + i);
      vf low = load(panel + (k + c) * WIDTH), high = load(panel + (k + c) * WIDTH + LANES);
      for (int j = 0; j < n; j++) {
        vf x = splat(column[j][k + c]);
        sum[j][c][0] += low * x;
        sum[j][c][1] += high * x;
      }
    }
  for (; k < terms; k++)
    for (int j = 0; j < n; j++) {
      vf x = splat(column[j][k]);
      sum[j][0][0] += load(panel + k * WIDTH) * x;
      sum[j][0][1] += load(panel + k * WIDTH + LANES) * x;
    }
  for (int j = 0; j < n; j++)
    for (int half = 0; half < 2; half++) {
      vf total = sum[j][0][half];
      for (int c = 1; c < chains; c++) total += sum[j][c][half];
      store(s + j * WIDTH + half * LANES, total);
    }
}

/* How many sums a value is dealt to. */
#define CHAINS(n) ((n) == 1 ? 4 : (n) < 4 ? 2 : 1)

/* In groups of nearly equal width. Only few columns wait for the panel. */
static void multiply_panel(const float *panel, int64_t terms, int far, const float *b, int64_t ldb, int n, float *s) {
  int groups = (n + COLUMNS - 1) / COLUMNS;
  for (int64_t k = 0; k < terms; k += TERMS) {
    int64_t few = terms - k < TERMS ? terms - k : TERMS;
    for (int i = 0; i < groups; i++) {
      int from = n * i / groups, to = n * (i + 1) / groups;
      const float *p = panel + k * WIDTH, *x = b + from * ldb + k;
      float *to_s = s + from * WIDTH;
#define MULTIPLY(width)                                                               \
  if (width < 4 && far) multiply_add(width, CHAINS(width), 1, p, few, x, ldb, to_s); \
  else multiply_add(width, CHAINS(width), 0, p, few, x, ldb, to_s)
      BY_WIDTH(to - from, MULTIPLY)
#undef MULTIPLY
    }
  }
}

void NAME(multiply_panels)(int panels, const float *packed, int64_t terms, int far, const float *b, int64_t ldb,
    int n, float *const *sums) {
  for (int i = 0; i < panels; i++) multiply_panel(packed + i * terms * WIDTH, terms, far, b, ldb, n, sums[i]);
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
