/* Calls of recur.h with random sizes, on arrays that end where its comments say. */
#include "../cuda/binary.h"
#include "../cuda/elementwise.h"
#include "../cuda/rules.h"
#include "harness.h"

enum { LARGE = 1 << 17 /* shared among a team */ };

static int64_t size(caller *c) { return one_in(c, 4) ? between(c, LARGE / 2, LARGE) : between(c, 0, 300); }

void some_values(caller *c, recur *r) {
  int64_t n = size(c);
  float *x = floats(c, n), *y = floats(c, n), *z = one_in(c, 3) ? x : floats(c, n);
  float alpha = (float)between(c, -100, 100) / 50;
  int32_t flag = one_in(c, 2), function = (int32_t)between(c, 0, ELEMENTWISE_COUNT - 1);
  switch (between(c, 0, 10)) {
    case 0: CALL(fill, r, alpha, y, n); break;
    case 1: CALL(copy, r, x, y, n); break;
    case 2: CALL(affine, r, alpha, x, 0.5f, z, n); break;
    case 3: CALL(combine, r, x, alpha, y, z, n); break;
    case 4: CALL(clamp, r, -0.5f, alpha, x, z, n); break;
    case 5: CALL(add_clamp_derivative, r, -0.5f, alpha, x, y, z, n); break;
    case 6: CALL(multiply, r, flag, x, y, z, n); break;
    case 7: CALL(map, r, function, x, z, n); break;
    case 8: CALL(add_derivative, r, function, x, y, floats(c, n), floats(c, n), n); break;
    case 9: CALL(drop, r, 0.3f, (int64_t)c->state, flag, x, y, n); break;
    case 10: CALL(sum, r, flag, x, n); break;
  }
  if (one_in(c, 4))
    CALL(update, r, (int32_t)between(c, 0, RULE_COUNT - 1), 0.1f, 0.9f, 0.99f, 1e-8f, 0.5f, 0.5f, y, floats(c, n), floats(c, n),
        floats(c, n), floats(c, n), n);
}

/* Each operand whole, or with its rows, its columns or both repeated. */
void some_binary(caller *c, recur *r) {
  int64_t m = one_in(c, 8) ? between(c, 1, 3000) : between(c, 1, 150), n = between(c, 1, one_in(c, 4) ? 400 : 40);
  int64_t rows_a = one_in(c, 3) ? 1 : m, columns_a = one_in(c, 3) ? 1 : n;
  int64_t rows_b = one_in(c, 3) ? 1 : m, columns_b = one_in(c, 3) ? 1 : n;
  int64_t row_a = rows_a > 1, column_a = columns_a > 1 ? rows_a : 0;
  int64_t row_b = rows_b > 1, column_b = columns_b > 1 ? rows_b : 0;
  int32_t function = (int32_t)between(c, 0, BINARY_COUNT - 1);
  float *a = floats(c, rows_a * columns_a), *b = floats(c, rows_b * columns_b), *y = floats(c, m * n);
  if (one_in(c, 2))
    CALL(binary, r, function, m, n, a, row_a, column_a, b, row_b, column_b, one_in(c, 3) && rows_a == m && columns_a == n ? a : y);
  else
    CALL(binary_derivative, r, function, one_in(c, 2), one_in(c, 2), m, n, a, row_a, column_a, b, row_b, column_b,
        floats(c, m * n), y);
}

/* From the first to the last value of columns that are `leading` apart. */
static int64_t span(int64_t rows, int64_t columns, int64_t leading) {
  return columns == 0 ? 0 : (columns - 1) * leading + rows;
}

void some_columns(caller *c, recur *r) {
  int64_t m = one_in(c, 8) ? between(c, 1, 3000) : between(c, 1, 150), n = between(c, 1, one_in(c, 4) ? 400 : 40);
  int64_t classes = between(c, 1, 60), ldx = m + between(c, 0, 5), ldy = m + between(c, 0, 5);
  float *x = floats(c, m * n), *y = floats(c, m * n), *z = one_in(c, 3) ? x : y;
  int32_t flag = one_in(c, 2);
  switch (between(c, 0, 10)) {
    case 0: CALL(add_column, r, m, n, x, floats(c, m), z); break;
    case 1: CALL(add_column_sum, r, m, n, x, floats(c, m)); break;
    case 2: CALL(block, r, m, n, floats(c, span(m, n, ldx)), ldx, flag, floats(c, span(m, n, ldy)), ldy); break;
    case 3: CALL(block, r, m, n, floats(c, m), 0, flag, floats(c, span(m, n, ldy)), ldy); break;
    case 4: CALL(gather, r, m, n, floats(c, m * classes), indexes(c, n, classes), maybe(c, m), y); break;
    case 5: CALL(softmax, r, m, n, flag, x, z); break;
    case 6: CALL(add_softmax_derivative, r, m, n, flag, x, y, floats(c, m * n)); break;
    case 7: CALL(cross_entropy, r, m, n, x, indexes(c, n, m), z); break;
    case 8: CALL(add_cross_entropy_derivative, r, m, n, 0.5f, x, indexes(c, n, m), y); break;
    case 9: CALL(carry_column_sum, r, m, n, x, floats(c, m), floats(c, m)); break;
    case 10: {
      float *w = floats(c, m * classes), *carry = floats(c, m * classes);
      CALL(carry_scatter_add, r, m, n, x, indexes(c, n, classes), w, carry);
      break;
    }
  }
}

void some_reduction(caller *c, recur *r) {
  int64_t most = one_in(c, 8) ? 40 : 12, sizes[] = {between(c, 1, most), between(c, 1, most), between(c, 1, most)};
  int32_t by = (int32_t)between(c, 0, 3), dimension = (int32_t)between(c, 0, 2);
  sizes[between(c, 0, 2)] *= between(c, 1, 4);
  int64_t m = sizes[0], n = sizes[1], t = sizes[2], all = m * n * t, results = all / sizes[dimension];
  float *x = floats(c, all), *y = floats(c, results);
  switch (between(c, 0, 2)) {
    case 0: CALL(reduce, r, by, dimension, m, n, t, x, y); break;
    case 1: CALL(add_reduced, r, dimension, m, n, t, x, y, maybe(c, results)); break;
    case 2: CALL(add_reduction_derivative, r, by, dimension, m, n, t, x, y, floats(c, results), floats(c, all)); break;
  }
}

void some_product(caller *c, recur *r) {
  int32_t left = one_in(c, 2), right = one_in(c, 2);
  int64_t most = one_in(c, 8) ? 160 : 40;
  int64_t m = between(c, 1, most), n = between(c, 1, most), k = between(c, 1, most);
  int64_t rows_a = left ? k : m, rows_b = right ? n : k;
  int64_t lda = rows_a + between(c, 0, 3), ldb = rows_b + between(c, 0, 3), ldc = m + between(c, 0, 3);
  float *a = floats(c, span(rows_a, left ? m : k, lda)), *b = floats(c, span(rows_b, right ? k : n, ldb));
  CALL(product, r, left, right, m, n, k, 0.5f, a, lda, b, ldb, (float)one_in(c, 2), floats(c, span(m, n, ldc)), ldc);
  if (!right)
    CALL(multiply_columns, r, left, m, n, k, a, lda, b, ldb, one_in(c, 2), floats(c, span(m, n, ldc)), ldc);
}
