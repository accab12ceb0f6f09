/* The operations of programs. Each reads its tiles where it wrote none, or writes in place. */
#ifndef RECUR_OPERATIONS_H
#define RECUR_OPERATIONS_H
#include "pointwise.h"
#include "sums.h"
#include "tiles.h"

#define OPERATION(name) static void name(const patch_of_tiles *p, const recur_instruction *i)

/* The columns of a tile that an instruction works on. */
INLINE float *tile_of_patch(const patch_of_tiles *p, int tile) { return p->tiles[tile] + (int64_t)p->from * WIDTH; }

/* Those that compute value by value. */
operation NAME(map_tile), NAME(derive_tile), NAME(affine_tile), NAME(combine_tiles), NAME(multiply_add_tiles);

#endif
