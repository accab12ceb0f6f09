/* Passes over the columns of m x n matrices. */
#include "pointwise.h"
#include "sums.h"

static void over_columns(const columns_pass *p, int part, int parts,
    void (*run)(const columns_pass *p, int64_t j, int64_t row, int64_t rows)) {
  range rows, columns;
  share_out(p->m, p->n, part, parts, &rows, &columns);
  if (rows.from < rows.to)
    for (int64_t j = columns.from; j < columns.to; j++) run(p, j, rows.from, rows.to - rows.from);
}

static void add_column(const columns_pass *p, int64_t j, int64_t row, int64_t rows) {
  const float *x = p->x + j * p->m + row, *b = p->b + row;
  float *y = p->y + j * p->m + row;
  OVER(rows, { PUT(y, GET(x) + GET(b)); })
}

static void block(const columns_pass *p, int64_t j, int64_t row, int64_t rows) {
  const float *x = p->x + j * p->ldx + row;
  float *y = p->y + j * p->ldy + row;
  if (p->flag) OVER(rows, { PUT(y, GET(y) + GET(x)); })
  else memcpy(y, x, rows * sizeof *y);
}

static void gather(const columns_pass *p, int64_t j, int64_t row, int64_t rows) {
  const float *x = p->x + p->index[j] * p->m + row, *b = p->b + row;
  float *y = p->y + j * p->m + row;
  if (p->b) OVER(rows, { PUT(y, GET(x) + GET(b)); })
  else memcpy(y, x, rows * sizeof *y);
}

/* Columns of one value, as a transposition has them: a loop in place of a call per column. */
static void single_values(const columns_pass *p, int part, int parts) {
  range rows, columns;
  share_out(1, p->n, part, parts, &rows, &columns);
  if (rows.from == rows.to) return;
  const float *x = p->x;
  float *restrict y = p->y;
  if (p->operation == GATHER) for (int64_t j = columns.from; j < columns.to; j++) y[j] = x[p->index[j]];
  else if (p->flag) for (int64_t j = columns.from; j < columns.to; j++) y[j * p->ldy] += x[j * p->ldx];
  else for (int64_t j = columns.from; j < columns.to; j++) y[j * p->ldy] = x[j * p->ldx];
}

/* Each sum in the order of the columns, whatever the parts. */
static void scatter_add(const columns_pass *p, int part, int parts) {
  range rows = rows_of(p->m, part, parts);
  for (int64_t j = 0; j < p->n; j++) {
    const float *x = p->x + j * p->m + rows.from;
    int64_t to = p->index[j] * p->m + rows.from;
    float *y = p->y + to, *carry = p->carry + to;
    OVER(rows.to - rows.from, { add_kept(y + i, carry + i, GET(x), rest); })
  }
}

static void add_column_sum(const columns_pass *p, int part, int parts) {
  range rows = rows_of(p->m, part, parts);
  if (rows.from < rows.to)
    NAME(add_sum)(rows.to - rows.from, p->n, p->x + rows.from, p->m, p->y + rows.from,
        p->carry ? p->carry + rows.from : NULL);
}

/* x, and -infinity behind it: e^ of that is 0, and it is never the largest. */
INLINE vf load_score(const float *p, int64_t n) {
  vf x = load_part(p, n);
  for (int i = n < LANES ? n : LANES; i < LANES; i++) x[i] = -__builtin_inff();
  return x;
}

/* A not-a-number may be passed over. */
static float largest(const float *x, int64_t n) {
  vf top[4] = {load_score(x, n)};
  top[1] = top[2] = top[3] = top[0];
  int64_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES)
    for (int k = 0; k < 4; k++) {
      vf a = load(x + i + k * LANES);
      top[k] = choose(a > top[k], a, top[k]);
    }
  for (; i < n; i += LANES) {
    vf a = load_score(x + i, n - i);
    top[0] = choose(a > top[0], a, top[0]);
  }
  vf a = choose(top[0] > top[1], top[0], top[1]), b = choose(top[2] > top[3], top[2], top[3]);
  a = choose(a > b, a, b);
  float most = a[0];
  for (int k = 1; k < LANES; k++) most = a[k] > most ? a[k] : most;
  return most;
}

/* log x in double for finite x >= 1/2: 2 atanh((m - 1)/(m + 1)) + k log(2). */
static double logarithm(double x) {
  int64_t word;
  memcpy(&word, &x, 8);
  int64_t above = word - 0x3fe6a09e667f3bcd; /* sqrt(1/2) */
  int64_t mantissa = (above & 0xfffffffffffff) + 0x3fe6a09e667f3bcd;
  double m, k = (double)(above >> 52), series = 0;
  memcpy(&m, &mantissa, 8);
  double s = (m - 1) / (m + 1), square = s * s;
  for (int odd = 23; odd > 1; odd -= 2) series = (series + 1.0 / odd) * square;
  double y = 2 * s * (1 + series) + k * 0.693147180559945309;
  return x - x == 0 ? y : x; /* infinite or not a number */
}

/* p = e^(x - top), and their sum in double; p may be x. NULL: the sum alone. */
static double exponentials(const float *x, float top, float *p, int64_t n) {
  wide low = {}, high = {};
  int64_t i = 0;
  for (; i < n; i += LANES) {
    vf e = exp_negative(load_score(x + i, n - i) - top);
    if (p) store_part(p + i, e, n - i);
    low += widen_low(e);
    high += widen_high(e);
  }
  return total(low + high);
}

static void scale(float *y, float factor, int64_t n) { OVER(n, { PUT(y, factor * GET(y)); }) }

static void softmax(const columns_pass *p, int64_t j) {
  const float *x = p->x + j * p->m;
  float *y = p->y + j * p->m, top = largest(x, p->m);
  double sum = exponentials(x, top, p->flag ? NULL : y, p->m);
  if (p->flag) {
    float log_sum = logarithm(sum);
    OVER(p->m, { PUT(y, GET(x) - top - log_sum); })
  } else {
    scale(y, 1 / sum, p->m);
  }
}

static void softmax_derivative(const columns_pass *p, int64_t j) {
  const float *y = p->x + j * p->m, *dy = p->b + j * p->m;
  float *dx = p->y + j * p->m;
  wide low = {}, high = {};
  if (p->flag) {
    OVER(p->m, {
      vf d = GET(dy);
      low += widen_low(d);
      high += widen_high(d);
    })
    float sum = total(low + high);
    OVER(p->m, { PUT(dx, GET(dx) + (GET(dy) - exp_negative(GET(y)) * sum)); })
  } else {
    OVER(p->m, {
      vf a = GET(y), d = GET(dy);
      low += widen_low(a) * widen_low(d);
      high += widen_high(a) * widen_high(d);
    })
    float mean = total(low + high);
    OVER(p->m, { PUT(dx, GET(dx) + GET(y) * (GET(dy) - mean)); })
  }
}

/* The target's score goes into the loss before its place is overwritten: p may be x. */
static double cross_entropy(const columns_pass *p, int64_t j) {
  const float *x = p->x + j * p->m;
  float *shares = p->y + j * p->m, top = largest(x, p->m), score = x[p->index[j]] - top;
  double sum = exponentials(x, top, shares, p->m);
  scale(shares, 1 / sum, p->m);
  return logarithm(sum) - score;
}

/* The target's share less one first, then the factor: a share of nearly 1 keeps its digits. */
static void cross_entropy_derivative(const columns_pass *p, int64_t j) {
  const float *shares = p->x + j * p->m;
  float *dx = p->y + j * p->m, *target = dx + p->index[j], old = *target;
  OVER(p->m, { PUT(dx, GET(dx) + p->alpha * GET(shares)); })
  *target = old + p->alpha * (shares[p->index[j]] - 1);
}

void NAME(columns)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const columns_pass *p = job;
  if (p->m == 1 && (p->operation == BLOCK || (p->operation == GATHER && !p->b))) {
    single_values(p, part, parts);
    return;
  }
  switch (p->operation) {
    case ADD_COLUMN: over_columns(p, part, parts, add_column); return;
    case BLOCK: over_columns(p, part, parts, block); return;
    case GATHER: over_columns(p, part, parts, gather); return;
    case ADD_COLUMN_SUM: add_column_sum(p, part, parts); return;
    case SCATTER_ADD: scatter_add(p, part, parts); return;
  }
  for (int64_t i = part_begin(p->pieces, part, parts); i < part_begin(p->pieces, part + 1, parts); i++) {
    int64_t from = i * p->piece, to = p->n - from < p->piece ? p->n : from + p->piece;
    double sum = 0;
    for (int64_t j = from; j < to; j++) switch (p->operation) {
        case SOFTMAX: softmax(p, j); break;
        case SOFTMAX_DERIVATIVE: softmax_derivative(p, j); break;
        case CROSS_ENTROPY: sum += cross_entropy(p, j); break;
        case CROSS_ENTROPY_DERIVATIVE: cross_entropy_derivative(p, j); break;
      }
    if (p->sums) p->sums[i] = sum;
  }
}
