/* The table of binary functions, for the C kernels of native/binary.c, where a, b and d are vectors, and for those of
 * binary.cu, where they are floats; elementwise.h says what a program defines before it. An entry has a name, the value
 * from a and b, and what d, the gradient of the value, gives to a and to b. The order is that of the Java enum Binary:
 * the place of an entry is the function's number. Not-a-numbers, ties and signs of zero are as PyTorch has them. */
#ifndef RECUR_BINARY_H
#define RECUR_BINARY_H

#define BINARY(B) \
  B(ADD, a + b, d, d) \
  B(SUBTRACT, a - b, d, -d) \
  B(MULTIPLY, a * b, d * b, d * a) \
  B(DIVIDE, a / b, d / b, -d * (a / b / b)) \
  B(MINIMUM, choose((a < b) | (a != a), a, b), unless_above(a, b, d), unless_above(b, a, d)) \
  B(MAXIMUM, choose((a > b) | (a != a), a, b), unless_above(b, a, d), unless_above(a, b, d)) \
  B(GREATER, choose(a > b, splat(1), splat(0)), splat(0), splat(0)) \
  B(GREATER_EQUAL, choose(a >= b, splat(1), splat(0)), splat(0), splat(0)) \
  B(LESS, choose(a < b, splat(1), splat(0)), splat(0), splat(0)) \
  B(LESS_EQUAL, choose(a <= b, splat(1), splat(0)), splat(0), splat(0)) \
  B(EQUAL, choose(a == b, splat(1), splat(0)), splat(0), splat(0))

#define BINARY_NUMBER(name, value, to_a, to_b) name,
enum { BINARY(BINARY_NUMBER) BINARY_COUNT };

#ifdef ELEMENT

/* 0 where x is above y, half of d where they are equal, else d. */
DEVICE ELEMENT unless_above(ELEMENT x, ELEMENT y, ELEMENT d) {
  return choose(x > y, splat(0), choose(x == y, 0.5f * d, d));
}

#endif
#endif
