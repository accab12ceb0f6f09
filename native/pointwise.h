/* The elementwise table on runs of values, one implementation an instruction set. */
#ifndef RECUR_POINTWISE_H
#define RECUR_POINTWISE_H
#include <stdint.h>

#include "vector.h"

/* Numbers of the functions: the order of the Java enum Elementwise. */
enum {
  IDENTITY, TANH, SIGMOID, RELU, LEAKY_RELU, ELU, SOFTPLUS, SOFTSIGN, SWISH, GELU, EXP, LOG, SQUARE
};

/* y = f(x); y may be x. */
void NAME(map)(int f, const float *x, float *y, int64_t n);

/* d = f'(x), where y = f(x); d may be x or y. */
void NAME(slope)(int f, const float *x, const float *y, float *d, int64_t n);

#endif
