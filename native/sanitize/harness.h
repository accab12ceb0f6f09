/* What the parts of the harness share: a caller, its random numbers, and arrays of exactly the size that recur.h asks for. */
#ifndef RECUR_HARNESS_H
#define RECUR_HARNESS_H
#include "../recur.h"

/* All of recur.h: `run` compares it with the header, and each must be called. */
#define FUNCTIONS(F) \
  F(best) F(has) F(open) F(rest) F(close) F(product) F(multiply_columns) F(packed) F(pack) F(fill) F(copy) F(affine) F(combine) \
  F(clamp) F(add_clamp_derivative) F(binary) F(binary_derivative) F(multiply) F(map) F(add_derivative) F(drop) F(sum) F(add_column) F(add_column_sum) F(block) \
  F(gather) F(softmax) F(add_softmax_derivative) F(cross_entropy) F(add_cross_entropy_derivative) F(update) \
  F(carry_column_sum) F(carry_scatter_add) F(reduce) F(add_reduced) F(add_reduction_derivative) \
  F(run_scratch) F(run_forward) F(run_backward)
#define NUMBER(name) CALL_##name,
enum { FUNCTIONS(NUMBER) CALLS };

enum { MOST_KEPT = 64 };

typedef struct {
  uint64_t state;
  int64_t calls[CALLS];
  void *kept[MOST_KEPT];
  int count;
} caller;

#define CALL(name, ...) (c->calls[CALL_##name]++, recur_##name(__VA_ARGS__))

int64_t between(caller *c, int64_t least, int64_t most);
int one_in(caller *c, int64_t chances);

/* Random values; an allocation that ends with the array and is aligned to 4 bytes, or to 64. */
float *floats(caller *c, int64_t count);
float *aligned(caller *c, int64_t count);
float *maybe(caller *c, int64_t count); /* now and then NULL */
int32_t *indexes(caller *c, int64_t count, int64_t bound);
void release(caller *c); /* all of them */

/* One call, or those that belong together, with random sizes. */
void some_values(caller *c, recur *r);
void some_binary(caller *c, recur *r);
void some_columns(caller *c, recur *r);
void some_reduction(caller *c, recur *r);
void some_product(caller *c, recur *r);
void some_program(caller *c, recur *r);

#endif
