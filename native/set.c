/* The table of one instruction set. */
#include "matrices.h"
#include "patches.h"
#include "pointwise.h"

const kernels NAME(kernels) = {.width = WIDTH, .projects_all = NAME(projects_all), .pack = NAME(pack),
    .multiply_columns = NAME(multiply_columns), .forward = NAME(forward), .backward = NAME(backward),
    .pointwise = NAME(pointwise), .binary = NAME(binary), .columns = NAME(columns), .reduce = NAME(reduce),
    .update = NAME(update)};
