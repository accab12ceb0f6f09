#include "sums.h"

/* Terms of a block: 15 roundings of half a unit are less than 1e-6 of the magnitudes. Vectors of a strip of
 * rows, whose sums stay in registers. */
enum { BLOCK_TERMS = 16, ACROSS = 8 };

/* A strip of `across` vectors, of which `rows` values exist. */
INLINE void add_strip(int across, int64_t rows, int64_t n, const float *x, int64_t ld, float *y, float *carry) {
  wide low[ACROSS] = {}, high[ACROSS] = {};
  for (int64_t from = 0; from < n; from += BLOCK_TERMS) {
    int64_t to = n - from < BLOCK_TERMS ? n : from + BLOCK_TERMS;
    vf block[ACROSS] = {};
    for (int64_t j = from; j < to; j++)
      for (int i = 0; i < across; i++) block[i] += load_part(x + j * ld + i * LANES, rows - i * LANES);
    for (int i = 0; i < across; i++) {
      low[i] += widen_low(block[i]);
      high[i] += widen_high(block[i]);
    }
  }
  for (int i = 0; i < across; i++)
    add_wide(y + i * LANES, carry ? carry + i * LANES : NULL, low[i], high[i], rows - i * LANES);
}

void NAME(add_sum)(int64_t m, int64_t n, const float *x, int64_t ld, float *y, float *carry) {
  int64_t row = 0;
#define ADD(across, rows) add_strip(across, rows, n, x + row, ld, y + row, carry ? carry + row : NULL)
  for (; row + ACROSS * LANES <= m; row += ACROSS * LANES) ADD(ACROSS, ACROSS * LANES);
  for (; row + WIDTH <= m; row += WIDTH) ADD(2, WIDTH);
  if (row < m) ADD(2, m - row);
#undef ADD
}
