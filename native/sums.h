/* Sums that grow from call to call, in floats that lose nothing: each sum has a carry, which holds what the float
 * has lost to rounding. A carry counts only where it does not change its float, so code that writes the sum, for
 * instance zeros, need not know the carry. Added to that way, a sum of any number of terms is off by a few 2^-24 of
 * the sum of their magnitudes. */
#ifndef RECUR_SUMS_H
#define RECUR_SUMS_H
#include "vector.h"

/* y += the sum of n columns of m floats, ld apart: BLOCK_TERMS at a time in float, the blocks in double.
 * carry: m floats, or NULL where what y cannot hold may be lost. The bits of a row depend on n alone. */
void NAME(add_sum)(int64_t m, int64_t n, const float *x, int64_t ld, float *y, float *carry);

/* The first n values of y += x, Kahan's way. */
INLINE void add_kept(float *y, float *carry, vf x, int64_t n) {
  vf before = load_part(y, n), lost = load_part(carry, n);
  vf term = x + choose(before + lost == before, lost, splat(0));
  vf after = before + term;
  store_part(y, after, n);
  store_part(carry, term - (after - before), n);
}
/* The first n values of y += (low, high); carry: NULL where what y cannot hold may be lost. */
INLINE void add_wide(float *y, float *carry, wide low, wide high, int64_t n) {
  vf before = load_part(y, n), lost = carry ? load_part(carry, n) : splat(0);
  lost = choose(before + lost == before, lost, splat(0));
  low += widen_low(before) + widen_low(lost);
  high += widen_high(before) + widen_high(lost);
  vf after = narrowed(low, high);
  store_part(y, after, n);
  if (carry) store_part(carry, narrowed(low - widen_low(after), high - widen_high(after)), n);
}
#endif
