/* The operations of programs that compute value by value: the columns of a block follow each other, so each is one loop
 * per block. */
#include "operations.h"

#include "cuda/binary.h"

/* to = result, which reads values of the tiles a, b and c. */
#define EACH(result)                                                                                               \
  {                                                                                                                \
    tile_place first = columns_of(p, i->a), second = columns_of(p, i->b), third = columns_of(p, i->c),             \
               to = columns_of(p, i->to);                                                                          \
    for (int blocks = p->blocks; blocks > 0; blocks--) {                                                           \
      for (int k = 0, values = p->n * WIDTH; k < values; k += WIDTH)                                               \
        for (int half = k; half < k + WIDTH; half += LANES) {                                                      \
          vf a = load(first.first + half), b = load(second.first + half), c = load(third.first + half);            \
          (void)a, (void)b, (void)c;                                                                               \
          store(to.first + half, result);                                                                          \
        }                                                                                                          \
      first.first += first.apart, second.first += second.apart, third.first += third.apart, to.first += to.apart; \
    }                                                                                                              \
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
