/* Binary functions of two operands, each repeated or not, from their table in cuda/binary.h. */
#include "pointwise.h"

#include "cuda/binary.h"

/* y = the value, or y (+)= what the gradient d gives to one operand. */
typedef void loop(const float *pa, const float *pb, const float *pd, float *y, int add, int64_t n);

#define LOOPS(f, value, to_a, to_b)                                                                        \
  static void value_##f(const float *pa, const float *pb, const float *pd, float *y, int add, int64_t n) { \
    (void)pd, (void)add;                                                                                   \
    OVER(n, {                                                                                              \
      vf a = GET(pa), b = GET(pb);                                                                         \
      PUT(y, value);                                                                                       \
    })                                                                                                     \
  }                                                                                                        \
  static void to_a_##f(const float *pa, const float *pb, const float *pd, float *y, int add, int64_t n) {  \
    OVER(n, {                                                                                              \
      vf a = GET(pa), b = GET(pb), d = GET(pd), x = to_a;                                                  \
      (void)a, (void)b, (void)d;                                                                           \
      PUT(y, add ? GET(y) + x : x);                                                                        \
    })                                                                                                     \
  }                                                                                                        \
  static void to_b_##f(const float *pa, const float *pb, const float *pd, float *y, int add, int64_t n) {  \
    OVER(n, {                                                                                              \
      vf a = GET(pa), b = GET(pb), d = GET(pd), x = to_b;                                                  \
      (void)a, (void)b, (void)d;                                                                           \
      PUT(y, add ? GET(y) + x : x);                                                                        \
    })                                                                                                     \
  }
BINARY(LOOPS)

static loop *const loops[][3] = {
#define ENTRY(f, value, to_a, to_b) [f] = {[TO_Y] = value_##f, [TO_A] = to_a_##f, [TO_B] = to_b_##f},
    BINARY(ENTRY)
};

/* n rows of one column, of which an operand has one value: it is spread over an array, so that the loops need not know. */
static void spread(const binary_pass *p, loop *run, const float *a, const float *b, const float *d, float *y, int64_t n) {
  float same_a[CUT], same_b[CUT];
  if (!p->row_a) OVER(CUT, { PUT(same_a, splat(*a)); })
  if (!p->row_b) OVER(CUT, { PUT(same_b, splat(*b)); })
  for (int64_t i = 0; i < n; i += CUT)
    run(p->row_a ? a + i : same_a, p->row_b ? b + i : same_b, d + i, y + i, p->accumulate, n - i < CUT ? n - i : CUT);
}

void NAME(binary)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const binary_pass *p = job;
  loop *run = loops[p->function][p->target];
  range rows, columns;
  share_out(p->m, p->n, part, parts, &rows, &columns);
  int64_t n = rows.to - rows.from;
  if (n <= 0) return;
  for (int64_t j = columns.from; j < columns.to; j++) {
    const float *a = p->a + j * p->column_a + rows.from * p->row_a;
    const float *b = p->b + j * p->column_b + rows.from * p->row_b;
    int64_t at = j * p->m + rows.from;
    if (p->row_a && p->row_b) run(a, b, p->d + at, p->y + at, p->accumulate, n);
    else spread(p, run, a, b, p->d + at, p->y + at, n);
  }
}
