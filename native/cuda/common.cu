/* What several kernels share: the elementwise functions and sums over the threads of a block. */

#ifdef __CUDACC__
#define ROLLED _Pragma("unroll 1")
#define EIGHTFOLD _Pragma("unroll 8")
#else
#define ROLLED
#define EIGHTFOLD
#endif

/* As OVER, but a thread takes four values, i a grid apart, at a time: it reads all of them, in `load`, into one[k],
 * two[k] and three[k], before it writes one in `store`. With one value at a time too few bytes are under way to fill the
 * bus. Neither alignment nor the size matters, and an output may be an input. */
#define FOURS(i, n, load, ...) FOURS_FROM(i, BLOCK * THREADS + THREAD, BLOCKS * THREADS, n, load, __VA_ARGS__)

/* The same for values that are `apart`, from the thread's first on. */
#define FOURS_FROM(i, begin, apart, n, load, ...) \
  ROLLED \
  for (int64_t first = begin, step = apart; first < (n); first += 4 * step) { \
    float one[4], two[4], three[4]; \
    (void)two, (void)three; \
    for (int k = 0; k < 4; k++) { \
      int64_t i = first + k * step; \
      if (i < (n)) load; \
    } \
    for (int k = 0; k < 4; k++) { \
      int64_t i = first + k * step; \
      if (i < (n)) __VA_ARGS__; \
    } \
  }

/* Where a thread works in a matrix of m rows, launched by Launch.overColumns: in one row, in every `step`th column. A block
 * has all rows of some columns at a time, or THREADS rows of one. Only numbers of blocks are divided, once a thread:
 * dividing the place of each value by m would take longer than fetching the value. */
typedef struct tile {
  int64_t row, column, step;
} tile;

DEVICE tile tile_of(int64_t m) {
  int shift = 0;
  while (1 << shift < THREADS && 1 << shift < m) shift++;
  uint32_t pieces = (uint32_t)((m - 1) >> shift) + 1, group = (uint32_t)BLOCK / pieces, piece = (uint32_t)BLOCK - group * pieces;
  tile it;
  it.row = ((int64_t)piece << shift) + (THREAD & ((1 << shift) - 1));
  it.column = group * (THREADS >> shift) + (THREAD >> shift);
  it.step = (uint32_t)BLOCKS / pieces * (THREADS >> shift);
  return it;
}

#define OVER_COLUMNS(at, m, n) for (; at.row < (m) && at.column < (n); at.column += at.step)

/* Notes, for the host to look at when it has waited, that index[j] names none of the columns of what an operation works on.
 * The first launch that finds one notes it; of several in one launch, any of them, since each is one word of 64 bits. */
enum { GATHERS, SCATTERS, CROSS_ENTROPIES, CROSS_ENTROPY_SLOPES };

DEVICE void refuse(int64_t *note, int64_t operation, int64_t columns, int64_t j, int32_t index) {
  if (note[0]) return;
  note[1] = columns;
  note[2] = operation;
  note[0] = (int64_t)((uint64_t)(uint32_t)index << 32 | (uint32_t)(j + 1));
}

/* e^a = 2^k (1 + fraction), where |a - k log(2)| <= log(2)/2; k comes out of the low bits of a/log(2) + 1.5*2^23. It is
 * native/vector.h's, with Cephes's polynomial (Moshier), since a card's expf and tanhf are less exact. Every step is one
 * operation that IEEE 754 rounds and no compiler may fuse: a card gives the CPU double's bits. */
#define ROUNDER 12582912.0f
DEVICE float exp_fraction(float a, int32_t *k) {
  float shifted = fmaf(a, 1.44269504f, ROUNDER), whole = shifted - ROUNDER;
  float r = fmaf(whole, 2.12194440e-4f, fmaf(whole, -0.693359375f, a));
  float p = fmaf(1.9875691500e-4f, r, 1.3981999507e-3f);
  p = fmaf(p, r, 8.3334519073e-3f);
  p = fmaf(p, r, 4.1665795894e-2f);
  p = fmaf(p, r, 1.6666665459e-1f);
  p = fmaf(p, r, 5.0000001201e-1f);
  *k = (int32_t)(BITS(shifted) - BITS(ROUNDER));
  return fmaf(p, r * r, r);
}

DEVICE float power_of_two(int32_t k) { return FLOAT((uint32_t)(k + 127) << 23); }

/* e^x to 1.1 ulp, subnormals and overflow included: 2^k is split in two, so that neither overflows. */
DEVICE float exp_of(float x) {
  int32_t k;
  float y = 1.0f + exp_fraction(x < -104 ? -104 : x > 89 ? 89 : x, &k);
  int32_t half = k >> 1;
  return y * power_of_two(half) * power_of_two(k - half);
}

/* e^x - 1 for x <= 0, to 1.0 ulp. */
DEVICE float expm1_negative(float x) {
  int32_t k;
  float fraction = exp_fraction(x < -87 ? -87 : x, &k), scale = power_of_two(k);
  return fmaf(scale, fraction, scale - 1.0f);
}

/* e/(e + 2) with e = e^2|x| - 1, to 2.5 ulp. */
DEVICE float tanh_of(float x) {
  int32_t k;
  float a = fabsf(x) > 9.1f ? 9.1f : fabsf(x);
  float fraction = exp_fraction(a + a, &k), scale = power_of_two(k), e = fmaf(scale, fraction, scale - 1.0f);
  return copysignf(e / (e + 2.0f), x);
}

/* 1/(1 + e^-x), from e^-|x|, so that nothing overflows and small results keep their digits; to 1.5 ulp where x >= 0, 2.5
 * below. */
DEVICE float sigmoid(float x) {
  float e = exp_of(-fabsf(x));
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}

DEVICE float softsign_slope(float x) {
  float s = 1.0f + fabsf(x);
  return 1.0f / (s * s);
}

/* From y it would cancel where x is large. */
DEVICE float swish_slope(float x) {
  float s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

/* (1 + tanh(u))/2 = sigmoid(2u), which does not cancel; here is 2u. */
#define GELU_SCALE 1.5957691216f
#define GELU_CUBIC 0.044715f
DEVICE float gelu_gate(float x) { return GELU_SCALE * (x + GELU_CUBIC * x * x * x); }
DEVICE float gelu_slope(float x) {
  float s = sigmoid(gelu_gate(x));
  float a = x < -9 ? -9 : x > 9 ? 9 : x; /* beyond, s(1 - s) is 0 and a^2 might overflow */
  return s + a * s * (1.0f - s) * (GELU_SCALE * (1.0f + 3 * GELU_CUBIC * a * a));
}

/* The elementwise table: the value from x, the derivative from x and y, in the order of the Java enum Elementwise. */
#define FUNCTIONS(F) \
  F(IDENTITY, x, 1.0f) \
  F(TANH, tanh_of(x), 1.0f - y * y) \
  F(SIGMOID, sigmoid(x), y * (1.0f - y)) \
  F(RELU, x <= 0 ? 0.0f : x, x > 0 ? 1.0f : x <= 0 ? 0.0f : x) \
  F(LEAKY_RELU, x > 0 ? x : 0.01f * x, x > 0 ? 1.0f : x <= 0 ? 0.01f : x) \
  F(ELU, x < 0 ? expm1_negative(x) : x, x > 0 ? 1.0f : exp_of(x)) \
  F(SOFTPLUS, fmaxf(x, 0) + log1pf(exp_of(-fabsf(x))), sigmoid(x)) \
  F(SOFTSIGN, x / (1.0f + fabsf(x)), softsign_slope(x)) \
  F(SWISH, x * sigmoid(x), swish_slope(x)) \
  F(GELU, x * sigmoid(gelu_gate(x)), gelu_slope(x)) \
  F(EXP, exp_of(x), y) \
  F(LOG, logf(x), 1.0f / x) \
  F(SQUARE, x * x, 2.0f * x)

#define NUMBER(f, value, slope) f,
enum { FUNCTIONS(NUMBER) };

DEVICE float value_of(int64_t function, float x) {
  switch (function) {
#define VALUE(f, value, slope) case f: return value;
    FUNCTIONS(VALUE)
  }
  return x;
}

DEVICE float slope_of(int64_t function, float x, float y) {
  switch (function) {
#define SLOPE(f, value, slope) case f: return slope;
    FUNCTIONS(SLOPE)
  }
  return y;
}

/* y += x for a sum that grows from call to call, whose carry keeps what y lost to rounding; null: none is kept. A carry
 * counts only where it does not change y: whoever writes y otherwise need not know of it. */
DEVICE void add_kept(float *y, float *carry, double x) {
  float before = *y, lost = carry ? *carry : 0.0f, both = before + lost;
  double sum = (both == before ? (double)before + lost : before) + x;
  float after = (float)sum;
  *y = after;
  if (carry) *carry = (float)(sum - after);
}

/* A block has 256 threads at most; `group` successive ones, a power of two, work together. Each gives an x and gets
 * the sum of its group's, always added in the same order. `shared` has a place for each thread of the block. */
enum { MOST_THREADS = 256 };

DEVICE double sum_of_group(double *shared, int64_t group, double x) {
  int64_t place = THREAD & (group - 1);
  BARRIER(); /* who still reads the last result */
  shared[THREAD] = x;
  for (int64_t half = group / 2; half > 0; half /= 2) {
    BARRIER();
    if (place < half) shared[THREAD] += shared[THREAD + half];
  }
  BARRIER();
  return shared[THREAD - place];
}

/* The same for the largest; a not-a-number may be passed over. */
DEVICE float top_of_group(float *shared, int64_t group, float x) {
  int64_t place = THREAD & (group - 1);
  BARRIER();
  shared[THREAD] = x;
  for (int64_t half = group / 2; half > 0; half /= 2) {
    BARRIER();
    if (place < half) shared[THREAD] = fmaxf(shared[THREAD], shared[THREAD + half]);
  }
  BARRIER();
  return shared[THREAD - place];
}
