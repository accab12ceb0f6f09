/* Binary functions of A and B, whose values may be repeated: row_a words from one row of A to the next, 0 or 1, and
 * column_a from one column to the next. Y is m x n. */

DEVICE float binary_value(int64_t function, float a, float b) {
  switch (function) {
#define BINARY_VALUE(name, value, to_a, to_b) case name: return binary_of_##name(a, b);
    BINARY(BINARY_VALUE)
  }
  return a;
}

DEVICE float binary_derivative(int64_t function, int64_t of_b, float a, float b, float d) {
  switch (function) {
#define BINARY_DERIVATIVE(name, value, to_a, to_b) case name: return of_b ? to_b : to_a;
    BINARY(BINARY_DERIVATIVE)
  }
  return d;
}

/* Y may be an operand that is m x n. */
KERNEL(recur_binary, int64_t, function, int64_t, m, int64_t, n, const float *, a, int64_t, row_a, int64_t, column_a,
    const float *, b, int64_t, row_b, int64_t, column_b, float *, y)
{
  tile it = tile_of(m);
  if (it.row >= m) return;
  a += it.row * row_a;
  b += it.row * row_b;
  y += it.row;
  FOURS_FROM(j, it.column, it.step, n, (one[k] = a[j * column_a], two[k] = b[j * column_b]),
      y[j * m] = binary_value(function, one[k], two[k]))
}

/* Y (+)= what D, the gradient of f(A, B), gives to each value of A or of B. */
KERNEL(recur_binary_derivative, int64_t, function, int64_t, of_b, int64_t, accumulate, int64_t, m, int64_t, n,
    const float *, a, int64_t, row_a, int64_t, column_a, const float *, b, int64_t, row_b, int64_t, column_b,
    const float *, d, float *, y)
{
  tile it = tile_of(m);
  if (it.row >= m) return;
  a += it.row * row_a;
  b += it.row * row_b;
  d += it.row;
  y += it.row;
  FOURS_FROM(j, it.column, it.step, n, (one[k] = a[j * column_a], two[k] = b[j * column_b], three[k] = d[j * m]),
      y[j * m] = (accumulate ? y[j * m] : -0.0f) + binary_derivative(function, of_b, one[k], two[k], three[k]))
}
