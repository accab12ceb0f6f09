/* Products of matrices that are not packed. */
#ifndef RECUR_MATRICES_H
#define RECUR_MATRICES_H
#include "kernels.h"
#include "vector.h"

/* The phase of recur_multiply_columns. */
void NAME(multiply_columns)(const void *job, int64_t number, int part, int parts);

#endif
