/* The table of one instruction set. */
#include "matrices.h"
#include "patches.h"
#include "pointwise.h"
#include "tiles.h"

const kernels NAME(kernels) = {.width = WIDTH, .group = COLUMNS, .tile = TILE, .projects_all = NAME(projects_all),
    .pack = NAME(pack), .pack_gate = NAME(pack_gate), .multiply_columns = NAME(multiply_columns),
    .forward = NAME(forward), .backward = NAME(backward), .program = NAME(program), .pointwise = NAME(pointwise),
    .binary = NAME(binary), .columns = NAME(columns), .reduce = NAME(reduce), .update = NAME(update)};
