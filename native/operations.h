/* The operations of programs. Each reads its tiles where it wrote none, or writes in place. */
#ifndef RECUR_OPERATIONS_H
#define RECUR_OPERATIONS_H
#include "pointwise.h"
#include "sums.h"
#include "tiles.h"

#include "cuda/binary.h"

#define OPERATION(name) static void name(const patch_of_tiles *p, const recur_instruction *i)

#define EACH_BLOCK for (int block = 0; block < p->blocks; block++)

/* The columns of a tile that an instruction works on; those of one of its blocks. */
INLINE tile_place columns_of(const patch_of_tiles *p, int tile) {
  return (tile_place){p->tiles[tile].first + (int64_t)p->from * WIDTH, p->tiles[tile].apart};
}
INLINE float *tile_of_patch(const patch_of_tiles *p, int tile, int block) {
  tile_place its = columns_of(p, tile);
  return its.first + block * its.apart;
}

/* A row's values of the columns that an instruction works on. */
INLINE float *row_of_patch(const patch_of_tiles *p, int tile) { return p->tiles[tile].first + p->from; }

/* Values row ... row + WIDTH - 1 of a column, zeros where it has none. */
INLINE vf load_clipped(const float *column, int64_t row, int64_t rows) {
  if (row >= 0) return load_part(column + row, rows - row);
  vf x = {};
  for (int i = 0; i < LANES; i++)
    if (row + i >= 0 && row + i < rows) x[i] = column[row + i];
  return x;
}

/* The first columns of a tile = x. */
INLINE void fill(float *to, int n, vf low, vf high) {
  for (int j = 0; j < n; j++) {
    store(to + j * WIDTH, low);
    store(to + j * WIDTH + LANES, high);
  }
}

/* Values of n <= LANES columns, or more, of which a vector has the first. One column is one value, as which it is written
 * and read: a vector that reads what was just written as a number waits for it. */
INLINE vf columns_at(const float *from, int64_t n) { return n == 1 ? (vf){*from} : load_part(from, n); }
INLINE void put_columns(float *to, vf x, int64_t n) {
  if (n == 1) *to = x[0];
  else store_part(to, x, n);
}

/* Rows of a block that exist: WIDTH or more where all do. */
INLINE int64_t rows_left(const patch_of_tiles *p, int block) { return p->rows - block * (int64_t)WIDTH; }

/* Those that read weights. */
operation NAME(product), NAME(begin_product), NAME(gather), NAME(scatter);

/* Those that compute value by value, of tiles and of rows. */
#define OPERATIONS(name) operation NAME(name), NAME(name##_of_row);
#define OPERATIONS_OF_FUNCTION(f, value, derivative) OPERATIONS(map_##f) OPERATIONS(derive_##f) OPERATIONS(derive_product_##f)
ELEMENTWISE(OPERATIONS_OF_FUNCTION)
#define OPERATIONS_OF_BINARY(f, value, to_a, to_b) OPERATIONS(combine_##f)
BINARY(OPERATIONS_OF_BINARY)
OPERATIONS(affine_tile) OPERATIONS(multiply_add) OPERATIONS(multiply_subtract) OPERATIONS(subtract_product)
OPERATIONS(divide_product) OPERATIONS(divide_difference)

#endif
