/* Gradients of parameters from the panels of a run of steps: a part's own rows, some terms at a time, a term being a
 * column of a step. */
#include "strips.h"
#include "sums.h"
#include "tiles.h"

/* The first block of panels that a part adds to a matrix: where others reach the same rows, the first part adds all. */
static int64_t first_block(const recur_gradient *g, int64_t all, int part, int parts) {
  return g->is_shared ? (part > 0 ? all : 0) : part_begin(all, part, parts);
}

/* dW of some gradients += their panels times the same matrix, of steps from ... to - 1. */
static void add_matrices(const program_job *job, const recur_gradient *first, const recur_gradient *end, int64_t from,
    int64_t to, int part, int parts) {
  const recur_run *run = job->run;
  const recur_program *program = run->program;
  const recur_array *operand = &run->arrays[first->operand];
  int64_t features = operand->rows, terms = (to - from) * run->batch, room = job->strip_floats / features;
  int64_t most = room < MOST_TERMS ? room : MOST_TERMS, few;
  float *packed = job->strips + part * job->strip_floats;
  for (int64_t done = 0; done < terms; done += few) {
    int64_t column = done % run->batch, step = wrapped(from + done / run->batch + first->lag, operand->steps);
    int64_t there = (operand->steps - step) * run->batch - column; /* the matrix of step 0 may follow that of the last */
    few = terms - done < most ? terms - done : most;
    if (few > there) few = there;
    pack_strips(operand->data + (step * run->batch + column) * features, features, few, packed);
    for (const recur_gradient *g = first; g < end; g++) {
      const recur_parameter *matrix = &run->matrices[g->parameter];
      const recur_kept *kept = &program->kept[g->kept];
      int64_t all = blocks(kept->rows), last = first_block(g, all, part + 1, parts);
      for (int64_t block = first_block(g, all, part, parts); matrix->gradient && block < last; block++) {
        const float *panel = kept_panel(job, kept, block) + done * WIDTH;
        const float *next = block + 1 < last ? kept_panel(job, kept, block + 1) + done * WIDTH : panel;
        float *dw = matrix->gradient + g->column * matrix->rows + g->row + block * WIDTH;
        add_strips(panel, next, features, few, packed, kept->rows - block * WIDTH, dw, matrix->rows);
      }
    }
  }
}

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
  const recur_gradient *g = program->gradients, *stop = g + program->gradient_count;
  while (g < stop) {
    const recur_gradient *end = g + 1;
    if (g->operand < 0) {
      add_vector(job, g, (to - from) * job->run->batch, part, parts);
    } else {
      while (end < stop && end->operand == g->operand && end->lag == g->lag) end++;
      add_matrices(job, g, end, from, to, part, parts);
    }
    g = end;
  }
}

void NAME(pack_gate)(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const gate_packing *p = job;
  int64_t all = blocks(p->units);
  for (int64_t block = part_begin(all, part, parts); block < part_begin(all, part + 1, parts); block++) {
    float *to = p->packed + (block * p->gates + p->gate) * p->terms * WIDTH;
    int64_t unit = block * WIDTH, rows = p->units - unit < WIDTH ? p->units - unit : WIDTH;
    const float *from = p->w + unit * p->row;
    for (int64_t term = 0; term < p->terms; term++)
      for (int64_t i = 0; i < WIDTH; i++) to[term * WIDTH + i] = i < rows ? from[i * p->row + term * p->column] : 0;
  }
}
