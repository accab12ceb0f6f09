/* The elementwise functions on runs of values, one implementation per instruction set. */
#ifndef RECUR_POINTWISE_H
#define RECUR_POINTWISE_H
#include <stdint.h>

#include "kernels.h"
#include "vector.h"

#define ELEMENT vf
#define DEVICE INLINE
#include "cuda/elementwise.h"

/* y = f(x); y may be x. */
void NAME(map)(int f, const float *x, float *y, int64_t n);

/* d = f'(x), where y = f(x); d may be x or y. */
void NAME(derivative)(int f, const float *x, const float *y, float *d, int64_t n);

/* Phases of the passes in kernels.h. */
phase NAME(pointwise), NAME(columns), NAME(reduce), NAME(update);

#endif
