/* Runs of programs: how much scratch they take, how it is cut up, and their jobs for the team. */
#include "programs.h"

#include <stddef.h>

/* COLUMNS_AT_ONCE: columns, counted over all blocks, that one instruction works on, so that they share its own cost. */
enum { LINE_FLOATS = 64 / sizeof(float), COLUMNS_AT_ONCE = 8, LEAST_WORK_ASIDE = 1 << 22, MOST_WEIGHTS = 1 << 16 };

static int64_t padded(const recur *r, int64_t rows) { return (rows + r->set->width - 1) / r->set->width * r->set->width; }

/* Floats of scratch in whole lines: returns where they begin and moves on. */
static int64_t take(int64_t *used, int64_t floats) {
  int64_t at = *used;
  *used += (floats + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
  return at;
}

static int is_few(const recur *r, const recur_run *run, int backward) {
  const recur_pass *few = &run->program->passes[backward ? FEW_BACKWARD_PASS : FEW_PASS];
  return few->phases > 0 && run->time > 1 && ((few->is_free && !backward) || run->batch < r->set->group);
}

/* Steps whose gradients lie in the panels together: those of the weights are computed from some 256 columns while these
 * are still in the cache; from all steps where the weights' own gradients would not stay there from run to run. */
static int64_t steps_of_run(const recur_run *run) {
  int64_t steps = run->batch < 256 ? 256 / run->batch : 1;
  return steps < run->time && run->program->weight_gradients <= 1 << 20 ? steps : run->time;
}

static int wants_gradients(const recur_run *run) {
  const recur_pass *pass = &run->program->passes[BACKWARD_PASS];
  const recur_gradient *g = &run->program->gradients[pass->gradient], *end = g + pass->gradients;
  for (; g < end; g++) {
    if ((g->operand < 0 ? run->vectors : run->matrices)[g->parameter].gradient) return 1;
  }
  return 0;
}

/* Columns that a tile has room for: an odd number of those that instructions work on at once, so that tiles do not fall
 * upon each other in the first-level cache. */
static int64_t columns_of_tile(const recur *r, const recur_run *run) {
  int64_t steps = steps_of_tile(run->batch), columns = run->batch * (run->time < steps ? run->time : steps);
  if (columns > r->set->tile) columns = r->set->tile;
  if (columns <= SOME_COLUMNS) return columns < COLUMNS_AT_ONCE ? COLUMNS_AT_ONCE : columns;
  return ((columns + SOME_COLUMNS - 1) / SOME_COLUMNS | 1) * SOME_COLUMNS;
}

/* Cuts up the scratch and returns its floats. */
static int64_t lay_out(const recur *r, const recur_run *run, int backward, program_job *job) {
  const recur_program *program = run->program;
  int64_t used = 0, threads = team_threads(r->team), width = r->set->width;
  float *scratch = run->scratch;
  *job = (program_job){.run = run, .is_backward = backward};
  int few = is_few(r, run, backward);
  job->pass = &program->passes[(backward ? BACKWARD_PASS : FORWARD_PASS) + few];
  job->seeds = (const int64_t *)(scratch + take(&used, 2 * program->draws * run->time));
  job->claims = (claim *)(scratch + take(&used, 2 * threads * (int64_t)(sizeof(claim) / sizeof(float))));
  job->at_once = run->batch < COLUMNS_AT_ONCE ? COLUMNS_AT_ONCE / run->batch : 1;
  job->tile_floats = columns_of_tile(r, run) * width;
  job->part_floats = (program->most_tiles + program->most_places) * (job->tile_floats + LINE_FLOATS) + LINE_FLOATS;
  job->parts = scratch + take(&used, threads * job->part_floats);
  int64_t partials = 0, steps = job->pass->asides > 1 ? run->time : 1;
  for (int i = 0; i < program->reduction_count; i++)
    partials += 2 * run->batch * steps * (padded(r, program->reductions[i].rows) / width);
  job->partials = scratch + take(&used, partials);
  job->joined_floats = (2 * program->reduction_count * run->batch + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
  job->joined = scratch + take(&used, threads * job->joined_floats);
  if (backward) {
    job->run_steps = steps_of_run(run);
    job->terms = job->run_steps * run->batch + 1;
    int64_t all = program->most_terms * job->run_steps * run->batch;
    job->strip_floats = all < 1 << 17 ? all : program->most_terms > 1 << 17 ? program->most_terms : 1 << 17;
    job->panels = scratch + take(&used, job->pass->kept_rows * job->terms);
    job->strips = scratch + take(&used, job->pass->gradients ? threads * job->strip_floats : 0);
  }
  for (int i = 0; few && i < program->hidden; i++) {
    const recur_hidden *hidden = &program->hidden_arrays[i];
    if (hidden->is_backward == backward) {
      int64_t steps = backward ? job->run_steps : run->time;
      int64_t at = take(&used, padded(r, hidden->rows) * run->batch * steps);
      recur_array own = {scratch + at, steps, hidden->rows};
      recur_array *same = hidden->same < 0 || !scratch ? NULL : &run->arrays[hidden->same];
      if (same && (!same->data || same->steps < steps)) *same = own;
      if (scratch) run->arrays[program->arrays + i] = same ? *same : own;
    }
  }
  return used;
}

int64_t recur_run_scratch(const recur *r, const recur_program *program, int64_t batch, int64_t time, int32_t backward) {
  program_job job;
  recur_run sizes = {.program = program, .batch = batch, .time = time};
  return lay_out(r, &sizes, backward, &job);
}

/* Multiply-adds of a column in some phases. */
static int64_t work_in(const recur_program *program, int first, int count) {
  int64_t work = 0;
  const recur_phase *phase = program->phases + first, *stop = phase + count;
  for (; phase < stop; phase++) {
    const recur_section *s = program->sections + phase->first, *last = s + phase->sections;
    for (; s < last; s++) {
      const recur_instruction *i = program->instructions + s->first, *end = i + s->before + s->recurrent + s->after;
      for (; i < end; i++) {
        const recur_multiplication *m = i->code == RECUR_PRODUCT ? &program->products[i->array] : NULL;
        if (m) work += (int64_t)m->panels * m->terms * s->rows;
      }
    }
  }
  return work;
}

/* Whether parts may have columns of their own, and no barrier: where each core's cache holds all weights of the steps, and
 * no part has many more columns than another. */
static int has_own_columns(const program_job *job, int threads) {
  const recur_pass *pass = job->pass;
  int64_t batch = job->run->batch, most = (batch + threads - 1) / threads, total = pass->work * batch * job->run_steps;
  return threads > 1 && pass->cuts && most * threads * 8 <= batch * 9 && total * pass->phases >= LEAST_WORK_ASIDE
      && work_in(job->run->program, pass->first, pass->phases) <= MOST_WEIGHTS;
}

/* Multiply-adds of a phase. Where the first part computes the steps alone, those of the largest other phase, and 0 where
 * they would not make up for the time in which the others wait. */
static int64_t work_of(program_job *job, int threads) {
  const recur_run *run = job->run;
  int64_t columns = run->batch * job->run_steps, work = job->pass->work * run->batch;
  if (job->pass->is_free) return work * job->run_steps;
  job->own_columns = has_own_columns(job, threads);
  if (job->own_columns) return work * job->run_steps * job->pass->phases;
  job->is_alone = work < LEAST_WORK;
  if (!job->is_alone) return work;
  work = work_in(run->program, job->pass->aside, job->pass->asides);
  int64_t end = job->is_backward ? 0 : work_in(run->program, job->pass->end, job->pass->ends);
  if (work < end) work = end;
  if (job->runs && work < run->program->weight_gradients) work = run->program->weight_gradients;
  return work * columns < LEAST_WORK_ASIDE ? 0 : work * columns;
}

static void run_pass(recur *r, const recur_run *run, int backward) {
  program_job job;
  lay_out(r, run, backward, &job);
  int is_wanted = backward && wants_gradients(run);
  if (!is_wanted && !job.pass->asides) job.run_steps = run->time;
  job.runs = is_wanted ? runs_of(&job) : 0;
  for (int i = 0; i < 2 * team_threads(r->team); i++) atomic_init(&job.claims[i].taken, 0);
  int64_t work = work_of(&job, team_threads(r->team));
  team_run(r->team, r->set->program, &job, phases_of(&job), work);
}

void recur_run_forward(recur *r, const recur_run *run) { run_pass(r, run, 0); }

void recur_run_backward(recur *r, const recur_run *run) { run_pass(r, run, 1); }

int64_t recur_packed(const recur *r, int64_t panels, int64_t rows, int64_t terms) {
  return padded(r, rows) * panels * terms;
}

void recur_pack(recur *r, int64_t panels, int64_t panel, int64_t rows, int64_t terms, const float *w, int64_t row,
    int64_t column, float *packed) {
  packing p = {panels, panel, rows, terms, w, row, column, packed};
  team_run(r->team, r->set->pack, &p, 1, rows * terms);
}
