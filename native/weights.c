/* The operations of programs that read weights or add to their gradients: products and classes. */
#include "operations.h"

/* Weights of some blocks that a core reads fastest in any order: many of them are in its first-level cache. */
enum { AT_HAND_FLOATS = 1 << 14 };

/* Where the sums of a block begin: a vector's values, `its` is its number and row, or zeros. Clipped ones are in `room`. */
static const float *begin_of(const patch_of_tiles *p, const int32_t *its, int block, float *room) {
  static const float zeros[WIDTH];
  if (its[0] < 0) return zeros;
  const recur_parameter *v = &p->run->vectors[its[0]];
  int64_t row = its[1] + p->row + block * WIDTH;
  if (row >= 0 && row + WIDTH <= v->rows) return v->values + row;
  fill(room, 1, load_clipped(v->values, row, v->rows), load_clipped(v->values, row + LANES, v->rows));
  return room;
}

/* begins: whether the sums begin with vectors, which are named behind their tiles; else they go on. */
INLINE void multiply(const patch_of_tiles *p, const recur_instruction *i, int begins) {
  const recur_run *run = p->run;
  const recur_multiplication *m = &run->program->products[i->array];
  const int32_t *tiles = run->program->tiles + m->first, *begin = tiles + m->panels;
  float room[MOST_PANELS][WIDTH];
  if (m->skips_first && p->is_first) {
    for (int k = 0; begins && k < m->panels; k++) EACH_BLOCK {
      const float *from = begin_of(p, begin + 2 * k, block, room[0]);
      fill(tile_of_patch(p, tiles[k], block), p->n, load(from), load(from + LANES));
    }
    return;
  }
  const recur_array *operand = &run->arrays[m->operand];
  const float *panel = panels_of(run->packed[m->packed], p->block, m->panels, m->terms);
  const float *column = matrix_of(p, operand, m->lag);
  int is_small = p->blocks * (int64_t)m->panels * m->terms * WIDTH <= AT_HAND_FLOATS;
  int origin = p->job->pass->is_far ? FAR : is_small ? AT_HAND : NEAR;
  for (int block = 0, k = 0; block < p->blocks;) { /* panels of adjacent blocks follow each other */
    const float *from[MOST_PANELS];
    float *sums[MOST_PANELS];
    int64_t rows = rows_left(p, block);
    int few = 0, end = rows <= LANES || rows_left(p, p->blocks - 1) > LANES ? p->blocks : p->blocks - 1;
    for (; few < MOST_PANELS && block < end; few++) {
      sums[few] = tile_of_patch(p, tiles[k], block);
      from[few] = begins ? begin_of(p, begin + 2 * k, block, room[few]) : sums[few];
      if (begins && rows_left(p, block) <= LANES)
        for (int j = 0; j < p->n; j++) store(sums[few] + j * WIDTH + LANES, splat(0));
      if (++k == m->panels) k = 0, block++;
    }
    NAME(multiply_panels)(few, rows, panel, m->terms, origin, column, operand->rows, p->n,
        (sums_at){from, begins ? 0 : WIDTH, sums, WIDTH});
    panel += few * (int64_t)m->terms * WIDTH;
  }
}

void NAME(product)(const patch_of_tiles *p, const recur_instruction *i) { multiply(p, i, 0); }

void NAME(begin_product)(const patch_of_tiles *p, const recur_instruction *i) { multiply(p, i, 1); }

/* The column of weights that the class of column j of an instruction takes, and its place in the gradient's carry. */
INLINE int64_t class_at(const patch_of_tiles *p, const recur_weights *w, int j) {
  int64_t column = w->column + p->run->index[p->now * p->run->batch + p->at + j];
  return column * p->run->matrices[w->matrix].rows + w->row + p->row;
}

/* Vector by vector of a tile: k counts its floats, row those of a column. */
#define EACH_VECTOR(...)                                                                          \
  EACH_BLOCK for (int j = 0, k = 0; j < p->n; j++) for (int row = 0; row < WIDTH; row += LANES, k += LANES) { \
    int64_t rows = rows_left(p, block) - row;                                                     \
    int64_t at = class_at(p, w, j) + block * WIDTH + row;                                         \
    __VA_ARGS__                                                                                   \
  }

void NAME(gather)(const patch_of_tiles *p, const recur_instruction *i) {
  const recur_weights *w = &p->run->program->weights[i->array];
  const float *values = p->run->matrices[w->matrix].values;
  EACH_VECTOR({
    vf sum = load(tile_of_patch(p, i->a, block) + k);
    store(tile_of_patch(p, i->to, block) + k, sum + load_part(values + at, rows));
  })
}

void NAME(scatter)(const patch_of_tiles *p, const recur_instruction *i) {
  const recur_weights *w = &p->run->program->weights[i->array];
  const recur_parameter *matrix = &p->run->matrices[w->matrix];
  if (!matrix->gradient) return;
  EACH_VECTOR({
    float *to = matrix->gradient + at;
    vf d = load(tile_of_patch(p, i->a, block) + k);
    if (matrix->carry) add_kept(to, matrix->carry + at, d, rows);
    else store_part(to, load_part(to, rows) + d, rows);
  })
}
