/* Passes of the contract: each fills in a job and shares it among the team. The work of a value is counted in
 * multiply-adds that take as long: an eighth of a nanosecond where memory is the bound, more for a function. */
#include "kernels.h"

#include <stddef.h>

enum { LIGHT = 1, HEAVY = 8 };

static void values(recur *r, pointwise_pass p, int64_t work) {
  team_run(r->team, r->set->pointwise, &p, 1, p.n * work);
}

void recur_fill(recur *r, float value, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = FILL, .alpha = value, .y = y, .n = n}, LIGHT);
}

void recur_copy(recur *r, const float *x, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = COPY, .a = x, .y = y, .n = n}, LIGHT);
}

void recur_affine(recur *r, float alpha, const float *x, float beta, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = AFFINE, .alpha = alpha, .beta = beta, .a = x, .y = y, .n = n}, LIGHT);
}

void recur_combine(recur *r, const float *a, float alpha, const float *b, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = COMBINE, .alpha = alpha, .a = a, .b = b, .y = y, .n = n}, LIGHT);
}

void recur_multiply(recur *r, int32_t accumulate, const float *a, const float *b, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = accumulate ? ADD_PRODUCT : TIMES, .a = a, .b = b, .y = y,
      .n = n}, LIGHT);
}

void recur_clamp(recur *r, float low, float high, const float *x, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = CLAMP, .alpha = low, .beta = high, .a = x, .y = y, .n = n}, LIGHT);
}

void recur_add_clamp_derivative(recur *r, float low, float high, const float *x, const float *dy, float *dx,
    int64_t n) {
  values(r, (pointwise_pass){.operation = ADD_CLAMP_DERIVATIVE, .alpha = low, .beta = high, .a = x, .b = dy, .y = dx,
      .n = n}, LIGHT);
}

void recur_map(recur *r, int32_t function, const float *x, float *y, int64_t n) {
  values(r, (pointwise_pass){.operation = MAP, .function = function, .a = x, .y = y, .n = n}, HEAVY);
}

void recur_add_derivative(recur *r, int32_t function, const float *x, const float *y, const float *dy,
    float *dx, int64_t n) {
  values(r, (pointwise_pass){.operation = ADD_DERIVATIVE, .function = function, .a = x, .b = y, .c = dy,
      .y = dx, .n = n}, LIGHT);
}

void recur_drop(recur *r, float rate, int64_t seed, int32_t accumulate, const float *x, float *y,
    int64_t n) {
  values(r, (pointwise_pass){.operation = DROP, .alpha = rate, .seed = (uint64_t)seed,
      .accumulate = accumulate, .a = x, .y = y, .n = n}, HEAVY);
}

/* Joins all columns into one where every operand's follow each other, or have one value each. */
static void binary(recur *r, binary_pass *p) {
  if (p->m == 1) {
    p->m = p->n, p->n = 1;
    p->row_a = p->column_a, p->row_b = p->column_b;
  } else if (p->column_a == p->m * p->row_a && p->column_b == p->m * p->row_b) {
    p->m *= p->n, p->n = 1;
  }
  team_run(r->team, r->set->binary, p, 1, p->m * p->n * LIGHT);
}

void recur_binary(recur *r, int32_t function, int64_t m, int64_t n, const float *a, int64_t row_a, int64_t column_a,
    const float *b, int64_t row_b, int64_t column_b, float *y) {
  binary(r, &(binary_pass){.function = function, .target = TO_Y, .m = m, .n = n, .a = a, .row_a = row_a,
      .column_a = column_a, .b = b, .row_b = row_b, .column_b = column_b, .d = y, .y = y});
}

void recur_binary_derivative(recur *r, int32_t function, int32_t of_b, int32_t accumulate, int64_t m, int64_t n,
    const float *a, int64_t row_a, int64_t column_a, const float *b, int64_t row_b, int64_t column_b, const float *d,
    float *y) {
  binary(r, &(binary_pass){.function = function, .target = of_b ? TO_B : TO_A, .accumulate = accumulate, .m = m, .n = n,
      .a = a, .row_a = row_a, .column_a = column_a, .b = b, .row_b = row_b, .column_b = column_b, .d = d, .y = y});
}

/* Items of a piece. */
static int64_t piece_of(int64_t items, int64_t least) {
  int64_t even = (items + PIECES - 1) / PIECES;
  return (even > least ? even + least - 1 : least) / least * least;
}

static double sum_of(const double *sums, int64_t pieces) {
  double total = 0;
  for (int64_t i = 0; i < pieces; i++) total += sums[i];
  return total;
}

double recur_sum(recur *r, int32_t squares, const float *x, int64_t n) {
  double sums[PIECES];
  int64_t piece = piece_of(n, LEAST_PIECE), pieces = (n + piece - 1) / piece;
  values(r, (pointwise_pass){.operation = squares ? SUM_OF_SQUARES : SUM, .a = x, .n = n, .piece = piece,
      .pieces = pieces, .sums = sums}, LIGHT);
  return sum_of(sums, pieces);
}

static void columns(recur *r, columns_pass p, int64_t work) {
  p.piece = piece_of(p.n, 1);
  p.pieces = (p.n + p.piece - 1) / p.piece;
  team_run(r->team, r->set->columns, &p, 1, p.m * p.n * work);
}

void recur_add_column(recur *r, int64_t m, int64_t n, const float *x, const float *b, float *y) {
  columns(r, (columns_pass){.operation = ADD_COLUMN, .m = m, .n = n, .x = x, .b = b, .y = y}, LIGHT);
}

void recur_add_column_sum(recur *r, int64_t m, int64_t n, const float *x, float *y) {
  recur_carry_column_sum(r, m, n, x, y, NULL);
}

void recur_carry_column_sum(recur *r, int64_t m, int64_t n, const float *x, float *y, float *carry) {
  columns(r, (columns_pass){.operation = ADD_COLUMN_SUM, .m = m, .n = n, .x = x, .y = y, .carry = carry}, LIGHT);
}

void recur_block(recur *r, int64_t m, int64_t n, const float *x, int64_t ldx, int32_t accumulate,
    float *y, int64_t ldy) {
  columns(r, (columns_pass){.operation = BLOCK, .flag = accumulate, .m = m, .n = n, .x = x, .ldx = ldx,
      .y = y, .ldy = ldy}, LIGHT);
}

void recur_gather(recur *r, int64_t m, int64_t n, const float *w, const int32_t *index, const float *b,
    float *y) {
  columns(r, (columns_pass){.operation = GATHER, .m = m, .n = n, .x = w, .b = b, .index = index, .y = y},
      LIGHT);
}

void recur_carry_scatter_add(recur *r, int64_t m, int64_t n, const float *y, const int32_t *index, float *w,
    float *carry) {
  columns(r, (columns_pass){.operation = SCATTER_ADD, .m = m, .n = n, .x = y, .index = index, .y = w,
      .carry = carry}, LIGHT);
}

void recur_softmax(recur *r, int64_t m, int64_t n, int32_t logarithm, const float *x, float *y) {
  columns(r, (columns_pass){.operation = SOFTMAX, .flag = logarithm, .m = m, .n = n, .x = x, .y = y}, HEAVY);
}

void recur_add_softmax_derivative(recur *r, int64_t m, int64_t n, int32_t logarithm, const float *y,
    const float *dy, float *dx) {
  columns(r, (columns_pass){.operation = SOFTMAX_DERIVATIVE, .flag = logarithm, .m = m, .n = n, .x = y, .b = dy,
      .y = dx}, logarithm ? HEAVY : LIGHT);
}

float recur_cross_entropy(recur *r, int64_t m, int64_t n, const float *x, const int32_t *index, float *p) {
  double sums[PIECES];
  columns(r, (columns_pass){.operation = CROSS_ENTROPY, .m = m, .n = n, .x = x, .index = index, .y = p,
      .sums = sums}, HEAVY);
  int64_t piece = piece_of(n, 1);
  return (float)(sum_of(sums, (n + piece - 1) / piece) / (double)n);
}

void recur_add_cross_entropy_derivative(recur *r, int64_t m, int64_t n, float factor, const float *p,
    const int32_t *index, float *dx) {
  columns(r, (columns_pass){.operation = CROSS_ENTROPY_DERIVATIVE, .m = m, .n = n, .alpha = factor, .x = p,
      .index = index, .y = dx}, LIGHT);
}

/* A pass over m x n x t values as one over the middle size of three; dimension 2 has m x n values between neighbours. */
static void reduction(recur *r, reduction_pass p, int32_t dimension, int64_t m, int64_t n, int64_t t) {
  p.along = dimension == 0;
  p.m = dimension == 0 ? 1 : dimension == 1 ? m : m * n;
  p.n = dimension == 0 ? m : dimension == 1 ? n : t;
  p.t = dimension == 0 ? n * t : dimension == 1 ? t : 1;
  team_run(r->team, r->set->reduce, &p, 1, m * n * t * LIGHT);
}

void recur_reduce(recur *r, int32_t by, int32_t dimension, int64_t m, int64_t n, int64_t t, const float *x, float *y) {
  reduction(r, (reduction_pass){.operation = REDUCE, .reduction = by, .x = x, .y = y}, dimension, m, n, t);
}

void recur_add_reduced(recur *r, int32_t dimension, int64_t m, int64_t n, int64_t t, const float *x, float *y,
    float *carry) {
  reduction(r, (reduction_pass){.operation = ADD_REDUCED, .reduction = BY_SUM, .x = x, .y = y, .carry = carry},
      dimension, m, n, t);
}

void recur_add_reduction_derivative(recur *r, int32_t by, int32_t dimension, int64_t m, int64_t n, int64_t t,
    const float *x, const float *y, const float *dy, float *dx) {
  reduction(r, (reduction_pass){.operation = REDUCTION_DERIVATIVE, .reduction = by, .x = x, .b = y, .c = dy, .y = dx},
      dimension, m, n, t);
}

void recur_update(recur *r, int32_t rule, float s0, float s1, float s2, float s3, float s4, float s5,
    float *w, float *g, float *slot0, float *slot1, float *slot2, int64_t n) {
  update_pass p = {.rule = rule, .w = w, .g = g, .slots = {slot0, slot1, slot2},
      .settings = {s0, s1, s2, s3, s4, s5}, .n = n};
  team_run(r->team, r->set->update, &p, 1, n * LIGHT);
}
