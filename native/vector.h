/* Vectors of one instruction set, and the transcendental functions on them. Every file that includes
 * this is compiled once per set, with -DSET=avx2 and the like; NAME(f) is f of that set. */
#ifndef RECUR_VECTOR_H
#define RECUR_VECTOR_H
#include <stdint.h>
#include <string.h>

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(f) JOIN(f, SET)
#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
enum { LANES = 16, COLUMNS = 8 };
#elif defined(__AVX__)
enum { LANES = 8, COLUMNS = 6 };
#elif defined(__aarch64__)
enum { LANES = 4, COLUMNS = 8 };
#else
enum { LANES = 4, COLUMNS = 6 };
#endif

/* Rows of a packed panel: two vectors. */
enum { WIDTH = 2 * LANES };

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(LANES * 4))); /* whose differences may wrap */
typedef float loose __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vf splat(float x) { return x - (vf){}; }
INLINE vi bits(float x) {
  int32_t word;
  memcpy(&word, &x, 4);
  return word - (vi){};
}
INLINE vf load(const float *p) { return *(const loose *)p; }
INLINE void store(float *p, vf x) { *(loose *)p = x; }

/* The first n values, zeros behind them; n may be more than a vector or less than nothing. */
INLINE vf load_part(const float *p, int64_t n) {
  if (n >= LANES) return load(p);
  vf x = {};
  for (int i = 0; i < n; i++) x[i] = p[i];
  return x;
}
INLINE void store_part(float *p, vf x, int64_t n) {
  if (n >= LANES) store(p, x);
  else
    for (int i = 0; i < n; i++) p[i] = x[i];
}

/* A loop over n values, vector by vector: `body` is compiled for full vectors and for the rest of less
 * than one, GET(p) reads the values of p that are its turn, PUT(p, x) writes them. */
#define OVER(n, ...)                                                          \
  {                                                                           \
    int64_t i = 0;                                                            \
    for (const int64_t rest = LANES; i + LANES <= (n); i += rest) __VA_ARGS__ \
    if (i < (n)) {                                                            \
      const int64_t rest = (n) - i;                                           \
      __VA_ARGS__                                                             \
    }                                                                         \
  }
#define GET(p) load_part((p) + i, rest)
#define PUT(p, x) store_part((p) + i, x, rest)

/* Doubles of half a vector. */
typedef float narrow __attribute__((vector_size(LANES * 2)));
typedef double wide __attribute__((vector_size(LANES * 4)));

INLINE wide widen_low(vf x) {
  narrow h;
  memcpy(&h, &x, sizeof h);
  return __builtin_convertvector(h, wide);
}
INLINE wide widen_high(vf x) {
  narrow h;
  memcpy(&h, (const char *)&x + sizeof h, sizeof h);
  return __builtin_convertvector(h, wide);
}
INLINE vf narrowed(wide low, wide high) {
  narrow halves[] = {__builtin_convertvector(low, narrow), __builtin_convertvector(high, narrow)};
  vf x;
  memcpy(&x, halves, sizeof x);
  return x;
}
INLINE double total(wide x) {
  double sum = 0;
  for (int i = 0; i < LANES / 2; i++) sum += x[i];
  return sum;
}

/* Every second lane of two vectors, those of a first: from the first lane on, and from the second. */
#if defined(__AVX512F__)
#define EVENS 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODDS 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif defined(__AVX__)
#define EVENS 0, 2, 4, 6, 8, 10, 12, 14
#define ODDS 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVENS 0, 2, 4, 6
#define ODDS 1, 3, 5, 7
#endif
#if defined(__clang__) || __GNUC__ >= 12
INLINE vf evens(vf a, vf b) { return __builtin_shufflevector(a, b, EVENS); }
INLINE vf odds(vf a, vf b) { return __builtin_shufflevector(a, b, ODDS); }
#else
INLINE vf evens(vf a, vf b) { return __builtin_shuffle(a, b, (vi){EVENS}); }
INLINE vf odds(vf a, vf b) { return __builtin_shuffle(a, b, (vi){ODDS}); }
#endif

/* where ? a : b; where is all ones or all zeros in each lane, as comparisons return it. */
INLINE vf choose(vi where, vf a, vf b) { return (vf)(((vi)a & where) | ((vi)b & ~where)); }

/* The smaller and the larger of a and b in each lane; where a is not a number, it stays so. Of 16 lanes gcc would make a comparison
 * and a selection. */
#if defined(__AVX512F__)
#define LIMITED(instruction, compares) \
  vf limit = splat(b), x; \
  __asm__(instruction " %1, %2, %0" : "=v"(x) : "v"(a), "v"(limit)); \
  return x;
#else
#define LIMITED(instruction, compares) \
  for (int i = 0; i < LANES; i++) a[i] = b compares a[i] ? b : a[i]; \
  return a;
#endif
INLINE vf least(vf a, float b) { LIMITED("vminps", <) }
INLINE vf most(vf a, float b) { LIMITED("vmaxps", >) }
#undef LIMITED
INLINE vf sqrt_of(vf x) { /* one instruction: compilers see the vector */
  for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

/* The C library's, lane by lane: right for all floats, which takes more digits of pi than a float has. They are called
 * on parameters, a vector per step, not on batches. */
INLINE vf sin_of(vf x) {
  for (int i = 0; i < LANES; i++) x[i] = __builtin_sinf(x[i]);
  return x;
}
INLINE vf cos_of(vf x) {
  for (int i = 0; i < LANES; i++) x[i] = __builtin_cosf(x[i]);
  return x;
}
INLINE vf magnitude(vf x) { return (vf)((vi)x & (0x7fffffff - (vi){})); }

/* e^a = 2^k (1 + fraction): returns the fraction, and a/log(2) + 1.5*2^23 + 127 in `shifted`, whose low bits are k + 127.
 * |a - k log(2)| <= log(2)/2; the polynomial is Cephes's (Moshier), in Estrin's order, whose operations wait for fewer others. */
#define ROUNDER 12583039.0f
INLINE vf exp_fraction(vf a, vf *shifted) {
  *shifted = a * 1.44269504f + ROUNDER;
  vf k = *shifted - ROUNDER;
  vf r = (a - k * 0.693359375f) + k * 2.12194440e-4f, square = r * r;
  vf low = 1.6666665459e-1f * r + 5.0000001201e-1f;
  vf middle = 8.3334519073e-3f * r + 4.1665795894e-2f;
  vf high = 1.9875691500e-4f * r + 1.3981999507e-3f;
  return ((high * square + middle) * square + low) * square + r;
}
INLINE vi exponent(vf shifted) { return (vi)shifted - bits(ROUNDER); }
INLINE vf power(vi k) { return (vf)((k + 127) << 23); } /* 2^k */
INLINE vf scale_of(vf shifted) { return (vf)((vu)shifted << 23); } /* the same, infinite where k is 128 */

/* e^x for x <= 0, to 1.1 ulp; 0 where the result would be below 2^-126. */
INLINE vf exp_negative(vf x) {
  vf shifted, fraction = exp_fraction(most(x, -87.33654f), &shifted);
  vf y = (fraction + 1.0f) * scale_of(shifted);
  return (vf)((vi)y & ~(x < splat(-87.33654f)));
}

/* e^x to 1.1 ulp, subnormals and overflow included: 2^k is split in two, so that neither overflows. */
INLINE vf exp_of(vf x) {
  vf shifted, fraction = exp_fraction(least(most(x, -104), 89), &shifted);
  vi k = exponent(shifted), half = k >> 1;
  return (fraction + 1.0f) * power(half) * power(k - half);
}

/* e^x - 1 for x <= 0, to 1.0 ulp. */
INLINE vf expm1_negative(vf x) {
  vf shifted, fraction = exp_fraction(most(x, -87), &shifted), scale = scale_of(shifted);
  return scale * fraction + (scale - 1.0f);
}

/* log(1 + f) + k log(2) for sqrt(1/2) <= 1 + f < sqrt(2); Cephes's polynomial. */
INLINE vf log_sum(vf f, vf k) {
  vf p = 7.0376836292e-2f * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  vf s = f * f;
  return (f + (p * (f * s) - 2.12194440e-4f * k - 0.5f * s)) + 0.693359375f * k;
}

/* log x to 0.9 ulp; minus infinity at 0, not a number below. */
INLINE vf log_of(vf x) {
  vi tiny = x < splat(0x1p-126f);
  vf a = choose(tiny, x * 0x1p23f, x);
  vi above = (vi)((vu)a - (vu)bits(0.70710678f));
  vf k = __builtin_convertvector(above >> 23, vf) - choose(tiny, splat(23), splat(0));
  vf y = log_sum((vf)((above & 0x7fffff) + bits(0.70710678f)) - 1.0f, k);
  y = choose(x < splat(__builtin_inff()), y, x); /* infinite or not a number */
  return choose(x > splat(0), y, choose(x == splat(0), splat(-__builtin_inff()), splat(__builtin_nanf(""))));
}

/* log(1 + u) for 0 <= u <= 1, to 1.4 ulp; where 1 + u > sqrt(2), from its half. */
INLINE vf log1p_share(vf u) {
  vi halved = u > splat(0.41421356f);
  return log_sum(choose(halved, 0.5f * (u - 1.0f), u), choose(halved, splat(1), splat(0)));
}

/* 1/(1 + e^-x): small results keep their digits; 0 where e^-x is infinite. Largest error over all floats 1.5 ulp where
 * x >= 0, 2.5 below. */
INLINE vf sigmoid(vf x) {
  vf shifted, fraction = exp_fraction(-least(most(x, -89), 87.33654f), &shifted);
  return 1.0f / ((fraction + 1.0f) * scale_of(shifted) + 1.0f);
}

/* e/(e + 2) with e = e^2|x| - 1. Largest error over all floats 2.5 ulp (the rational of degrees 13
 * and 6 that Eigen had is 1.3 times as fast with 4.9 to 6.9). */
INLINE vf tanh_of(vf x) {
  vf a = least(magnitude(x), 9.1f), shifted, fraction = exp_fraction(a + a, &shifted);
  vf scale = scale_of(shifted), e = scale * fraction + (scale - 1.0f);
  vi sign = (vi)x & ~0x7fffffff;
  return (vf)((vi)(e / (e + 2.0f)) | sign);
}
#endif
