/* The table of one instruction set. */
#include "matrices.h"
#include "panels.h"
#include "pointwise.h"
#include "tiles.h"

const kernels NAME(kernels) = {.width = WIDTH, .group = COLUMNS, .tile = TILE, .pack = NAME(pack),
    .multiply_columns = NAME(multiply_columns), .program = NAME(program), .pointwise = NAME(pointwise),
    .binary = NAME(binary), .columns = NAME(columns), .reduce = NAME(reduce), .update = NAME(update)};
