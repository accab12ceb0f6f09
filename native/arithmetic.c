/* The operations of programs that compute value by value: the columns of a block follow each other, so each is one loop
 * per block. */
#include "operations.h"

/* to = result, which reads values of the tiles a, b and c. */
#define EACH(result)                                                                                               \
  {                                                                                                                \
    tile_place first = columns_of(p, i->a), second = columns_of(p, i->b), third = columns_of(p, i->c),             \
               to = columns_of(p, i->to);                                                                          \
    for (int block = 0; block < p->blocks; block++) {                                                              \
      int step = rows_left(p, block) > LANES ? LANES : WIDTH; /* the second half has no rows then */               \
      for (int k = 0, values = p->n * WIDTH; k < values; k += step) {                                              \
        vf a = load(first.first + k), b = load(second.first + k), c = load(third.first + k);                       \
        (void)a, (void)b, (void)c;                                                                                 \
        store(to.first + k, result);                                                                               \
      }                                                                                                            \
      first.first += first.apart, second.first += second.apart, third.first += third.apart, to.first += to.apart; \
    }                                                                                                              \
  }

/* Columns of a row, of which a vector has some: a tile has room behind those that there are. See columns_at. */
INLINE vf columns_of_row(const float *row, int n) { return n == 1 ? splat(*row) : load(row); }

/* The same of rows. */
#define EACH_OF_ROW(result)                                                                                       \
  {                                                                                                               \
    const float *first = row_of_patch(p, i->a), *second = row_of_patch(p, i->b), *third = row_of_patch(p, i->c);   \
    float *to = row_of_patch(p, i->to);                                                                           \
    for (int k = 0, left = p->n; left > 0; k += LANES, left -= LANES) {                                           \
      vf a = columns_of_row(first + k, left), b = columns_of_row(second + k, left),                                \
         c = columns_of_row(third + k, left);                                                                     \
      (void)a, (void)b, (void)c;                                                                                  \
      put_columns(to + k, result, left);                                                                          \
    }                                                                                                             \
  }

#define COMPUTES(name, result)                                                          \
  void NAME(name)(const patch_of_tiles *p, const recur_instruction *i) { EACH(result) } \
  void NAME(name##_of_row)(const patch_of_tiles *p, const recur_instruction *i) { EACH_OF_ROW(result) }

#define LOOPS(f, value, derivative)                                               \
  INLINE vf value_##f(vf x) { return value; }                                     \
  INLINE vf derivative_##f(vf x, vf y) { return (void)x, (void)y, (derivative); } \
  COMPUTES(map_##f, value_##f(a))                                                 \
  COMPUTES(derive_##f, a * derivative_##f(b, c))                                  \
  COMPUTES(derive_product_##f, a * b * derivative_##f(c, c))
ELEMENTWISE(LOOPS)

#define LOOP(f, value, to_a, to_b) COMPUTES(combine_##f, value)
BINARY(LOOP)

COMPUTES(affine_tile, i->p * a + i->q)
COMPUTES(multiply_add, a * b + c)
COMPUTES(multiply_subtract, a * b - c)
COMPUTES(subtract_product, c - a * b)
COMPUTES(divide_product, a * b / c)
COMPUTES(divide_difference, (a - b) / c)
