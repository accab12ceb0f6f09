/* The operations of programs that compute value by value: the columns of a block follow each other, so each is one loop
 * per block. */
#include "operations.h"

#include "cuda/binary.h"

/* to = result, which reads values of the tiles a, b and c. */
#define EACH(result)                                                                                        \
  EACH_BLOCK {                                                                                              \
    const float *first = tile_of_patch(p, i->a, block), *second = tile_of_patch(p, i->b, block),            \
                *third = tile_of_patch(p, i->c, block);                                                     \
    float *to = tile_of_patch(p, i->to, block);                                                             \
    for (int k = 0, values = p->n * WIDTH; k < values; k += LANES) {                                        \
      vf a = load(first + k), b = load(second + k), c = load(third + k);                                    \
      (void)a, (void)b, (void)c;                                                                            \
      store(to + k, result);                                                                                \
    }                                                                                                       \
  }

#define LOOPS(f, value, derivative)                                              \
  INLINE vf value_##f(vf x) { return value; }                                    \
  INLINE vf derivative_##f(vf x, vf y) { return (void)x, (void)y, (derivative); } \
  OPERATION(map_##f) { EACH(value_##f(a)) }                                      \
  OPERATION(derive_##f) { EACH(a * derivative_##f(b, c)) }
ELEMENTWISE(LOOPS)

static const struct {
  operation *map, *derive;
} functions[] = {
#define ENTRY(f, value, derivative) [f] = {map_##f, derive_##f},
    ELEMENTWISE(ENTRY)
};

void NAME(map_tile)(const patch_of_tiles *p, const recur_instruction *i) { functions[i->function].map(p, i); }
void NAME(derive_tile)(const patch_of_tiles *p, const recur_instruction *i) { functions[i->function].derive(p, i); }

void NAME(affine_tile)(const patch_of_tiles *p, const recur_instruction *i) { EACH(i->p * a + i->q) }

#define LOOP(f, value, to_a, to_b) \
  OPERATION(combine_##f) { EACH(value) }
BINARY(LOOP)

void NAME(combine_tiles)(const patch_of_tiles *p, const recur_instruction *i) {
#define NUMBERED(f, value, to_a, to_b) combine_##f,
  static operation *const all[] = {BINARY(NUMBERED)};
  all[i->function](p, i);
}

void NAME(multiply_add_tiles)(const patch_of_tiles *p, const recur_instruction *i) {
  switch (i->function) {
    case 0: EACH(a * b + c) break;
    case 1: EACH(a * b - c) break;
    default: EACH(c - a * b)
  }
}
