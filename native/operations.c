/* The operations of programs that move values: between tiles and memory, reductions. */
#include "operations.h"

/* The first n values of x to a column from `row` on, where it has such rows. */
INLINE void store_clipped(float *column, int64_t row, int64_t rows, vf x, int64_t n) {
  if (n > rows - row) n = rows - row;
  if (row >= 0) store_part(column + row, x, n);
  else
    for (int64_t i = -row; i < LANES && i < n; i++) column[row + i] = x[i];
}

/* The same in all columns of all blocks of a tile. */
static void fill_tile(const patch_of_tiles *p, int tile, vf x) { EACH_BLOCK fill(tile_of_patch(p, tile, block), p->n, x, x); }

OPERATION(clear) { fill_tile(p, i->to, splat(0)); }

OPERATION(constant) { fill_tile(p, i->to, splat(i->p)); }

static void fill_row(const patch_of_tiles *p, int tile, float x) {
  float *to = row_of_patch(p, tile);
  for (int j = 0; j < p->n; j++) to[j] = x;
}

OPERATION(constant_of_row) { fill_row(p, i->to, i->p); }

OPERATION(spread) {
  const float *row = row_of_patch(p, i->a);
  EACH_BLOCK {
    float *to = tile_of_patch(p, i->to, block);
    for (int j = 0; j < p->n; j++, to += WIDTH) fill(to, 1, splat(row[j]), splat(row[j]));
  }
}

/* The columns of a step, or of some, of all blocks. */
static void copy_columns(const patch_of_tiles *p, tile_place to, tile_place from) {
  EACH_BLOCK memcpy(to.first + block * to.apart, from.first + block * from.apart, sizeof(float) * WIDTH * p->n);
}

OPERATION(copy) { copy_columns(p, columns_of(p, i->to), columns_of(p, i->a)); }

/* Asks for a block's rows of a column in the tile of the steps that follow: columns of matrices lie too far apart for the
 * processor to see them coming. To write is 1 for rows that will be written. */
#define ASK_AHEAD(p, column, rows, to_write)                                                        \
  if ((p)->steps > 1) {                                                                             \
    const float *next = (column) + (p)->columns * ((p)->job->is_backward ? -(rows) : (rows));       \
    for (int line = 0; line < WIDTH; line += 16) __builtin_prefetch(next + line, to_write);         \
  }

OPERATION(load_matrix) {
  const recur_array *a = &p->run->arrays[i->array];
  const float *first = matrix_of(p, a, i->lag);
  EACH_BLOCK {
    int64_t row = i->row + p->row + block * WIDTH, rows = a->rows;
    const float *column = first;
    float *to = tile_of_patch(p, i->to, block);
    if (row >= 0 && row + WIDTH <= rows) {
      column += row;
      for (int j = 0; j < p->n; j++, column += rows, to += WIDTH) {
        ASK_AHEAD(p, column, rows, 0)
        store(to, load(column));
        store(to + LANES, load(column + LANES));
      }
    } else {
      for (int j = 0; j < p->n; j++, column += rows, to += WIDTH) {
        store(to, load_clipped(column, row, rows));
        store(to + LANES, load_clipped(column, row + LANES, rows));
      }
    }
  }
}

OPERATION(load_row) {
  const recur_array *a = &p->run->arrays[i->array];
  EACH_BLOCK {
    const float *from = matrix_of(p, a, i->lag) + i->row;
    float *to = tile_of_patch(p, i->to, block);
    for (int j = 0; j < p->n; j++, from += a->rows, to += WIDTH) fill(to, 1, splat(*from), splat(*from));
  }
}

OPERATION(load_row_of_row) {
  const recur_array *a = &p->run->arrays[i->array];
  const float *from = matrix_of(p, a, i->lag) + i->row;
  float *to = row_of_patch(p, i->to);
  for (int j = 0; j < p->n; j++, from += a->rows) to[j] = *from;
}

OPERATION(store_matrix) {
  const recur_array *a = &p->run->arrays[i->array];
  if (!a->data) return;
  float *first = matrix_of(p, a, i->lag);
  EACH_BLOCK {
    int64_t row = i->row + p->row + block * WIDTH, rows = a->rows, left = rows_left(p, block);
    float *column = first;
    const float *from = tile_of_patch(p, i->a, block);
    if (left >= WIDTH && row >= 0 && row + WIDTH <= rows) {
      column += row;
      for (int j = 0; j < p->n; j++, column += rows, from += WIDTH) {
        ASK_AHEAD(p, column, rows, 1)
        store(column, load(from));
        store(column + LANES, load(from + LANES));
      }
    } else {
      for (int j = 0; j < p->n; j++, column += rows, from += WIDTH) {
        store_clipped(column, row, rows, load(from), left);
        store_clipped(column, row + LANES, rows, load(from + LANES), left - LANES);
      }
    }
  }
}

OPERATION(take) {
  copy_columns(p, columns_of(p, i->to), place_in(p, &p->run->arrays[i->array], p->now + i->lag, p->at));
}

OPERATION(give) {
  const recur_array *a = &p->run->arrays[i->array];
  if (a->data) copy_columns(p, place_in(p, a, p->now + i->lag, p->at), columns_of(p, i->a));
}

OPERATION(keep) {
  if (p->job->runs && p->now >= 0) copy_columns(p, kept_columns(p, i->array, p->now, p->at), columns_of(p, i->a));
}

/* Backward runs from the last step to the first. */
static void sum_steps(const patch_of_tiles *p, const recur_instruction *i, int is_product) {
  if (!p->job->runs || p->now < 0) return;
  int is_first = p->steps_summed % SUMMED_STEPS == 0;
  tile_place sums = summed_columns(p, i->array);
  EACH_BLOCK {
    const float *a = tile_of_patch(p, i->a, block), *b = tile_of_patch(p, i->b, block);
    float *to = sums.first + block * sums.apart;
    for (int k = 0; k < p->n * WIDTH; k += LANES) {
      vf x = is_product ? load(a + k) * load(b + k) : load(a + k);
      store(to + k, is_first ? x : load(to + k) + x);
    }
  }
}

OPERATION(sum) { sum_steps(p, i, 0); }

OPERATION(sum_product) { sum_steps(p, i, 1); }

OPERATION(load_vector) {
  const recur_parameter *v = &p->run->vectors[i->array];
  EACH_BLOCK {
    int64_t row = i->row + p->row + block * WIDTH;
    fill(tile_of_patch(p, i->to, block), p->n, load_clipped(v->values, row, v->rows),
        load_clipped(v->values, row + LANES, v->rows));
  }
}

/* The tile of one column is the vector itself, where that has all the rows. */
OPERATION(place_vector) {
  const recur_parameter *v = &p->run->vectors[i->array];
  int64_t first = i->row + p->row;
  int is_there = p->columns == 1 && first >= 0 && first + p->blocks * WIDTH <= v->rows;
  p->tiles[i->to] = is_there ? (tile_place){(float *)v->values + first, WIDTH}
      : own_tile(p->job, p->part, p->run->program->most_tiles - FIRST_PLACE - i->to);
  if (!is_there) load_vector(p, i);
}

OPERATION(load_scalar) { fill_tile(p, i->to, splat(p->run->vectors[i->array].values[i->row])); }

OPERATION(load_scalar_of_row) { fill_row(p, i->to, p->run->vectors[i->array].values[i->row]); }

/* Columns of matrices lie too far apart for the processor to see them coming. */
OPERATION(expect) {
  if (p->n == 1) return; /* the next one follows it */
  const recur_array *a = &p->run->arrays[i->array];
  const float *column = matrix_of(p, a, i->lag) + i->row + p->row;
  for (int j = 0; j < p->n; j++, column += a->rows)
    for (int k = 0; k < p->blocks * WIDTH; k += 16) __builtin_prefetch(column + k);
}

/* Each block leaves two numbers per column, those of all columns after each other; whoever reads the reduction joins
 * those of all blocks in their order. The sums of a column have one order, whatever its place and the batch. The columns
 * are those of a step, of free sections those of all steps. */
INLINE int64_t reduced_columns(const patch_of_tiles *p) {
  return p->section->is_free ? p->run->batch * p->run->time : p->run->batch;
}
INLINE float *partials_of(const patch_of_tiles *p, const recur_instruction *i, int64_t block) {
  int64_t before = p->section->is_free ? p->now * p->run->batch : 0;
  return p->job->partials + 2 * (i->row + block) * reduced_columns(p) + before + p->at;
}

INLINE vf joined(int kind, vf a, vf b) { return kind == BY_MAX ? choose((a > b) | (a != a), a, b) : a + b; }

/* One value of each of LANES vectors: of neighbours first, and then of what these gave. */
INLINE vf folded(int kind, vf *x) {
  for (int n = LANES; n > 1; n /= 2)
    for (int j = 0; j < n / 2; j++) x[j] = joined(kind, evens(x[2 * j], x[2 * j + 1]), odds(x[2 * j], x[2 * j + 1]));
  return x[0];
}

/* The same of n columns, to where the values of the first n are stored. One column is one vector, of whose value no more
 * is stored than that: whoever reads it need not wait for a vector. */
INLINE vf fold(int kind, vf *x, int n) {
  if (n > 1) return folded(kind, x);
  vf one = x[0];
  for (int lanes = LANES; lanes > 1; lanes /= 2) one = joined(kind, evens(one, one), odds(one, one));
  return one;
}

/* n <= LANES columns of a block of `rows` rows, to first and, of a variance, to second. */
INLINE void reduce_columns(int kind, const float *x, int64_t rows, int n, float *first, float *second) {
  vf none = splat(kind == BY_MAX ? -__builtin_inff() : 0), all[LANES];
  vi lane, count = (int32_t)rows - (vi){};
  for (int i = 0; i < LANES; i++) lane[i] = i;
  vi low = lane < count, high = lane + LANES < count;
  for (int j = 0; j < LANES; j++, x += WIDTH)
    all[j] = j < n ? joined(kind, choose(low, load(x), none), choose(high, load(x + LANES), none)) : none;
  vf value = fold(kind, all, n);
  if (kind == BY_VARIANCE) {
    float means[LANES];
    value /= splat(rows);
    store(means, value);
    x -= LANES * WIDTH;
    for (int j = 0; j < n; j++, x += WIDTH) {
      vf a = choose(low, load(x) - splat(means[j]), none), b = choose(high, load(x + LANES) - splat(means[j]), none);
      all[j] = a * a + b * b;
    }
    for (int j = n; j < LANES; j++) all[j] = none;
    put_columns(second, fold(kind, all, n), n);
  }
  put_columns(first, value, n);
}

/* One column is compiled by itself: the vectors that it leaves empty are then not there. */
#define REDUCE(kind)                                                                            \
  {                                                                                             \
    if (n == 1) reduce_columns(kind, x + j * WIDTH, rows, 1, first + j, second + j);            \
    else reduce_columns(kind, x + j * WIDTH, rows, n, first + j, second + j);                   \
  }

OPERATION(reduce) {
  int kind = p->run->program->reductions[i->array].kind;
  EACH_BLOCK {
    const float *x = tile_of_patch(p, i->a, block);
    float *first = partials_of(p, i, p->block + block), *second = first + reduced_columns(p);
    int64_t rows = rows_left(p, block) < WIDTH ? rows_left(p, block) : WIDTH;
    for (int j = 0; j < p->n; j += LANES) {
      int n = p->n - j < LANES ? p->n - j : LANES;
      if (kind == BY_VARIANCE) REDUCE(BY_VARIANCE)
      else if (kind == BY_MAX) REDUCE(BY_MAX)
      else REDUCE(BY_SUM)
    }
  }
}

/* The rows of a block from row `done` on. */
INLINE vf rows_of_block(int64_t rows, int64_t done) { return splat(rows - done < WIDTH ? rows - done : WIDTH); }

/* The mean of all rows, or the mean squared distance from it, from the means and squared distances of the blocks. */
INLINE vf moment_of(const float *partial, int64_t columns, int64_t rows, int n, int is_mean) {
  vf mean = {}, squares = {};
  const float *from = partial;
  for (int64_t done = 0; done < rows; done += WIDTH, from += 2 * columns)
    mean += columns_at(from, n) * rows_of_block(rows, done);
  mean /= splat(rows);
  if (is_mean) return mean;
  for (int64_t done = 0; done < rows; done += WIDTH, partial += 2 * columns) {
    vf distance = columns_at(partial, n) - mean;
    squares += columns_at(partial + columns, n) + distance * distance * rows_of_block(rows, done);
  }
  return squares / splat(rows);
}

/* The same of n <= LANES columns for each kind. */
INLINE vf reduced_of(const recur_reduction *its, const float *partial, int64_t columns, int n) {
  if (its->kind == BY_MEAN_OF_VARIANCE) return moment_of(partial, columns, its->rows, n, 1);
  if (its->kind == BY_VARIANCE) return moment_of(partial, columns, its->rows, n, 0);
  vf x = columns_at(partial, n);
  for (int64_t k = 1, all = blocks(its->rows); k < all; k++) {
    vf next = columns_at(partial + 2 * k * columns, n);
    x = its->kind == BY_MAX ? joined(BY_MAX, x, next) : x + next;
  }
  return its->kind == BY_MEAN ? x / splat(its->rows) : x;
}

INLINE void put_reduced(const patch_of_tiles *p, const recur_instruction *i, int j, int n, float *to) {
  const recur_reduction *its = &p->run->program->reductions[i->array];
  const float *partial = partials_of(p, i, 0) + j;
  int64_t columns = reduced_columns(p);
  if (n == 1) *to = reduced_of(its, partial, columns, 1)[0];
  else store_part(to, reduced_of(its, partial, columns, n), n);
}

/* The same, which each part computes once per step, whichever of its blocks asks first. */
static const float *joined_columns(const patch_of_tiles *p, const recur_instruction *i, int j, int n) {
  int64_t batch = p->run->batch;
  float *values = joined_of(p->job, p->part) + 2 * i->array * batch + p->at + j;
  int32_t *steps = (int32_t *)(values + batch), step = (int32_t)p->now + FIRST_STEP, all = 1;
  for (int k = 0; k < n; k++) all &= steps[k] == step;
  if (all) return values;
  put_reduced(p, i, j, n, values);
  for (int k = 0; k < n; k++) steps[k] = step;
  return values;
}

OPERATION(reduced) {
  for (int j = 0; j < p->n; j += LANES) {
    int n = least_of(LANES, p->n - j);
    float of_steps[LANES];
    const float *values = of_steps;
    if (p->section->is_free) put_reduced(p, i, j, n, of_steps);
    else values = joined_columns(p, i, j, n);
    EACH_BLOCK {
      float *to = tile_of_patch(p, i->to, block) + j * WIDTH;
      for (int k = 0; k < n; k++, to += WIDTH) fill(to, 1, splat(values[k]), splat(values[k]));
    }
  }
}

OPERATION(reduced_of_row) {
  float *to = row_of_patch(p, i->to);
  for (int j = 0; j < p->n; j += LANES) {
    int n = least_of(LANES, p->n - j);
    if (p->section->is_free) put_reduced(p, i, j, n, to + j);
    else memcpy(to + j, joined_columns(p, i, j, n), sizeof(float) * n);
  }
}

OPERATION(drop) {
  float kept = 1 / (1 - i->p);
  vi threshold = (int32_t)(i->p * (1 << 24)) - (vi){};
  uint64_t seed = (uint64_t)p->job->seeds[p->now * p->run->program->draws + i->array];
  EACH_BLOCK {
    const float *from = tile_of_patch(p, i->a, block);
    float *to = tile_of_patch(p, i->to, block);
    for (int j = 0; j < p->n; j++) {
      int32_t coins[WIDTH];
      toss(seed, (p->at + j) * (int64_t)i->b + i->row + p->row + block * WIDTH, WIDTH, coins);
      for (int k = j * WIDTH; k < (j + 1) * WIDTH; k += LANES) {
        vi coin = (vi)load((const float *)coins + k - j * WIDTH);
        store(to + k, choose(coin >= threshold, kept * load(from + k), splat(0)));
      }
    }
  }
}

_Static_assert((int)ELEMENTWISE_COUNT <= (int)RECUR_ROW && (int)BINARY_COUNT <= (int)RECUR_ROW, "rows come after tiles");
#define BOTH(f, name) [f] = NAME(name), [RECUR_ROW + f] = NAME(name##_of_row),
#define MAPS(f, value, derivative) BOTH(f, map_##f)
#define DERIVES(f, value, derivative) BOTH(f, derive_##f)
#define DERIVES_PRODUCT(f, value, derivative) BOTH(f, derive_product_##f)
#define COMBINES(f, value, to_a, to_b) BOTH(f, combine_##f)

operation *const NAME(operations)[RECUR_CODES][FUNCTIONS] = {[RECUR_CLEAR] = {clear},
    [RECUR_CONSTANT] = {[0] = constant, [RECUR_ROW] = constant_of_row}, [RECUR_COPY] = {copy},
    [RECUR_LOAD] = {load_matrix}, [RECUR_LOAD_ROW] = {[0] = load_row, [RECUR_ROW] = load_row_of_row},
    [RECUR_STORE] = {store_matrix}, [RECUR_TAKE] = {take}, [RECUR_GIVE] = {give}, [RECUR_KEEP] = {keep, sum, sum_product},
    [RECUR_LOAD_VECTOR] = {load_vector, place_vector},
    [RECUR_LOAD_SCALAR] = {[0] = load_scalar, [RECUR_ROW] = load_scalar_of_row},
    [RECUR_PRODUCT] = {NAME(product), NAME(begin_product)},
    [RECUR_EXPECT] = {expect}, [RECUR_GATHER] = {NAME(gather)}, [RECUR_SCATTER] = {NAME(scatter)},
    [RECUR_MAP] = {ELEMENTWISE(MAPS)}, [RECUR_DERIVATIVE] = {ELEMENTWISE(DERIVES)},
    [RECUR_DERIVATIVE_OF_PRODUCT] = {ELEMENTWISE(DERIVES_PRODUCT)}, [RECUR_AFFINE] = {BOTH(0, affine_tile)},
    [RECUR_COMBINE] = {BINARY(COMBINES)},
    [RECUR_FUSED] = {BOTH(0, multiply_add) BOTH(1, multiply_subtract) BOTH(2, subtract_product)
        BOTH(3, divide_product) BOTH(4, divide_difference)},
    [RECUR_REDUCE] = {reduce}, [RECUR_REDUCED] = {[0] = reduced, [RECUR_ROW] = reduced_of_row}, [RECUR_DROP] = {drop},
    [RECUR_SPREAD] = {spread}};
