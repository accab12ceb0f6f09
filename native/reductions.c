/* Reductions of the n of m x n x t values, and their derivatives: along a column, or, for other dimensions, of vectors
 * of neighbouring results side by side. All sums are formed in double. */
#include "pointwise.h"
#include "sums.h"

/* A mean in two floats: (x - high) - low keeps the digits of a deviation that is small beside the mean. */
typedef struct {
  vf high, low;
} center;

INLINE center center_of(wide low, wide high) {
  vf mean = narrowed(low, high);
  return (center){mean, narrowed(low - widen_low(mean), high - widen_high(mean))};
}

INLINE vf deviation(vf x, center mean) { return (x - mean.high) - mean.low; }

/* The larger value; not a number if one is not. */
INLINE vf larger(vf a, vf b) { return choose((a > b) | (a != a), a, b); }

INLINE void add_squares(wide *low, wide *high, vf x) {
  wide a = widen_low(x), b = widen_high(x);
  *low += a * a;
  *high += b * b;
}

/* The vector with `fill` in its lanes from n on. */
INLINE vf filled(vf x, float fill, int64_t n) {
  for (int64_t i = n; i < LANES; i++) x[i] = fill;
  return x;
}

/* --- Along a column of n values. */

static double sum_along(const float *x, int64_t n) {
  wide low = {}, high = {};
  OVER(n, {
    vf a = GET(x);
    low += widen_low(a);
    high += widen_high(a);
  })
  return total(low + high);
}

static center center_along(const float *x, int64_t n) {
  wide mean = sum_along(x, n) / (double)n - (wide){};
  return center_of(mean, mean);
}

static double squares_along(const float *x, int64_t n) {
  center mean = center_along(x, n);
  wide low = {}, high = {};
  OVER(n, { add_squares(&low, &high, filled(deviation(GET(x), mean), 0, rest)); })
  return total(low + high);
}

static float most_along(const float *x, int64_t n) {
  vf top = splat(x[0]);
  OVER(n, { top = larger(filled(GET(x), x[0], rest), top); })
  float most = top[0];
  for (int i = 1; i < LANES; i++) most = top[i] > most || top[i] != top[i] ? top[i] : most;
  return most;
}

static int64_t count_along(const float *x, float y, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += x[i] == y;
  return count;
}

static double reduced_along(int reduction, const float *x, int64_t n) {
  switch (reduction) {
    case BY_SUM: return sum_along(x, n);
    case BY_MEAN: return sum_along(x, n) / (double)n;
    case BY_MAX: return most_along(x, n);
    default: return squares_along(x, n) / (double)n;
  }
}

static void add_value(float *y, float value, int64_t n) { OVER(n, { PUT(y, GET(y) + value); }) }

static void derive_along(const reduction_pass *p, int64_t column) {
  const float *x = p->x + column * p->n;
  float *dx = p->y + column * p->n, dy = p->c[column];
  switch (p->reduction) {
    case BY_SUM: add_value(dx, dy, p->n); return;
    case BY_MEAN: add_value(dx, dy / (float)p->n, p->n); return;
    case BY_MAX: {
      float y = p->b[column], count = (float)count_along(x, y, p->n);
      vf share = splat(dy / count), none = splat(0 / count); /* of a column with a not-a-number: not a number */
      OVER(p->n, { PUT(dx, GET(dx) + choose(GET(x) == y, share, none)); })
      return;
    }
    case BY_VARIANCE: {
      center mean = center_along(x, p->n);
      float factor = 2 * dy / (float)p->n;
      OVER(p->n, { PUT(dx, GET(dx) + factor * deviation(GET(x), mean)); })
    }
  }
}

static void along(const reduction_pass *p, int64_t column) {
  if (p->operation == REDUCTION_DERIVATIVE) {
    derive_along(p, column);
    return;
  }
  double y = reduced_along(p->reduction, p->x + column * p->n, p->n);
  if (p->operation == ADD_REDUCED) add_wide(p->y + column, p->carry ? p->carry + column : NULL, (wide){y}, (wide){}, 1);
  else p->y[column] = (float)y;
}

/* --- Of `across` vectors of neighbours, of which `rows` values exist; x, their first, is one of n values m apart. */

enum { ACROSS = 4 };
#define EACH(i) for (int i = 0; i < across; i++)
#define PART(p, i) load_part((p) + (i) * LANES, rows - (i) * LANES)
#define STORE(p, i, x) store_part((p) + (i) * LANES, x, rows - (i) * LANES)

INLINE void sum_across(int across, int64_t rows, const reduction_pass *p, const float *x, wide *low, wide *high) {
  for (int64_t j = 0; j < p->n; j++) EACH(i) {
    vf a = PART(x + j * p->m, i);
    low[i] += widen_low(a);
    high[i] += widen_high(a);
  }
}

INLINE void center_across(int across, int64_t rows, const reduction_pass *p, const float *x, center *mean) {
  wide low[ACROSS] = {}, high[ACROSS] = {};
  sum_across(across, rows, p, x, low, high);
  EACH(i) mean[i] = center_of(low[i] / (double)p->n, high[i] / (double)p->n);
}

INLINE void reduce_across(int across, int64_t rows, const reduction_pass *p, const float *x, float *y, float *carry) {
  wide low[ACROSS] = {}, high[ACROSS] = {};
  if (p->reduction == BY_MAX) {
    vf top[ACROSS];
    EACH(i) top[i] = PART(x, i);
    for (int64_t j = 1; j < p->n; j++) EACH(i) top[i] = larger(PART(x + j * p->m, i), top[i]);
    EACH(i) STORE(y, i, top[i]);
    return;
  }
  if (p->reduction == BY_VARIANCE) {
    center mean[ACROSS];
    center_across(across, rows, p, x, mean);
    for (int64_t j = 0; j < p->n; j++) EACH(i)
      add_squares(&low[i], &high[i], deviation(PART(x + j * p->m, i), mean[i]));
  } else {
    sum_across(across, rows, p, x, low, high);
  }
  double divisor = p->reduction == BY_SUM ? 1 : (double)p->n;
  EACH(i) if (p->operation == ADD_REDUCED)
    add_wide(y + i * LANES, carry ? carry + i * LANES : NULL, low[i], high[i], rows - i * LANES);
  else STORE(y, i, narrowed(low[i] / divisor, high[i] / divisor));
}

INLINE void derive_across(int across, int64_t rows, const reduction_pass *p, const float *x, const float *y,
    const float *dy, float *dx) {
  vf share[ACROSS];
  EACH(i) share[i] = PART(dy, i);
  switch (p->reduction) {
    case BY_MEAN: EACH(i) share[i] /= (float)p->n; /* fall through */
    case BY_SUM:
      for (int64_t j = 0; j < p->n; j++) EACH(i) STORE(dx + j * p->m, i, PART(dx + j * p->m, i) + share[i]);
      return;
    case BY_MAX: {
      vf top[ACROSS], none[ACROSS];
      vi count[ACROSS] = {};
      EACH(i) top[i] = PART(y, i);
      for (int64_t j = 0; j < p->n; j++) EACH(i) count[i] -= PART(x + j * p->m, i) == top[i];
      EACH(i) {
        vf ties = __builtin_convertvector(count[i], vf);
        share[i] /= ties;
        none[i] = 0 / ties;
      }
      for (int64_t j = 0; j < p->n; j++) EACH(i) STORE(dx + j * p->m, i,
          PART(dx + j * p->m, i) + choose(PART(x + j * p->m, i) == top[i], share[i], none[i]));
      return;
    }
    case BY_VARIANCE: {
      center mean[ACROSS];
      center_across(across, rows, p, x, mean);
      EACH(i) share[i] = 2 * share[i] / (float)p->n;
      for (int64_t j = 0; j < p->n; j++) EACH(i) STORE(dx + j * p->m, i,
          PART(dx + j * p->m, i) + share[i] * deviation(PART(x + j * p->m, i), mean[i]));
    }
  }
}

INLINE void strip(int across, int64_t rows, const reduction_pass *p, int64_t slab, int64_t row) {
  int64_t from = slab * p->n * p->m + row, at = slab * p->m + row;
  if (p->operation == REDUCTION_DERIVATIVE)
    derive_across(across, rows, p, p->x + from, p->b + at, p->c + at, p->y + from);
  else reduce_across(across, rows, p, p->x + from, p->y + at, p->carry ? p->carry + at : NULL);
}

/* Strips of WIDE results, the last one of a slab shorter: each is some part's. */
enum { WIDE = ACROSS * LANES };

static void strips(const reduction_pass *p, int part, int parts) {
  int64_t each = (p->m + WIDE - 1) / WIDE, all = each * p->t;
  for (int64_t s = part_begin(all, part, parts); s < part_begin(all, part + 1, parts); s++) {
    int64_t slab = s / each, row = s % each * WIDE;
    if (row + WIDE <= p->m) {
      strip(ACROSS, WIDE, p, slab, row);
      continue;
    }
    for (; row + LANES <= p->m; row += LANES) strip(1, LANES, p, slab, row);
    if (row < p->m) strip(1, p->m - row, p, slab, row);
  }
}

void NAME(reduce)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const reduction_pass *p = job;
  if (p->along)
    for (int64_t j = part_begin(p->t, part, parts); j < part_begin(p->t, part + 1, parts); j++) along(p, j);
  else strips(p, part, parts);
}
