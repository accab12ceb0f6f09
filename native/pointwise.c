/* Passes over runs of values. */
#include "pointwise.h"

#include "kernels.h"

#define LOOPS(f, value, derivative)                                                           \
  static void map_##f(const float *from, float *to, int64_t n) {                              \
    OVER(n, {                                                                                 \
      vf x = GET(from);                                                                       \
      PUT(to, value);                                                                         \
    })                                                                                        \
  }                                                                                           \
  static void derivative_##f(const float *in, const float *out, float *d, int64_t n) {        \
    OVER(n, {                                                                                 \
      vf x = GET(in), y = GET(out);                                                           \
      (void)x, (void)y;                                                                       \
      PUT(d, derivative);                                                                     \
    })                                                                                        \
  }                                                                                           \
  static void add_derivative_##f(const float *in, const float *out, const float *dy, float *dx, \
      int64_t n) {                                                                            \
    OVER(n, {                                                                                 \
      vf x = GET(in), y = GET(out);                                                           \
      (void)x, (void)y;                                                                       \
      PUT(dx, GET(dx) + GET(dy) * (derivative));                                              \
    })                                                                                        \
  }
ELEMENTWISE(LOOPS)

static const struct {
  void (*map)(const float *, float *, int64_t);
  void (*derivative)(const float *, const float *, float *, int64_t);
  void (*add_derivative)(const float *, const float *, const float *, float *, int64_t);
} functions[] = {
#define ENTRY(f, value, derivative) [f] = {map_##f, derivative_##f, add_derivative_##f},
    ELEMENTWISE(ENTRY)
};

void NAME(map)(int f, const float *x, float *y, int64_t n) { functions[f].map(x, y, n); }

void NAME(derivative)(int f, const float *x, const float *y, float *d, int64_t n) {
  functions[f].derivative(x, y, d, n);
}

static void drop(const pointwise_pass *p, int64_t from, int64_t to) {
  float kept = 1 / (1 - p->alpha);
  vi threshold = (int32_t)(p->alpha * (1 << 24)) - (vi){};
  for (int64_t first = from; first < to; first += CUT) {
    int n = to - first < CUT ? to - first : CUT;
    int32_t coins[CUT];
    toss(p->seed, first, CUT, coins);
    const float *x = p->a + first;
    float *y = p->y + first;
    OVER(n, {
      vf value = choose((vi)load((const float *)coins + i) >= threshold, kept * GET(x), splat(0));
      PUT(y, p->accumulate ? GET(y) + value : value);
    })
  }
}

/* In double, two sums a vector; the order depends on the instruction set alone. */
static double sum(const float *x, int64_t n) {
  wide low = {}, high = {};
  OVER(n, {
    vf a = GET(x);
    low += widen_low(a);
    high += widen_high(a);
  })
  return total(low + high);
}

static double sum_of_squares(const float *x, int64_t n) {
  wide low = {}, high = {};
  OVER(n, {
    vf a = GET(x);
    wide b = widen_low(a), c = widen_high(a);
    low += b * b;
    high += c * c;
  })
  return total(low + high);
}

static void sums(const pointwise_pass *p, int part, int parts) {
  for (int64_t i = part_begin(p->pieces, part, parts); i < part_begin(p->pieces, part + 1, parts); i++) {
    const float *x = p->a + i * p->piece;
    int64_t n = p->n - i * p->piece < p->piece ? p->n - i * p->piece : p->piece;
    p->sums[i] = p->operation == SUM ? sum(x, n) : sum_of_squares(x, n);
  }
}

void NAME(pointwise)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const pointwise_pass *p = job;
  if (p->operation == SUM || p->operation == SUM_OF_SQUARES) {
    sums(p, part, parts);
    return;
  }
  range values = rows_of(p->n, part, parts);
  int64_t from = values.from, n = values.to - from;
  if (n <= 0) return;
  float alpha = p->alpha, beta = p->beta, *y = p->y + from;
  const float *a = p->a + from, *b = p->b + from, *c = p->c + from;
  switch (p->operation) {
    case FILL: OVER(n, { PUT(y, splat(alpha)); }) break;
    case COPY: memcpy(y, a, n * sizeof *y); break;
    case AFFINE: OVER(n, { PUT(y, alpha * GET(a) + beta); }) break;
    case COMBINE: OVER(n, { PUT(y, GET(a) + alpha * GET(b)); }) break;
    case TIMES: OVER(n, { PUT(y, GET(a) * GET(b)); }) break;
    case ADD_PRODUCT: OVER(n, { PUT(y, GET(y) + GET(a) * GET(b)); }) break;
    case CLAMP: OVER(n, { PUT(y, least(most(GET(a), alpha), beta)); }) break;
    case ADD_CLAMP_DERIVATIVE: OVER(n, {
        vf x = GET(a);
        PUT(y, GET(y) + choose((x >= splat(alpha)) & (x <= splat(beta)), GET(b), splat(0)));
      }) break;
    case MAP: functions[p->function].map(a, y, n); break;
    case ADD_DERIVATIVE: functions[p->function].add_derivative(a, b, c, y, n); break;
    case DROP: drop(p, from, from + n); break;
  }
}
