/* Passes over n values, as io.recur.device.Pointwise asks for them. An output may be an input. */

DEVICE float value_of(int64_t function, float x) {
  switch (function) {
#define VALUE(name, value, derivative) case name: return value_of_##name(x);
    ELEMENTWISE(VALUE)
  }
  return x;
}

DEVICE float derivative_of(int64_t function, float x, float y) {
  switch (function) {
#define DERIVATIVE(name, value, derivative) case name: return derivative_of_##name(x, y);
    ELEMENTWISE(DERIVATIVE)
  }
  return y;
}

KERNEL(recur_fill, float, value, float *, y, int64_t, n)
{
  OVER(i, n) y[i] = value;
}

KERNEL(recur_copy, const float *, x, float *, y, int64_t, n)
{
  FOURS(i, n, one[k] = x[i], y[i] = one[k])
}

/* y = factor x + constant. These may change at every step, so the kernel reads both from memory: a graph would repeat
 * arguments. */
KERNEL(recur_affine, const float *, numbers, const float *, x, float *, y, int64_t, n)
{
  float factor = numbers[0], constant = numbers[1];
  FOURS(i, n, one[k] = x[i], y[i] = factor * one[k] + constant)
}

/* A not-a-number stays so. */
KERNEL(recur_clamp, float, low, float, high, const float *, x, float *, y, int64_t, n)
{
  FOURS(i, n, one[k] = x[i], y[i] = least(most(one[k], low), high))
}

KERNEL(recur_add_clamp_derivative, float, low, float, high, const float *, x, const float *, dy, float *, dx, int64_t, n)
{
  FOURS(i, n, (one[k] = x[i], two[k] = dy[i], three[k] = dx[i]),
      dx[i] = three[k] + (one[k] >= low && one[k] <= high ? two[k] : 0.0f))
}

/* y = p + alpha q */
KERNEL(recur_combine, const float *, p, float, alpha, const float *, q, float *, y, int64_t, n)
{
  FOURS(i, n, (one[k] = p[i], two[k] = q[i]), y[i] = one[k] + alpha * two[k])
}

KERNEL(recur_multiply, const float *, p, const float *, q, float *, y, int64_t, n)
{
  FOURS(i, n, (one[k] = p[i], two[k] = q[i]), y[i] = one[k] * two[k])
}

KERNEL(recur_add_product, const float *, p, const float *, q, float *, y, int64_t, n)
{
  FOURS(i, n, (one[k] = p[i], two[k] = q[i], three[k] = y[i]), y[i] = three[k] + one[k] * two[k])
}

KERNEL(recur_add_broadcast, float, alpha, const float *, s, float *, y, int64_t, n)
{
  float value = alpha * s[0];
  FOURS(i, n, one[k] = y[i], y[i] = one[k] + value)
}

KERNEL(recur_map, int64_t, function, const float *, x, float *, y, int64_t, n)
{
  FOURS(i, n, one[k] = x[i], y[i] = value_of(function, one[k]))
}

KERNEL(recur_add_derivative, int64_t, function, const float *, x, const float *, y, const float *, dy, float *, dx,
    int64_t, n)
{
  FOURS(i, n, (one[k] = x[i], two[k] = y[i], three[k] = dy[i]),
      dx[i] += three[k] * derivative_of(function, one[k], two[k]))
}

KERNEL(recur_drop, float, rate, const int64_t *, seed, int64_t, accumulate, const float *, x, float *, y, int64_t, n)
{
  float kept = 1 / (1 - rate);
  int64_t threshold = (int64_t)(rate * (1 << 24));
  uint64_t start = (uint64_t)seed[0];
  OVER(i, n) {
    float value = coin(start, i) >= threshold ? kept * x[i] : 0.0f;
    y[i] = accumulate ? y[i] + value : value;
  }
}
