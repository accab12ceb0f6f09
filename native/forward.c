/* Forward: one phase is one step. */
#include "patches.h"
#include "pointwise.h"

/* The sums of all gates before the recurrent product, for what Wi is not packed: Wi x + b from where
 * the caller left it, or the columns of Wi that one-hot x takes, plus b. */
INLINE void begin_gates_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  int gates = gate_count(s);
  for (int j = 0; j < p->columns; j++) {
    int64_t column = p->t * s->batch + p->column + j;
    const float *from = s->table ? s->table + (int64_t)s->index[column] * gates * s->units
                                 : s->sums + column * gates * s->units;
    for (int g = 0; g < gates; g++)
      for (int i = 0; i < WIDTH; i += LANES) {
        int64_t row = g * s->units + p->unit + i;
        vf sum = load_part(from + row, units - i);
        if (s->table) sum += load_part(s->b + row, units - i);
        store(gate_of(p, g) + j * WIDTH + i, sum);
      }
  }
}
WHOLE_AND_REST(begin_gates)

static void fill_bias(const recur_sequence *s, int g, int64_t unit, int columns, float *tile) {
  for (int i = 0; i < WIDTH; i += LANES) {
    vf bias = load_part(s->b + g * s->units + unit + i, s->units - unit - i);
    for (int j = 0; j < columns; j++) store(tile + j * WIDTH + i, bias);
  }
}

/* Which tiles the products with Wi and Wh are added to. */
static const int own[] = {0, 1, 2, 3}, gru_products[] = {0, 1, 3}, gruv3_candidate[] = {2};

/* The tiles of some gates of each patch += the packed weights of as many gates times b. */
INLINE void push(const patch *p, int blocks, const float *packed, int gates, const int *tiles, int64_t terms,
    const float *b) {
  float *sums[MOST_PANELS];
  for (int i = 0; i < blocks; i++)
    for (int g = 0; g < gates; g++) sums[i * gates + g] = gate_of(p + i, tiles[g]);
  NAME(multiply_panels)(blocks * gates, panel_of(packed, p->block, 0, gates, terms), terms, is_far(p->s),
      b + p->column * terms, terms, p->columns, sums);
}

/* Wi x + b of one step, into its tiles, which the recurrent product then finds in the cache. */
static void project_step(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  int gates = gate_count(s);
  for (int i = 0; i < blocks; i++)
    for (int g = 0; g < gates; g++) fill_bias(s, g, p[i].unit, p->columns, gate_of(p + i, g));
  push(p, blocks, s->wi, gates, own, s->in, s->x + p->t * s->batch * s->in);
}

/* The same for small batches, of all steps before the first: several steps fill a tile. */
static void project_all(const recur_sequence *s, int part, int parts) {
  int gates = gate_count(s), steps = TILE / s->batch;
  int64_t runs = (s->time + steps - 1) / steps, all = blocks(s->units) * runs;
  tile tiles[MOST_GATES];
  float *sums[MOST_GATES];
  for (int g = 0; g < gates; g++) sums[g] = tiles[g];
  for (int64_t i = part_begin(all, part, parts); i < part_begin(all, part + 1, parts); i++) {
    int64_t block = i / runs, t = i % runs * steps;
    int few = s->time - t < steps ? s->time - t : steps, columns = few * s->batch;
    for (int g = 0; g < gates; g++) fill_bias(s, g, block * WIDTH, columns, sums[g]);
    NAME(multiply_panels)(gates, panel_of(s->wi, block, 0, gates, s->in), s->in, is_far(s),
        s->x + t * s->batch * s->in, s->in, columns, sums);
    for (int step = 0; step < few; step++) {
      patch p = patch_of(s, t + step, 0, s->batch, block);
      for (int g = 0; g < gates; g++)
        memcpy(gate_of(&p, g), sums[g] + step * s->batch * WIDTH, sizeof(float) * WIDTH * s->batch);
    }
  }
}

int NAME(projects_all)(const recur_sequence *s) { return s->wi && s->batch < COLUMNS && s->time > 1; }

/* The sums of all gates before the recurrent product, in the tiles. */
static void begin_step(const patch *p, int blocks) {
  if (p->s->wi && !NAME(projects_all)(p->s)) project_step(p, blocks);
  for (int i = 0; !p->s->wi && i < blocks; i++) begin_gates(p + i);
}

/* Forward: in each tile first the sum of a gate, then its value. */

static void rnn_values(const patch *p) {
  const recur_sequence *s = p->s;
  float *after = step_of(s, s->h, p->t + 1);
  tile h;
  NAME(map)(s->function, p->tile, h, (int64_t)p->columns * WIDTH);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store_part(after + at(p, j) + i, load(h + j * WIDTH + i), p->units - i);
}

static void rnn_step(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  begin_step(p, blocks);
  push(p, blocks, s->wh, 1, own, s->units, step_of(s, s->h, p->t));
  for (int i = 0; i < blocks; i++) rnn_values(p + i);
}

INLINE void lstm_gates_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  float *h_after = step_of(s, s->h, p->t + 1);
  float *inputs = gate_of(p, 0), *forgets = gate_of(p, 1), *candidates = gate_of(p, 2),
        *outputs = gate_of(p, 3), *cells = gate_of(p, 4), *squashes = gate_of(p, 5);
  const float *before = cells_before(p);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i;
      vf input = sigmoid(load(inputs + in_tile)), forget = sigmoid(load(forgets + in_tile));
      vf candidate = tanh_of(load(candidates + in_tile)), output = sigmoid(load(outputs + in_tile));
      vf c = before ? load(before + in_tile) : load_part(s->c + here, units - i);
      vf cell = forget * c + input * candidate, squashed = tanh_of(cell);
      if (is_last(p)) store_part(s->c + s->batch * s->units + here, cell, units - i);
      store_part(h_after + here, output * squashed, units - i);
      store(cells + in_tile, cell);
      store(squashes + in_tile, squashed);
      store(inputs + in_tile, input);
      store(forgets + in_tile, forget);
      store(candidates + in_tile, candidate);
      store(outputs + in_tile, output);
    }
}
WHOLE_AND_REST(lstm_gates)

static void lstm_step(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  begin_step(p, blocks);
  push(p, blocks, s->wh, 4, own, s->units, step_of(s, s->h, p->t));
  for (int i = 0; i < blocks; i++) lstm_gates(p + i);
}

INLINE void gru_gates_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *h_after = step_of(s, s->h, p->t + 1);
  float *resets = gate_of(p, 0), *updates = gate_of(p, 1), *candidates = gate_of(p, 2),
        *products = gate_of(p, 3);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i;
      vf reset = sigmoid(load(resets + in_tile)), update = sigmoid(load(updates + in_tile));
      vf product = load(products + in_tile);
      if (s->bh) product += load_part(s->bh + p->unit + i, units - i);
      vf candidate = tanh_of(load(candidates + in_tile) + reset * product);
      vf before = load_part(h + here, units - i);
      store_part(h_after + here, (1.0f - update) * candidate + update * before, units - i);
      store(resets + in_tile, reset);
      store(updates + in_tile, update);
      store(candidates + in_tile, candidate);
      store(products + in_tile, product);
    }
}
WHOLE_AND_REST(gru_gates)

static void gru_step(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  begin_step(p, blocks);
  for (int i = 0; i < blocks; i++) clear(gate_of(p + i, 3), p->columns);
  push(p, blocks, s->wh, 3, gru_products, s->units, step_of(s, s->h, p->t));
  for (int i = 0; i < blocks; i++) gru_gates(p + i);
}

INLINE void gruv3_resets_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *q = step_of(s, s->q, p->t), *resets = gate_of(p, 0), *updates = gate_of(p, 1);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i;
      vf reset = sigmoid(load(resets + in_tile));
      store_part(q + here, reset * load_part(h + here, units - i), units - i);
      store(resets + in_tile, reset);
      store(updates + in_tile, sigmoid(load(updates + in_tile)));
    }
}
WHOLE_AND_REST(gruv3_resets)

static void gruv3_reset_step(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  begin_step(p, blocks);
  push(p, blocks, s->wh, 2, own, s->units, step_of(s, s->h, p->t));
  for (int i = 0; i < blocks; i++) gruv3_resets(p + i);
}

INLINE void gruv3_candidates_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *h_after = step_of(s, s->h, p->t + 1), *updates = gate_of(p, 1), *candidates = gate_of(p, 2);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i;
      vf update = load(updates + in_tile), candidate = tanh_of(load(candidates + in_tile));
      vf before = load_part(h + here, units - i);
      store_part(h_after + here, (1.0f - update) * candidate + update * before, units - i);
      store(candidates + in_tile, candidate);
    }
}
WHOLE_AND_REST(gruv3_candidates)

static void gruv3_candidate_step(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  push(p, blocks, s->wc, 1, gruv3_candidate, s->units, step_of(s, s->q, p->t));
  for (int i = 0; i < blocks; i++) gruv3_candidates(p + i);
}

void NAME(forward)(const void *job, int64_t number, int part, int parts) {
  const recur_sequence *s = ((const sequence_job *)job)->s;
  claim *claims = claims_of(job, number, part, parts);
  if (NAME(projects_all)(s)) { /* a phase of its own: the next one may begin blocks of other parts */
    if (number == 0) {
      project_all(s, part, parts);
      return;
    }
    number--;
  }
  switch (s->cell) {
    case RECUR_RNN: over_patches(s, number, claims, part, parts, 1, rnn_step, NULL); break;
    case RECUR_LSTM: over_patches(s, number, claims, part, parts, 4, lstm_step, NULL); break;
    case RECUR_GRU: over_patches(s, number, claims, part, parts, 3, gru_step, NULL); break;
    default:
      if (number % 2) over_patches(s, number / 2, claims, part, parts, 1, gruv3_candidate_step, NULL);
      else over_patches(s, number / 2, claims, part, parts, 3, gruv3_reset_step, NULL);
  }
}
