/* The table of elementwise functions, one for the C kernels of native/pointwise.c, where x is a vector, and for the
 * kernels of pointwise.cu, where x is a float. An entry has a name, the value from x, and the derivative from x and from
 * y, the value. The order is that of the Java enum Elementwise: the place of an entry is the function's number.
 *
 * Code that computes the functions defines ELEMENT, the type of x and y, and DEVICE, which begins the definition of a
 * function, before this file, and has on ELEMENT
 *
 *     splat(c)                       the float c
 *     choose(where, a, b)          a where a comparison is true, else b
 *     least(x, c), most(x, c)      the smaller and the larger of x and the float c; a not-a-number stays one
 *     magnitude(x), sqrt_of(x), exp_of(x), log_of(x), tanh_of(x), sigmoid(x), sin_of(x), cos_of(x)
 *     expm1_negative(x)            e^x - 1 for x <= 0
 *     log1p_share(u)               log(1 + u) for 0 <= u <= 1
 *
 * Without ELEMENT this file gives the names, their numbers and their count alone. */
#ifndef RECUR_ELEMENTWISE_H
#define RECUR_ELEMENTWISE_H

#define ELEMENTWISE(F) \
  F(IDENTITY, x, splat(1)) \
  F(TANH, tanh_of(x), 1.0f - y * y) \
  F(SIGMOID, sigmoid(x), y * (1.0f - y)) \
  F(RELU, choose(x <= splat(0), splat(0), x), choose(x > splat(0), splat(1), at_most_zero(x, 0))) \
  F(LEAKY_RELU, choose(x > splat(0), x, 0.01f * x), choose(x > splat(0), splat(1), at_most_zero(x, 0.01f))) \
  F(ELU, choose(x < splat(0), expm1_negative(least(x, 0)), x), exp_of(least(x, 0))) \
  F(SOFTPLUS, most(x, 0) + log1p_share(exp_of(-magnitude(x))), sigmoid(x)) \
  F(SOFTSIGN, x / (1.0f + magnitude(x)), softsign_derivative(x)) \
  F(SWISH, x * sigmoid(x), swish_derivative(x)) \
  F(GELU, x * sigmoid(gelu_gate(x)), gelu_derivative(x)) \
  F(EXP, exp_of(x), y) \
  F(LOG, log_of(x), 1.0f / x) \
  F(SQUARE, x * x, 2.0f * x) \
  F(ABS, magnitude(x), choose(x < splat(0), splat(-1), choose(x > splat(0), splat(1), x))) \
  F(SQRT, sqrt_of(x), 0.5f / y) \
  F(RECIPROCAL, 1.0f / x, -(y * y)) \
  F(NEGATE, -x, splat(-1)) \
  F(HARD_SIGMOID, least(most(x + 3.0f, 0), 6) / 6.0f, slope_between(x, -3, 3, 1.0f / 6)) \
  F(HARD_TANH, least(most(x, -1), 1), slope_between(x, -1, 1, 1)) \
  F(RELU6, least(most(x, 0), 6), slope_between(x, 0, 6, 1)) \
  F(SIN, sin_of(x), cos_of(x)) \
  F(COS, cos_of(x), -sin_of(x)) \
  F(GELU_ERF, x * normal_share(x, bell(x)), gelu_erf_derivative(x))

#define ELEMENTWISE_NUMBER(name, value, derivative) name,
enum { ELEMENTWISE(ELEMENTWISE_NUMBER) ELEMENTWISE_COUNT };

#ifdef ELEMENT

/* c where x is not above 0; where x is not a number, neither is the derivative. */
DEVICE ELEMENT at_most_zero(ELEMENT x, float c) { return choose(x <= splat(0), splat(c), x); }

/* c between low and high, 0 elsewhere and at both; where x is not a number, neither is the derivative. */
DEVICE ELEMENT slope_between(ELEMENT x, float low, float high, float c) {
  return choose((x > splat(low)) & (x < splat(high)), splat(c), choose(x == x, splat(0), x));
}

DEVICE ELEMENT softsign_derivative(ELEMENT x) {
  ELEMENT s = 1.0f + magnitude(x);
  return 1.0f / (s * s);
}

/* From y it would cancel where x is large. */
DEVICE ELEMENT swish_derivative(ELEMENT x) {
  ELEMENT s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

/* (1 + tanh(u))/2 = sigmoid(2u), which does not cancel; the gate is 2u. */
#define GELU_SCALE 1.5957691216f
#define GELU_CUBIC 0.044715f
DEVICE ELEMENT gelu_gate(ELEMENT x) { return GELU_SCALE * (x + GELU_CUBIC * x * x * x); }
DEVICE ELEMENT gelu_derivative(ELEMENT x) {
  ELEMENT s = sigmoid(gelu_gate(x));
  ELEMENT a = least(most(x, -9), 9); /* beyond, s(1 - s) is 0 and a^2 might overflow */
  return s + a * s * (1.0f - s) * (GELU_SCALE * (1.0f + 3 * GELU_CUBIC * a * a));
}

/* e^(-x^2/2). */
DEVICE ELEMENT bell(ELEMENT x) { return exp_of(-0.5f * x * x); }

/* The share of a normal distribution below x, (1 + erf(x/sqrt 2))/2, given b = bell(x), to 2.4e-7 of the smaller tail:
 * that is the bell times t times a polynomial of u = (|x| - 3)/(|x| + 3), fitted to 6e-8; nothing cancels. */
DEVICE ELEMENT normal_share(ELEMENT x, ELEMENT b) {
  ELEMENT t = 1.0f / (magnitude(x) + 3.0f), u = 1.0f - 6.0f * t;
  ELEMENT p = -2.59309962e-4f * u - 8.92530709e-4f;
  p = p * u + 1.0732394e-3f;
  p = p * u + 6.91616932e-3f;
  p = p * u - 1.0480145e-2f;
  p = p * u - 4.7254464e-2f;
  p = p * u + 2.30019435e-1f;
  p = p * u - 5.09332373e-1f;
  p = p * u + 7.29083668e-1f;
  ELEMENT tail = b * (p * t);
  return choose(x > splat(0), 1.0f - tail, tail);
}

DEVICE ELEMENT gelu_erf_derivative(ELEMENT x) {
  ELEMENT a = least(most(x, -15), 15), b = bell(a); /* beyond, the bell is 0 */
  return normal_share(a, b) + 0.3989422804f * a * b;
}

#endif
#endif
