/* What instructions work on: some columns of a patch, a block of rows of a section. */
#ifndef RECUR_TILES_H
#define RECUR_TILES_H
#include "panels.h"
#include "programs.h"

/* Below zero, -1 is no tile: those with a place follow. */
enum { FIRST_PLACE = 2 };
enum { IN_ARRAY, IN_PANEL, OF_VECTOR };

/* Values of adjacent blocks: WIDTH x columns each, `apart` floats apart. */
typedef struct {
  float *first;
  int64_t apart;
} tile_place;

/* Adjacent blocks of rows of a section, and columns: of one step, or, of one block, all columns of some steps. */
typedef struct {
  const program_job *job;
  const recur_run *run;
  const recur_section *section;
  int part;
  tile_place *tiles;      /* those with a place below, see recur_instruction */
  int64_t t;              /* the first step */
  int64_t run_from;       /* the first step of its run of steps, where gradients are kept */
  int64_t block, row;     /* the first block and its first row */
  int blocks;
  int64_t rows;           /* from there on, which the blocks need not fill */
  int64_t column;         /* of the batch */
  int columns;
  int steps;              /* that columns count */
  int is_first;           /* of the steps that a pass executes */
  uint32_t steps_summed;  /* of a run of steps, in the order of the pass: those before t */
  int has_rows;           /* what is the same in all blocks has been computed, for as many blocks and the same columns */
  /* What an instruction works on: n columns of each tile from `from` on, which belong to step `now`, or to some from
   * there on, and are columns `at` ... there. */
  int64_t now, at;
  int from, n;
} patch_of_tiles;

typedef void operation(const patch_of_tiles *p, const recur_instruction *i);

/* Returns a part's own memory for a tile. A tile with a place uses it where the run keeps no values in that place. */
INLINE tile_place own_tile(const program_job *job, int part, int number) {
  float *first = job->parts + part * job->part_floats + number * job->tile_floats;
  return (tile_place){first, job->run->batch * WIDTH};
}

/* The operations, by code and function. */
enum { FUNCTIONS = 2 * RECUR_ROW };
extern operation *const NAME(operations)[RECUR_CODES][FUNCTIONS];
INLINE void perform(const patch_of_tiles *p, const recur_instruction *i) { NAME(operations)[i->code][i->function](p, i); }

/* t modulo steps. */
INLINE int64_t wrapped(int64_t t, int64_t steps) {
  if (t >= 0 && t < steps) return t;
  if (steps <= 2) return steps == 2 ? t & 1 : 0; /* as most arrays have that wrap */
  t %= steps;
  return t < 0 ? t + steps : t;
}

/* The first column of a matrix that an instruction works on, at step now + lag. */
INLINE float *matrix_of(const patch_of_tiles *p, const recur_array *a, int lag) {
  return a->data + (wrapped(p->now + lag, a->steps) * p->run->batch + p->at) * a->rows;
}

/* In tiles a block's columns of all steps lie together. */
INLINE tile_place place_in(const patch_of_tiles *p, const recur_array *a, int64_t t, int64_t column) {
  int64_t batch = p->run->batch, apart = a->steps * batch * WIDTH;
  return (tile_place){a->data + p->block * apart + (wrapped(t, a->steps) * batch + column) * WIDTH, apart};
}

/* The first step of the run of steps that t belongs to, and the step after its last one. */
INLINE int64_t first_of_run(const program_job *job, int64_t t) { return t / job->run_steps * job->run_steps; }
INLINE int64_t end_of_run(const program_job *job, int64_t from) {
  int64_t to = from + job->run_steps;
  return to < job->run->time ? to : job->run->time;
}

/* A panel of gradients, and where the columns of a step are in it. */
INLINE float *kept_panel(const program_job *job, const recur_kept *kept, int64_t block) {
  return job->panels + (kept->before + block * WIDTH) * job->terms;
}
INLINE tile_place kept_columns(const patch_of_tiles *p, int number, int64_t t, int64_t column) {
  float *panel = kept_panel(p->job, &p->run->program->kept[number], p->block);
  return (tile_place){panel + ((t - p->run_from) * p->run->batch + column) * WIDTH, p->job->terms * WIDTH};
}

/* Where the sums over the present step and its neighbours are in a panel, of the columns that an instruction works on. */
INLINE tile_place summed_columns(const patch_of_tiles *p, int number) {
  float *panel = kept_panel(p->job, &p->run->program->kept[number], p->block);
  return (tile_place){panel + (p->steps_summed / SUMMED_STEPS * p->run->batch + p->at) * WIDTH, p->job->terms * WIDTH};
}

/* The phases of a run of a program, and a part's own rows of the gradients of parameters, from the panels
 * of steps from ... to - 1. */
void NAME(program)(const void *job, int64_t number, int part, int parts);
void NAME(add_gradients)(const program_job *job, int64_t from, int64_t to, int part, int parts);

#endif
