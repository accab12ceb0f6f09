/* Vectors of one instruction set, and the transcendental functions on them. Every file that includes
 * this is compiled once a set, with -DSET=avx2 and the like; NAME(f) is f of that set. */
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
typedef float loose __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vf all(float x) { return x - (vf){}; }
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

/* where ? a : b; where is all ones or all zeros in each lane, as comparisons give it. */
INLINE vf choose(vi where, vf a, vf b) { return (vf)(((vi)a & where) | ((vi)b & ~where)); }
INLINE vf least(vf a, float b) { return choose(a > all(b), all(b), a); } /* not a number stays so */
INLINE vf most(vf a, float b) { return choose(a < all(b), all(b), a); }
INLINE vf magnitude(vf x) { return (vf)((vi)x & (0x7fffffff - (vi){})); }

/* e^x for x <= 0, down to 2^-126 and flat below it. 2^k e^r, |r| <= log(2)/2; the polynomial is
 * Cephes's (Moshier), k is read off the low bits of x/log(2) + 1.5*2^23. */
INLINE vf exp_negative(vf x) {
  const float rounder = 12582912.0f;
  vf a = most(x, -87.33654f);
  vf shifted = a * 1.44269504f + rounder;
  vf k = shifted - rounder;
  vf r = (a - k * 0.693359375f) + k * 2.12194440e-4f;
  vf p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * (vf)(((vi)shifted - bits(rounder) + 127) << 23);
}

/* 1/(1 + e^-x): from e^-|x|, so that nothing overflows and small results keep their digits. */
INLINE vf sigmoid(vf x) {
  vf e = exp_negative(-magnitude(x));
  return choose(x < all(0), e, all(1)) / (1.0f + e);
}

/* Odd rational of degrees 13 and 6 (as in Eigen); +-1 beyond 7.9. */
INLINE vf tanhv(vf x) {
  vf a = least(most(x, -7.905311f), 7.905311f);
  vf s = a * a;
  vf p = -2.76076847742355e-16f * s + 2.00018790482477e-13f;
  p = p * s - 8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = (p * s + 4.89352455891786e-03f) * a;
  vf q = 1.19825839466702e-06f * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return p / q;
}
#endif
