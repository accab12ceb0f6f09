/* The operations of programs that compute value by value: a tile's columns follow each other, so each is one loop. */
#include "operations.h"

#include "cuda/binary.h"

#define EACH(...)                                                 \
  for (int k = 0, values = p->n * WIDTH; k < values; k += LANES) { \
    __VA_ARGS__                                                   \
  }

#define LOOPS(f, value, derivative)                                                             \
  OPERATION(map_##f) {                                                                          \
    const float *from = tile_of_patch(p, i->a);                                                 \
    float *to = tile_of_patch(p, i->to);                                                        \
    EACH({                                                                                      \
      vf x = load(from + k);                                                                    \
      store(to + k, value);                                                                     \
    })                                                                                          \
  }                                                                                             \
  OPERATION(derive_##f) {                                                                       \
    const float *dy = tile_of_patch(p, i->a), *in = tile_of_patch(p, i->b), *out = tile_of_patch(p, i->c); \
    float *to = tile_of_patch(p, i->to);                                                        \
    EACH({                                                                                      \
      vf x = load(in + k), y = load(out + k);                                                   \
      (void)x, (void)y;                                                                         \
      store(to + k, load(dy + k) * (derivative));                                               \
    })                                                                                          \
  }
ELEMENTWISE(LOOPS)

static const struct {
  operation *map, *derive;
} functions[] = {
#define ENTRY(f, value, derivative) [f] = {map_##f, derive_##f},
    ELEMENTWISE(ENTRY)
};

void NAME(map_tile)(const patch_of_tiles *p, const recur_instruction *i) { functions[i->function].map(p, i); }
void NAME(derive_tile)(const patch_of_tiles *p, const recur_instruction *i) { functions[i->function].derive(p, i); }

void NAME(affine_tile)(const patch_of_tiles *p, const recur_instruction *i) {
  const float *from = tile_of_patch(p, i->a);
  float *to = tile_of_patch(p, i->to);
  EACH({ store(to + k, i->p * load(from + k) + i->q); })
}

#define LOOP(f, value, to_a, to_b)                                              \
  OPERATION(combine_##f) {                                                      \
    const float *left = tile_of_patch(p, i->a), *right = tile_of_patch(p, i->b); \
    float *to = tile_of_patch(p, i->to);                                        \
    EACH({                                                                      \
      vf a = load(left + k), b = load(right + k);                               \
      store(to + k, value);                                                     \
    })                                                                          \
  }
BINARY(LOOP)

void NAME(combine_tiles)(const patch_of_tiles *p, const recur_instruction *i) {
#define NUMBERED(f, value, to_a, to_b) combine_##f,
  static operation *const all[] = {BINARY(NUMBERED)};
  all[i->function](p, i);
}

void NAME(multiply_add_tiles)(const patch_of_tiles *p, const recur_instruction *i) {
  const float *left = tile_of_patch(p, i->a), *right = tile_of_patch(p, i->b), *third = tile_of_patch(p, i->c);
  float *to = tile_of_patch(p, i->to);
  switch (i->function) {
    case 0: EACH({ store(to + k, load(left + k) * load(right + k) + load(third + k)); }) break;
    case 1: EACH({ store(to + k, load(left + k) * load(right + k) - load(third + k)); }) break;
    default: EACH({ store(to + k, load(third + k) - load(left + k) * load(right + k)); })
  }
}
