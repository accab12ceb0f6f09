/* Packed weights and whole sequences: how much memory they take, and their jobs for the team. */
#include "sequences.h"

enum { LINE_FLOATS = 64 / sizeof(float) };

static int64_t padded(const recur *r, int64_t units) {
  return (units + r->set->width - 1) / r->set->width * r->set->width;
}

int64_t recur_packed(const recur *r, int64_t gates, int64_t units, int64_t terms) {
  return padded(r, units) * gates * terms;
}

void recur_pack(recur *r, int64_t gates, int64_t units, int64_t terms, const float *w, int64_t row,
    int64_t column, float *packed) {
  packing p = {gates, units, terms, w, row, column, packed};
  team_run(r->team, r->set->pack, &p, 1, gates * units * terms);
}

int64_t recur_dtiles(const recur *r, const recur_sequence *s) {
  return padded(r, s->units) * dtile_count(s) * (run_steps(s) * s->batch + 1) + team_threads(r->team) * strip_room(s);
}

/* Floats before the claims, which begin at a line of the cache. */
static int64_t tiles_alone(const recur *r, const recur_sequence *s) {
  int64_t floats = padded(r, s->units) * tile_count(s) * s->batch * s->steps;
  return (floats + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
}

int64_t recur_tiles(const recur *r, const recur_sequence *s) {
  return tiles_alone(r, s) + 2 * team_threads(r->team) * (int64_t)(sizeof(claim) / sizeof(float));
}

/* Multiply-adds of one phase: what the recurrent product of a step costs. */
static int64_t step_work(const recur_sequence *s) {
  return gate_count(s) * (int64_t)s->units * s->units * s->batch;
}

/* Runs a sequence. The claims for two phases follow its tiles: a stack may be too small for those of many threads. */
static void run_sequence(recur *r, phase *run, const recur_sequence *s, int64_t phases) {
  claim *claims = (claim *)(s->tiles + tiles_alone(r, s));
  for (int i = 0; i < 2 * team_threads(r->team); i++) atomic_init(&claims[i].taken, 0);
  sequence_job job = {s, claims};
  team_run(r->team, run, &job, phases, step_work(s));
}

static int64_t step_phases(const recur_sequence *s) {
  return s->cell == RECUR_GRUV3 ? 2 * (int64_t)s->time : s->time;
}

void recur_forward(recur *r, const recur_sequence *s) {
  run_sequence(r, r->set->forward, s, step_phases(s) + r->set->projects_all(s));
}

void recur_backward(recur *r, const recur_sequence *s) {
  int64_t steps = run_steps(s), runs = s->dtiles ? (s->time + steps - 1) / steps : 0;
  run_sequence(r, r->set->backward, s, step_phases(s) + runs + 1);
}
