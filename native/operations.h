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

/* Rows of a block that exist: WIDTH or more where all do. */
INLINE int64_t rows_left(const patch_of_tiles *p, int block) { return p->rows - block * (int64_t)WIDTH; }

/* Those that compute value by value. */
#define OPERATIONS_OF_FUNCTION(f, value, derivative) \
  operation NAME(map_##f), NAME(derive_##f), NAME(derive_product_##f);
ELEMENTWISE(OPERATIONS_OF_FUNCTION)
#define OPERATION_OF_BINARY(f, value, to_a, to_b) operation NAME(combine_##f);
BINARY(OPERATION_OF_BINARY)
operation NAME(affine_tile), NAME(multiply_add), NAME(multiply_subtract), NAME(subtract_product);

#endif
