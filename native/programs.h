/* What the runs of programs and those who call them agree on: how scratch is cut up, and what a phase is. */
#ifndef RECUR_PROGRAMS_H
#define RECUR_PROGRAMS_H
#include "shares.h"

/* Forward, forward where a step has few columns, backward, backward where a step has few columns. */
enum { FORWARD_PASS, FEW_PASS, BACKWARD_PASS, FEW_BACKWARD_PASS };

/* Columns that instructions other than products work on one after the other, so that what they pass on stays in the
 * first-level cache, of one step and of several; and those of several steps that one tile holds. */
enum { SOME_COLUMNS = 32, SOME_OF_STEPS = 16, COLUMNS_OF_STEPS = 48 };

/* What a reduction of a program is besides those of kernels.h: the mean that a variance's numbers have in them. */
enum { BY_MEAN_OF_VARIANCE = BY_VARIANCE + 1 };

/* Steps whose values are added up in floats, for gradients of vectors. */
enum { SUMMED_STEPS = 8 };

/* The most steps of a batch that a tile holds. */
static inline int steps_of_tile(int64_t batch) {
  return batch <= COLUMNS_OF_STEPS / 2 ? COLUMNS_OF_STEPS / (int)batch : 1;
}

/* A pass of a run. */
typedef struct {
  const recur_run *run;
  const recur_pass *pass;
  int is_backward;
  int is_alone;       /* a step does not pay for a second thread: the first part computes all steps, in one phase */
  int own_columns;    /* each part computes all steps of columns of its own, in one phase */
  int64_t run_steps;  /* backward: steps whose gradients lie in the panels together; runs of steps begin at multiples of it */
  int64_t runs;       /* of steps, with gradients of parameters; 0: none is wanted, and nothing is kept */
  int64_t terms;      /* of a panel: the columns of a run and one more, so that panels do not fall upon each other */
  const int64_t *seeds;
  claim *claims;
  float *parts;       /* tiles of each part, and their addresses */
  int at_once;        /* blocks that are taken together, where a step has few columns */
  int64_t tile_floats; /* of a tile of a part's own: no more columns than the run has */
  int64_t part_floats;
  float *partials;    /* of reductions */
  float *joined;      /* of each part: what its reductions are, and at which steps */
  int64_t joined_floats; /* of a part */
  float *panels;
  float *strips;      /* of each part */
  int64_t strip_floats;
} program_job;

/* Of each reduction a value per column and, beside it, the step it is of, counted from FIRST_STEP; 0: of none. */
enum { FIRST_STEP = 2 };
static inline float *joined_of(const program_job *job, int part) {
  return job->joined + part * job->joined_floats;
}

/* Runs of steps: forward all are one. */
static inline int64_t runs_of(const program_job *job) {
  int64_t time = job->run->time;
  return job->is_backward ? (time + job->run_steps - 1) / job->run_steps : time > 0;
}

/* Phases of all steps, of those aside, and of those after them. */
static inline int64_t step_phases_of(const program_job *job) {
  int64_t time = job->run->time;
  if (!job->pass->is_free && !job->is_alone && !job->own_columns) return job->pass->phases * time;
  return runs_of(job);
}
static inline int64_t phases_of(const program_job *job) {
  return job->pass->asides * runs_of(job) + step_phases_of(job) + job->runs + job->pass->ends;
}

#endif
