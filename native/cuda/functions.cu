/* The entries of the tables as functions, for kernels that name them: value_of_TANH(x), derivative_of_TANH(x, y) with y = f(x),
 * binary_of_ADD(a, b); and others that several files use. */

#define FUNCTIONS(name, value, derivative) \
  DEVICE float value_of_##name(float x) { return value; } \
  DEVICE float derivative_of_##name(float x, float y) { return (void)x, (void)y, derivative; }
ELEMENTWISE(FUNCTIONS)

#define BINARY_FUNCTION(name, value, to_a, to_b) \
  DEVICE float binary_of_##name(float a, float b) { return value; }
BINARY(BINARY_FUNCTION)

/* The larger value; not a number if one is not. */
DEVICE float larger(float a, float b) { return a > b || a != a ? a : b; }

/* The coin of value i: 24 uniform bits from a seed and a counter, the finaliser of SplitMix64 (its last shift does not
 * reach these bits). The seed changes at every step, so kernels read it from memory. */
DEVICE int64_t coin(uint64_t seed, int64_t i) {
  uint64_t z = seed + (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (int64_t)(z >> 40);
}
