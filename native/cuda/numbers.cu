/* Functions on floats, under the names that native/vector.h has for vectors, for elementwise.h and binary.h. */

#define ELEMENT float

DEVICE float splat(float x) { return x; }
DEVICE float choose(int where, float a, float b) { return where ? a : b; }
DEVICE float least(float a, float b) { return a > b ? b : a; } /* a not-a-number stays one */
DEVICE float most(float a, float b) { return a < b ? b : a; }
DEVICE float magnitude(float x) { return fabsf(x); }
DEVICE float sqrt_of(float x) { return sqrtf(x); }
DEVICE float sin_of(float x) { return sinf(x); }
DEVICE float cos_of(float x) { return cosf(x); }

/* e^a = 2^k (1 + fraction), where |a - k log(2)| <= log(2)/2; the low bits of a/log(2) + 1.5*2^23 + 127 are k + 127. This is the
 * function of native/vector.h, with the polynomial of Cephes (Moshier); expf and tanhf of a GPU are less exact. Each step
 * is one operation that IEEE 754 rounds and no compiler may fuse, so a GPU computes the same bits as the CPU double. */
#define ROUNDER 12583039.0f
DEVICE float exp_fraction(float a, int32_t *k) {
  float shifted = fmaf(a, 1.44269504f, ROUNDER), whole = shifted - ROUNDER;
  float r = fmaf(whole, 2.12194440e-4f, fmaf(whole, -0.693359375f, a)), square = r * r;
  float low = fmaf(1.6666665459e-1f, r, 5.0000001201e-1f);
  float middle = fmaf(8.3334519073e-3f, r, 4.1665795894e-2f);
  float high = fmaf(1.9875691500e-4f, r, 1.3981999507e-3f);
  *k = (int32_t)(BITS(shifted) - BITS(ROUNDER));
  return fmaf(fmaf(fmaf(high, square, middle), square, low), square, r);
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

DEVICE float log_of(float x) { return logf(x); }

DEVICE float log1p_share(float x) { return log1pf(x); }

/* e/(e + 2) with e = e^2|x| - 1, to 2.5 ulp. */
DEVICE float tanh_of(float x) {
  int32_t k;
  float a = fabsf(x) > 9.1f ? 9.1f : fabsf(x);
  float fraction = exp_fraction(a + a, &k), scale = power_of_two(k), e = fmaf(scale, fraction, scale - 1.0f);
  return copysignf(e / (e + 2.0f), x);
}

/* 1/(1 + e^-x): small results keep their digits; to 1.5 ulp where x >= 0, 2.5 below. */
DEVICE float sigmoid(float x) {
  int32_t k;
  float fraction = exp_fraction(-(x < -89 ? -89 : x > 87.33654f ? 87.33654f : x), &k);
  return 1.0f / fmaf(fraction + 1.0f, power_of_two(k), 1.0f);
}
