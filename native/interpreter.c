/* Runs the instructions of a program. Decides which blocks and columns a part takes in a phase, and in which order. */
#include "subnormals.h"
#include "tiles.h"

#include <stddef.h>

/* Weights of some blocks that stay in a core's second-level cache beside what they work on. */
enum { CACHED_WEIGHTS = 1 << 16 };

/* Runs instructions first ... end - 1 on the columns from `from` on. */
static void execute(patch_of_tiles *p, int first, int end, int from, int columns) {
  const recur_instruction *i = p->run->program->instructions + first, *stop = p->run->program->instructions + end;
  int64_t at = p->at;
  int some = p->steps > 1 ? SOME_OF_STEPS : SOME_COLUMNS;
  p->from = from;
  while (i < stop) {
    if (i->length == 0) {
      p->n = columns;
      perform(p, i);
      i++;
      continue;
    }
    const recur_instruction *next = i + i->length;
    for (int done = 0; done < columns; done += some) {
      p->from = from + done;
      p->at = at + done;
      p->n = columns - done < some ? columns - done : some;
      for (const recur_instruction *k = i; k < next; k++) perform(p, k);
    }
    p->from = from;
    p->at = at;
    i = next;
  }
}

/* Returns a part's tiles. Index 0 is its first own tile; the tiles with a place are at -FIRST_PLACE and below. */
static tile_place *tiles_of(const program_job *job, int part) {
  const recur_program *program = job->run->program;
  int all = program->most_tiles + program->most_places;
  float *places = job->parts + part * job->part_floats + all * job->tile_floats;
  return (tile_place *)places + FIRST_PLACE + program->most_places;
}

static void place_tiles(patch_of_tiles *p) {
  const recur_program *program = p->run->program;
  if (p->job->runs && p->t >= 0) p->steps_summed = (uint32_t)(end_of_run(p->job, p->run_from) - 1 - p->t);
  const recur_place *place = program->places + p->section->first_place;
  for (int k = 0; k < p->section->places; k++, place++) {
    if (place->kind == OF_VECTOR) continue;
    const recur_array *a = place->kind == IN_PANEL ? NULL : &p->run->arrays[place->number];
    int is_kept = a ? a->data != NULL : p->job->runs && p->t >= 0;
    p->tiles[-FIRST_PLACE - k] = !is_kept ? own_tile(p->job, p->part, program->most_tiles + k)
        : a ? place_in(p, a, p->t + place->lag, p->column)
            : kept_columns(p, place->number, p->t, p->column);
  }
}

static void run_patch(patch_of_tiles *p) {
  const recur_section *s = p->section;
  int first = s->first, recurrent = first + s->before, after = recurrent + s->recurrent, end = after + s->after;
  int batch = p->run->batch, back = p->job->is_backward;
  place_tiles(p);
  p->now = p->t;
  p->at = p->column;
  if (p->steps == 1) {
    execute(p, p->has_rows ? recurrent : first, end, 0, p->columns);
    return;
  }
  execute(p, first, recurrent, 0, p->columns);
  for (int k = 0; k < p->steps; k++) {
    int step = back ? p->steps - 1 - k : k;
    p->now = p->t + step;
    p->at = p->column;
    execute(p, recurrent, after, step * batch, batch);
  }
  p->now = p->t;
  execute(p, after, end, 0, p->columns);
}

/* Begins a patch: blocks of a section that one part works on. */
static patch_of_tiles begin_patch(const program_job *job, const recur_section *s, int64_t block, int blocks, int part) {
  int64_t row = block * WIDTH;
  return (patch_of_tiles){.job = job, .run = job->run, .section = s, .part = part, .tiles = tiles_of(job, part),
      .block = block, .blocks = blocks, .row = row, .rows = s->rows - row, .steps = 1};
}

/* Runs columns from ... to - 1 of step t. */
static void run_step(patch_of_tiles *p, int64_t t, int64_t from, int64_t to) {
  p->t = t;
  p->run_from = p->job->runs && t >= 0 ? first_of_run(p->job, t) : 0;
  p->is_first = t == (p->job->is_backward ? p->run->time - 1 : 0);
  for (p->column = from; p->column < to; p->column += TILE) {
    p->columns = to - p->column < TILE ? to - p->column : TILE;
    run_patch(p);
  }
}

/* Whether the matrices of an array at all steps t + lag of a run of steps follow each other. */
static int is_whole(const program_job *job, int array, int lag) {
  const recur_array *a = &job->run->arrays[array];
  int is_of_run = job->is_backward && lag == 0 && a->steps == job->run_steps;
  return !a->data || is_of_run || (lag >= 0 && a->steps >= job->run->time + lag);
}

/* Returns how many steps a tile may hold. It holds more than one if the columns of these steps are adjacent in all
 * arrays. */
static int steps_at_once(const program_job *job, const recur_section *s) {
  int few = s->is_free ? steps_of_tile(job->run->batch) : 1;
  if (few == 1) return 1;
  const recur_program *program = job->run->program;
  for (int k = 0; k < s->places; k++) {
    const recur_place *place = &program->places[s->first_place + k];
    if (place->kind == IN_ARRAY && !is_whole(job, place->number, place->lag)) return 1;
  }
  for (int k = 0; k < s->before + s->recurrent + s->after; k++) {
    const recur_instruction *i = &program->instructions[s->first + k];
    if (k >= s->before && k < s->before + s->recurrent) continue;
    switch (i->code) {
      case RECUR_LOAD:
      case RECUR_LOAD_ROW:
      case RECUR_STORE:
      case RECUR_TAKE:
      case RECUR_GIVE: if (!is_whole(job, i->array, i->lag)) return 1; break;
      case RECUR_PRODUCT: {
        const recur_multiplication *m = &program->products[i->array];
        if (!is_whole(job, m->operand, m->lag)) return 1;
      }
    }
  }
  return few;
}

/* Runs steps from ... to - 1 of blocks of a free section, which wait for no other block. Where a tile holds several steps,
 * each block runs these before any block runs the next ones: what one of them reads and writes is beside what the others
 * do, and one after the other they would fetch each page and line of long sequences anew. */
static void run_steps_of(patch_of_tiles *p, int64_t from, int64_t to) {
  const recur_run *run = p->run;
  int few = steps_at_once(p->job, p->section), back = p->job->is_backward;
  if (few == 1) {
    for (int64_t k = from; k < to; k++) run_step(p, back ? to - 1 - (k - from) : k, 0, run->batch);
    return;
  }
  for (int64_t done = 0; done < to - from; done += few)
    for (int k = 0; k < p->blocks; k++) {
      patch_of_tiles one = begin_patch(p->job, p->section, p->block + k, 1, p->part);
      one.steps = to - from - done < few ? to - from - done : few;
      one.t = back ? to - done - one.steps : from + done;
      one.run_from = p->job->runs ? first_of_run(p->job, one.t) : 0;
      one.columns = one.steps * run->batch; /* is_first is 0: free sections have no product that skips the first step */
      run_patch(&one);
    }
}

/* Floats of the weights that a block of a section reads. */
static int64_t weights_of(const recur_program *program, const recur_section *s) {
  int64_t all = 0;
  const recur_instruction *i = program->instructions + s->first, *end = i + s->before + s->recurrent + s->after;
  for (; i < end; i++) {
    const recur_multiplication *m = i->code == RECUR_PRODUCT ? &program->products[i->array] : NULL;
    if (m) all += (int64_t)m->panels * m->terms * WIDTH;
  }
  return all;
}

/* Whether the steps of a phase of free sections need nothing of each other. */
static int is_any_order(const recur_program *program, const recur_phase *phase) {
  const recur_section *s = program->sections + phase->first;
  for (int k = 0; k < phase->sections; k++)
    if (s[k].recurrent > 0) return 0;
  return 1;
}

/* Runs blocks of a phase: first the part's own, then those that other parts have not begun. Free sections may run
 * several steps from ... to - 1, with all columns of each. Of one step it runs `columns` columns from `column` on. */
static void over_blocks(const program_job *job, const recur_phase *phase, int64_t from, int64_t to, int64_t column,
    int64_t columns, claim *claims, int part, int parts) {
  const recur_section *sections = job->run->program->sections + phase->first;
  int64_t all = 0, steps = to - from, size = steps == 1 ? columns : steps;
  for (int k = 0; k < phase->sections; k++) all += blocks(sections[k].rows);
  int helped = 0, cuts = 0, at_once = job->at_once;
  if (job->pass->cuts) cuts = steps == 1 ? at_once == 1 : all % parts && is_any_order(job->run->program, phase);
  if (cuts) at_once = 1;
  share next, last = {0};
  const recur_section *last_section = NULL;
  while (take_share(claims, all, size, part, parts, at_once, cuts, &helped, &next)) {
    const recur_section *s = sections;
    for (int64_t few; next.blocks > 0; next.block += few, next.blocks -= few) {
      for (; next.block >= blocks(s->rows); s++) next.block -= blocks(s->rows);
      few = blocks(s->rows) - next.block < next.blocks ? blocks(s->rows) - next.block : next.blocks;
      if (steps > 1 && steps_at_once(job, s) > 1 && weights_of(job->run->program, s) * few > CACHED_WEIGHTS) few = 1;
      patch_of_tiles p = begin_patch(job, s, next.block, few, part);
      if (steps == 1) {
        p.has_rows = s == last_section && !s->is_free && few <= last.blocks && columns <= TILE && next.from == last.from
            && next.to == last.to;
        run_step(&p, from, column + next.from, column + next.to);
        if (!p.has_rows) last_section = s, last = (share){next.block, next.from, next.to, few};
      }
      else run_steps_of(&p, from + next.from, from + next.to);
    }
  }
}

/* Runs steps from ... to - 1 without a barrier: each part runs its own columns, or the first part runs all of them. In
 * backward these are the steps of one run of steps. */
static void run_columns(const program_job *job, int64_t from, int64_t to, claim *claims, int part, int parts) {
  const recur_phase *phases = job->run->program->phases + job->pass->first;
  const recur_section *first = job->run->program->sections + phases->first;
  int64_t batch = job->run->batch, column = 0, columns = part > 0 ? 0 : batch;
  if (job->own_columns) {
    column = part_begin(batch, part, parts);
    columns = part_begin(batch, part + 1, parts) - column;
  }
  if (columns == 0) return;
  int is_one_patch = job->pass->phases == 1 && phases->sections == 1 && blocks(first->rows) <= job->at_once
      && columns <= TILE;
  patch_of_tiles p = begin_patch(job, first, 0, (int)blocks(first->rows), part);
  p.run_from = from;
  p.column = column;
  p.columns = (int)columns;
  for (int64_t k = from; k < to; k++) {
    p.t = job->is_backward ? to - 1 - (k - from) : k;
    p.is_first = p.t == (job->is_backward ? job->run->time - 1 : 0);
    if (is_one_patch) run_patch(&p);
    for (int phase = 0; !is_one_patch && phase < job->pass->phases; phase++)
      over_blocks(job, phases + phase, p.t, p.t + 1, column, columns, claims, part, 1);
  }
}

/* Runs phase `number` of the steps of a pass. In backward, those aside follow each run of steps, and one more phase adds
 * up the gradients of the parameters. */
static void run_steps_phase(const program_job *job, int64_t number, claim *claims, int part, int parts) {
  const recur_pass *pass = job->pass;
  const recur_phase *phases = job->run->program->phases + pass->first;
  int64_t time = job->run->time, batch = job->run->batch;
  int is_whole = job->is_alone || job->own_columns; /* no barrier between its steps */
  if (!job->is_backward) {
    int64_t step = pass->phases == 1 ? number : number / pass->phases;
    if (pass->is_free) over_blocks(job, phases, 0, time, 0, batch, claims, part, parts);
    else if (is_whole) run_columns(job, 0, time, claims, part, parts);
    else over_blocks(job, phases + (number - step * pass->phases), step, step + 1, 0, batch, claims, part, parts);
    return;
  }
  int whole = pass->is_free || is_whole;
  int64_t steps = job->run_steps, from = first_of_run(job, time - 1), more = pass->asides + (job->runs > 0);
  int64_t count = (whole ? 1 : (time - from) * pass->phases) + more; /* of the run that comes first, which may be short */
  if (number >= count) {
    number -= count;
    count = (whole ? 1 : steps * pass->phases) + more;
    from -= (number / count + 1) * steps;
    number %= count;
  }
  int64_t to = end_of_run(job, from), each = pass->phases, aside = number - count + more;
  if (aside == pass->asides) NAME(add_gradients)(job, from, to, part, parts);
  else if (aside >= 0)
    over_blocks(job, job->run->program->phases + pass->aside + aside, from, to, 0, batch, claims, part, parts);
  else if (pass->is_free) over_blocks(job, phases, from, to, 0, batch, claims, part, parts);
  else if (is_whole) run_columns(job, from, to, claims, part, parts);
  else over_blocks(job, phases + number % each, to - 1 - number / each, to - number / each, 0, batch, claims, part, parts);
}

static void run_phase(const program_job *job, int64_t number, int part, int parts) {
  const recur_pass *pass = job->pass;
  const recur_phase *phases = job->run->program->phases;
  claim *claims = claims_for(job->claims, number, part, parts);
  int64_t time = job->run->time, batch = job->run->batch, before = job->is_backward ? 0 : pass->asides;
  for (int i = -1; number == 0 && i < job->run->program->most_tiles; i++) /* -1 is no tile; reading it has no effect */
    tiles_of(job, part)[i] = own_tile(job, part, i < 0 ? 0 : i);
  if (number == 0) memset(joined_of(job, part), 0, sizeof(float) * job->joined_floats);
  int64_t after = number - phases_of(job) + pass->ends;
  if (number < before) {
    over_blocks(job, phases + pass->aside + number, 0, time, 0, batch, claims, part, parts);
  } else if (after < 0) {
    run_steps_phase(job, number - before, claims, part, parts);
  } else {
    const recur_phase *end = phases + pass->end + after;
    int64_t t = job->is_backward ? -1 : time;
    if (job->run->program->sections[end->first].is_free) over_blocks(job, end, 0, time, 0, batch, claims, part, parts);
    else over_blocks(job, end, t, t + 1, 0, batch, claims, part, parts);
  }
}

void NAME(program)(const void *argument, int64_t number, int part, int parts) {
  uint64_t before = flush_subnormals();
  run_phase(argument, number, part, parts);
  restore_subnormals(before);
}
