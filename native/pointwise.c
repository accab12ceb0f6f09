/* Passes over runs of values. A part ends at a multiple of CUT values, so that only the last one has
 * a vector that is not full, and the bits of a value do not depend on the number of parts. */
#include "pointwise.h"

#include "kernels.h"

enum { CUT = 64 };

/* The elementwise table: the value from x, the derivative from x and y, in the order of the enum. */
#define TABLE(F)                                                                              \
  F(IDENTITY, x, all(1))                                                                      \
  F(TANH, tanhv(x), 1.0f - y * y)                                                             \
  F(SIGMOID, sigmoid(x), y * (1.0f - y))                                                      \
  F(RELU, choose(x <= all(0), all(0), x), choose(x > all(0), all(1), at_most_zero(x, 0)))     \
  F(LEAKY_RELU, choose(x > all(0), x, 0.01f * x),                                             \
      choose(x > all(0), all(1), at_most_zero(x, 0.01f)))                                     \
  F(ELU, choose(x < all(0), expm1_negative(least(x, 0)), x), expv(least(x, 0)))               \
  F(SOFTPLUS, most(x, 0) + log1p_share(expv(-magnitude(x))), sigmoid(x))                      \
  F(SOFTSIGN, x / (1.0f + magnitude(x)), softsign_slope(x))                                   \
  F(SWISH, x * sigmoid(x), swish_slope(x))                                                    \
  F(GELU, x * sigmoid(gelu_gate(x)), gelu_slope(x))                                           \
  F(EXP, expv(x), y)                                                                          \
  F(LOG, logv(x), 1.0f / x)                                                                   \
  F(SQUARE, x * x, 2.0f * x)

/* The value where x is not above 0; where it is not a number, neither is a slope. */
INLINE vf at_most_zero(vf x, float value) { return choose(x <= all(0), all(value), x); }

INLINE vf softsign_slope(vf x) {
  vf s = 1.0f + magnitude(x);
  return 1.0f / (s * s);
}

/* From y it would cancel where x is large. */
INLINE vf swish_slope(vf x) {
  vf s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

/* (1 + tanh(u))/2 = sigmoid(2u), which does not cancel; here is 2u. */
#define GELU_SCALE 1.5957691216f
#define GELU_CUBIC 0.044715f
INLINE vf gelu_gate(vf x) { return GELU_SCALE * (x + GELU_CUBIC * x * x * x); }
INLINE vf gelu_slope(vf x) {
  vf s = sigmoid(gelu_gate(x));
  vf a = least(most(x, -9), 9); /* beyond, s(1 - s) is 0 and a^2 might overflow */
  return s + a * s * (1.0f - s) * (GELU_SCALE * (1.0f + 3 * GELU_CUBIC * a * a));
}

#define LOOPS(f, value, slope)                                                                \
  static void map_##f(const float *from, float *to, int64_t n) {                              \
    OVER(n, {                                                                                 \
      vf x = GET(from);                                                                       \
      PUT(to, value);                                                                         \
    })                                                                                        \
  }                                                                                           \
  static void slope_##f(const float *in, const float *out, float *d, int64_t n) {             \
    OVER(n, {                                                                                 \
      vf x = GET(in), y = GET(out);                                                           \
      (void)x, (void)y;                                                                       \
      PUT(d, slope);                                                                          \
    })                                                                                        \
  }                                                                                           \
  static void add_slope_##f(const float *in, const float *out, const float *dy, float *dx,    \
      int64_t n) {                                                                            \
    OVER(n, {                                                                                 \
      vf x = GET(in), y = GET(out);                                                           \
      (void)x, (void)y;                                                                       \
      PUT(dx, GET(dx) + GET(dy) * (slope));                                                   \
    })                                                                                        \
  }
TABLE(LOOPS)

static const struct {
  void (*map)(const float *, float *, int64_t);
  void (*slope)(const float *, const float *, float *, int64_t);
  void (*add_slope)(const float *, const float *, const float *, float *, int64_t);
} functions[] = {
#define ENTRY(f, value, slope) [f] = {map_##f, slope_##f, add_slope_##f},
    TABLE(ENTRY)
};

void NAME(map)(int f, const float *x, float *y, int64_t n) { functions[f].map(x, y, n); }

void NAME(slope)(int f, const float *x, const float *y, float *d, int64_t n) {
  functions[f].slope(x, y, d, n);
}

/* The coins of values first, first + 1 ...: 24 uniform bits from a seed and a counter, the finaliser
 * of SplitMix64 (its last shift does not reach these bits). */
static void toss(uint64_t seed, int64_t first, int n, int32_t *coins) {
  for (int i = 0; i < n; i++) {
    uint64_t z = seed + (uint64_t)(first + i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    coins[i] = (int32_t)(z >> 40);
  }
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
      vf value = choose((vi)load((const float *)coins + i) >= threshold, kept * GET(x), all(0));
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
  int64_t cuts = (p->n + CUT - 1) / CUT;
  int64_t from = part_begin(cuts, part, parts) * CUT, to = part_begin(cuts, part + 1, parts) * CUT;
  if (to > p->n) to = p->n;
  if (from >= to) return;
  int64_t n = to - from;
  float alpha = p->alpha, *y = p->y + from;
  const float *a = p->a + from, *b = p->b + from, *c = p->c + from;
  switch (p->operation) {
    case FILL: OVER(n, { PUT(y, all(alpha)); }) break;
    case COPY: memcpy(y, a, n * sizeof *y); break;
    case SCALE: OVER(n, { PUT(y, alpha * GET(a)); }) break;
    case COMBINE: OVER(n, { PUT(y, GET(a) + alpha * GET(b)); }) break;
    case MULTIPLY: OVER(n, { PUT(y, GET(a) * GET(b)); }) break;
    case ADD_PRODUCT: OVER(n, { PUT(y, GET(y) + GET(a) * GET(b)); }) break;
    case ADD_VALUE: OVER(n, { PUT(y, GET(y) + alpha); }) break;
    case CLAMP: OVER(n, { PUT(y, least(most(GET(y), -alpha), alpha)); }) break;
    case MAP: functions[p->function].map(a, y, n); break;
    case ADD_SLOPE: functions[p->function].add_slope(a, b, c, y, n); break;
    case DROP: drop(p, from, to); break;
  }
}
