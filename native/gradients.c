/* Gradients of parameters from the panels of a run of steps: a part's own rows, some terms at a time, a term being a
 * column of a step. */
#include "strips.h"
#include "sums.h"
#include "tiles.h"

/* What is added to of the gradient of a matrix: panels, `apart` floats from each other, and their rows. */
typedef struct {
  const float *panel;
  int64_t apart, rows;
  float *dw;
  int64_t ldw;
} own_rows;

/* A gradient's, from term `from` of the panels on. */
static own_rows own_rows_of(const program_job *job, const recur_gradient *g, int64_t from) {
  const recur_parameter *matrix = &job->run->matrices[g->parameter];
  const recur_kept *kept = &job->run->program->kept[g->kept];
  return (own_rows){kept_panel(job, kept, 0) + from * WIDTH, job->terms * WIDTH, matrix->gradient ? kept->rows : 0,
      matrix->gradient + g->column * matrix->rows + g->row, matrix->rows};
}

INLINE int64_t within(int64_t low, int64_t x, int64_t high) { return x < low ? low : x > high ? high : x; }

/* dw += the panels times the columns x' packed in strips: a part's share of all vectors of rows and strips, in the order
 * of the panels. Where it cuts blocks, parts may have some strips each of one. */
static void add_panels(own_rows own, int64_t features, int64_t terms, const float *packed, int cuts, int part, int parts) {
  int64_t strips = strip_count(features), each = cuts ? strips : 1, all = (own.rows + LANES - 1) / LANES * each;
  int64_t begin = part_begin(all, part, parts), end = part_begin(all, part + 1, parts);
  for (int64_t done = 0; own.rows > 0 && done < end; done += 2 * each) {
    int64_t halves = own.rows > LANES ? 2 : 1;
    int64_t from = within(0, (begin - done) / halves, each), to = within(0, (end - done) / halves, each);
    if (!cuts) from *= strips, to *= strips;
    const float *next = own.rows > WIDTH ? own.panel + own.apart : own.panel;
    if (from < to) add_strips(own.panel, next, features, terms, packed, own.rows, from, to, own.dw, own.ldw);
    own.panel = next;
    own.rows -= WIDTH;
    own.dw += WIDTH;
  }
}

/* With few terms the memory of large gradients is the bound: then they are added to column by column, some gradients of rows that
 * may be neighbours together. A part has its own columns of a matrix, whichever products these belong to: of rows, one
 * core would fetch ahead what another one writes. */
enum { FEW_TERMS = 8, SOME_GRADIENTS = 8, OWN_COLUMNS = 32, COLUMNS_TOGETHER = COLUMNS > 6 ? 8 : 4 };

/* Of n columns, ldw apart, the first `rows` of a block: WIDTH of them where all exist. */
INLINE void add_block(int n, int64_t rows, const float *panel, float *dw, int64_t ldw, int64_t features, int64_t terms,
    const float *x) {
  vf low[COLUMNS_TOGETHER], high[COLUMNS_TOGETHER];
  for (int c = 0; c < n; c++) {
    low[c] = load_part(dw + c * ldw, rows);
    high[c] = load_part(dw + c * ldw + LANES, rows - LANES);
  }
  for (int64_t k = 0; k < terms; k++, panel += WIDTH, x += features) {
    vf d_low = load(panel), d_high = load(panel + LANES);
    for (int c = 0; c < n; c++) {
      low[c] += d_low * splat(x[c]);
      high[c] += d_high * splat(x[c]);
    }
  }
  for (int c = 0; c < n; c++) {
    store_part(dw + c * ldw, low[c], rows);
    store_part(dw + c * ldw + LANES, high[c], rows - LANES);
  }
}

/* n columns from j on. */
INLINE void add_columns_of(int n, const own_rows *own, int64_t j, int64_t features, int64_t terms, const float *x) {
  const float *panel = own->panel;
  float *dw = own->dw + j * own->ldw;
  int64_t left = own->rows;
  for (; terms == 1 && left >= WIDTH; left -= WIDTH, dw += WIDTH, panel += own->apart)
    add_block(n, WIDTH, panel, dw, own->ldw, features, 1, x + j);
  for (; left >= WIDTH; left -= WIDTH, dw += WIDTH, panel += own->apart)
    add_block(n, WIDTH, panel, dw, own->ldw, features, terms, x + j);
  if (left > 0) add_block(n, left, panel, dw, own->ldw, features, terms, x + j);
}

/* Of gradients with the same first column, a part's columns: each OWN_COLUMNS of the matrix have one owner. */
static void add_columns(const own_rows *all, int count, int64_t column, int part, int parts, int64_t features,
    int64_t terms, const float *x) {
  for (int64_t own = column / OWN_COLUMNS; own * OWN_COLUMNS < column + features; own++) {
    if (own % parts != part) continue;
    int64_t from = own * OWN_COLUMNS - column, to = from + OWN_COLUMNS < features ? from + OWN_COLUMNS : features;
    int64_t j = from > 0 ? from : 0;
    for (; j + COLUMNS_TOGETHER <= to; j += COLUMNS_TOGETHER)
      for (int i = 0; i < count; i++) add_columns_of(COLUMNS_TOGETHER, &all[i], j, features, terms, x);
    for (; j < to; j++)
      for (int i = 0; i < count; i++) add_columns_of(1, &all[i], j, features, terms, x);
  }
}

/* dW of some gradients += their panels times the same matrix, of steps from ... to - 1. */
static void add_matrices(const program_job *job, const recur_gradient *first, const recur_gradient *end, int64_t from,
    int64_t to, int part, int parts) {
  const recur_run *run = job->run;
  const recur_array *operand = &run->arrays[first->operand];
  int64_t features = operand->rows, terms = (to - from) * run->batch, room = job->strip_floats / features;
  int64_t most = room < MOST_TERMS ? room : MOST_TERMS, few;
  /* all products of a phase go the same way, since they may share a matrix */
  int by_column = terms <= FEW_TERMS;
  float *packed = job->strips + part * job->strip_floats;
  for (int64_t done = 0; done < terms; done += few) {
    int64_t column = done % run->batch, step = wrapped(from + done / run->batch + first->lag, operand->steps);
    int64_t there = (operand->steps - step) * run->batch - column; /* the matrix of step 0 may follow that of the last */
    few = terms - done < most ? terms - done : most;
    if (few > there) few = there;
    const float *x = operand->data + (step * run->batch + column) * features;
    if (!by_column) pack_strips(x, features, few, packed);
    for (const recur_gradient *g = first; g < end;) {
      own_rows own[SOME_GRADIENTS];
      int count = 0, column = g->column;
      while (g < end && g->column == column && count < SOME_GRADIENTS)
        own[count++] = own_rows_of(job, g++, done);
      if (by_column) add_columns(own, count, column, part, parts, features, few, x);
      for (int i = 0; !by_column && i < count; i++) {
        int is_shared = g[i - count].is_shared; /* 1: the first part adds all */
        if (is_shared != 1 || part == 0)
          add_panels(own[i], features, few, packed, is_shared == 0, part, is_shared == 1 ? 1 : parts);
      }
    }
  }
}

/* The operand of the gradient of a vector whose panels hold sums over steps. */
enum { IN_SUMS = -2 };

/* dv += the sums of its panels. Where other panels reach the same rows, a part has rows of v in place of blocks. */
static void add_vector(const program_job *job, const recur_gradient *g, int64_t terms, int part, int parts) {
  const recur_parameter *vector = &job->run->vectors[g->parameter];
  const recur_kept *kept = &job->run->program->kept[g->kept];
  int64_t base = g->is_shared ? 0 : g->row, all = blocks(g->is_shared ? vector->rows : kept->rows);
  int64_t first = base + part_begin(all, part, parts) * WIDTH, end = base + part_begin(all, part + 1, parts) * WIDTH;
  if (!vector->gradient) return;
  if (first < 0) first = 0;
  if (end > vector->rows) end = vector->rows;
  for (int64_t row = 0; row < kept->rows; row += WIDTH) {
    int64_t at = g->row + row, rows = kept->rows - row < WIDTH ? kept->rows - row : WIDTH;
    int64_t from = at > first ? at : first, to = at + rows < end ? at + rows : end;
    const float *panel = kept_panel(job, kept, row / WIDTH) + from - at;
    if (from < to) NAME(add_sum)(to - from, terms, panel, WIDTH, vector->gradient + from, beside(vector->carry, from));
  }
}

void NAME(add_gradients)(const program_job *job, int64_t from, int64_t to, int part, int parts) {
  const recur_program *program = job->run->program;
  const recur_gradient *g = program->gradients + job->pass->gradient, *stop = g + job->pass->gradients;
  while (g < stop) {
    const recur_gradient *end = g + 1;
    if (g->operand < 0) {
      int64_t sums = (to - from + SUMMED_STEPS - 1) / SUMMED_STEPS;
      add_vector(job, g, (g->operand == IN_SUMS ? sums : to - from) * job->run->batch, part, parts);
    } else {
      while (end < stop && end->operand == g->operand && end->lag == g->lag) end++;
      add_matrices(job, g, end, from, to, part, parts);
    }
    g = end;
  }
}
