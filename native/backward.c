/* Backward: a phase of a step first completes dh of it from the gradients of the step after it, which
 * all parts have written, then takes the slope of its own units. Step -1 only completes dh. */
#include "patches.h"
#include "pointwise.h"
#include "sums.h"

/* The tiles dh of adjacent blocks += the transposed recurrent weights times the gradients d of step t, of `rows`
 * rows. */
INLINE void pull(const patch *p, int blocks, const float *packed, int64_t terms, const float *d, int64_t rows,
    int64_t t, tile *dh) {
  float *sums[MOST_PANELS];
  for (int i = 0; i < blocks; i++) sums[i] = dh[i];
  NAME(multiply_panels)(blocks, panel_of(packed, p->block, 0, 1, terms), terms, is_far(p->s),
      d + (slot(p->s, t) * p->s->batch + p->column) * rows, rows, p->columns, sums);
}

/* Between s->dh and a tile. */
static void take_dh(const patch *p, float *dh) {
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store(dh + j * WIDTH + i, load_part(p->s->dh + at(p, j) + i, p->units - i));
}
static void give_dh(const patch *p, const float *dh) {
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store_part(p->s->dh + at(p, j) + i, load(dh + j * WIDTH + i), p->units - i);
}

/* Asks for what a slope will read, while the product before it runs: columns lie too far apart for
 * the processor to see them coming. */
static void expect(const patch *p, int blocks, const float *matrix) {
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < blocks * WIDTH; i += 16) __builtin_prefetch(matrix + at(p, j) + i);
}

/* dh of step p->t without dy, in tiles: s->dh after the last step, else the product, added to s->dh where `adds`. */
static void begin_slope(const patch *p, int blocks, int adds, const float *packed, int64_t terms, const float *d,
    int64_t rows, tile *dh) {
  for (int i = 0; i < blocks; i++)
    if (adds || is_last(p)) take_dh(p + i, dh[i]);
    else clear(dh[i], p->columns);
  if (!is_last(p)) pull(p, blocks, packed, terms, d, rows, p->t + 1, dh);
  for (int i = 0; p->t < 0 && i < blocks; i++) give_dh(p + i, dh[i]);
}
/* A gradient of gate g, kept for the gradients of the weights. */
INLINE void keep(const patch *p, int g, int in_tile, vf d) {
  if (p->dtile) store(p->dtile + g * dterms(p->s) * WIDTH + in_tile, d);
}

static void rnn_slopes(const patch *p, const float *dh) {
  const recur_sequence *s = p->s;
  const float *h_after = step_of(s, s->h, p->t + 1), *dy = step_of(s, s->dy, p->t);
  tile h, slope;
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store(h + j * WIDTH + i, load_part(h_after + at(p, j) + i, p->units - i));
  NAME(derivative)(s->function, p->tile, h, slope, (int64_t)p->columns * WIDTH);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      vf total = load(dh + j * WIDTH + i) + load_part(dy + at(p, j) + i, p->units - i);
      vf d = total * load(slope + j * WIDTH + i);
      store_part(s->dgates + stacked(p, 0, 1, j) + i, d, p->units - i);
      keep(p, 0, j * WIDTH + i, d);
    }
}

static void rnn_slope(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  tile dh[MOST_PANELS];
  if (p->t >= 0) {
    expect(p, blocks, step_of(s, s->dy, p->t));
    expect(p, blocks, step_of(s, s->h, p->t + 1));
  }
  begin_slope(p, blocks, 0, s->wht, s->units, s->dgates, s->units, dh);
  for (int i = 0; p->t >= 0 && i < blocks; i++) rnn_slopes(p + i, dh[i]);
}

/* The same as WHOLE_AND_REST, with a tile of gradients. */
#define SLOPES(kernel)                                       \
  static void kernel(const patch *p, const float *tile) {    \
    if (p->units == WIDTH) kernel##_on(p, WIDTH, tile);      \
    else kernel##_on(p, p->units, tile);                     \
  }

INLINE void lstm_slopes_on(const patch *p, int64_t units, const float *dh) {
  const recur_sequence *s = p->s;
  const float *dy = step_of(s, s->dy, p->t);
  const float *inputs = gate_of(p, 0), *forgets = gate_of(p, 1), *candidates = gate_of(p, 2),
              *outputs = gate_of(p, 3), *squashes = gate_of(p, 5), *before = cells_before(p);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i, n = units - i;
      vf input = load(inputs + in_tile), forget = load(forgets + in_tile);
      vf candidate = load(candidates + in_tile), output = load(outputs + in_tile);
      vf squashed = load(squashes + in_tile);
      vf c = before ? load(before + in_tile) : load_part(s->c + here, n);
      vf total = load(dh + in_tile) + load_part(dy + here, n);
      vf dc = load_part(s->dc + here, n) + total * output * (1.0f - squashed * squashed);
      vf d[4] = {dc * candidate * input * (1.0f - input),
          dc * c * forget * (1.0f - forget),
          dc * input * (1.0f - candidate * candidate), total * squashed * output * (1.0f - output)};
      store_part(s->dc + here, dc * forget, n);
      for (int g = 0; g < 4; g++) {
        store_part(s->dgates + stacked(p, g, 4, j) + i, d[g], n);
        keep(p, g, in_tile, d[g]);
      }
    }
}

SLOPES(lstm_slopes)

static void lstm_slope(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  int64_t rows = 4 * (int64_t)s->units;
  tile dh[MOST_PANELS];
  if (p->t >= 0) expect(p, blocks, step_of(s, s->dy, p->t));
  begin_slope(p, blocks, 0, s->wht, rows, s->dgates, rows, dh);
  for (int i = 0; p->t >= 0 && i < blocks; i++) lstm_slopes(p + i, dh[i]);
}

/* What the two GRUs share: h' = (1 - z) n + z h. */
typedef struct {
  vf update, candidate, before; /* gradients of the sums of z and n, and of h through z */
} blend;

INLINE blend blend_slope(vf total, vf update, vf candidate, vf before) {
  return (blend){total * (before - candidate) * update * (1.0f - update),
      total * (1.0f - update) * (1.0f - candidate * candidate), total * update};
}

INLINE void gru_slopes_on(const patch *p, int64_t units, const float *dh) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t), *dy = step_of(s, s->dy, p->t);
  const float *resets = gate_of(p, 0), *updates = gate_of(p, 1), *candidates = gate_of(p, 2),
              *products = gate_of(p, 3);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i, n = units - i;
      vf reset = load(resets + in_tile);
      vf total = load(dh + in_tile) + load_part(dy + here, n);
      blend d = blend_slope(total, load(updates + in_tile), load(candidates + in_tile),
          load_part(h + here, n));
      vf dreset = d.candidate * load(products + in_tile) * reset * (1.0f - reset);
      vf dproduct = d.candidate * reset;
      store_part(s->dh + here, d.before, n);
      store_part(s->dgates + stacked(p, 0, 3, j) + i, dreset, n);
      store_part(s->dgates + stacked(p, 1, 3, j) + i, d.update, n);
      store_part(s->dgates + stacked(p, 2, 3, j) + i, d.candidate, n);
      store_part(s->drecurrent + stacked(p, 0, 3, j) + i, dreset, n);
      store_part(s->drecurrent + stacked(p, 1, 3, j) + i, d.update, n);
      store_part(s->drecurrent + stacked(p, 2, 3, j) + i, dproduct, n);
      keep(p, 0, in_tile, dreset);
      keep(p, 1, in_tile, d.update);
      keep(p, 2, in_tile, d.candidate);
      keep(p, 3, in_tile, dproduct);
    }
}

SLOPES(gru_slopes)

static void gru_slope(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  int64_t rows = 3 * (int64_t)s->units;
  tile dh[MOST_PANELS];
  if (p->t >= 0) {
    expect(p, blocks, step_of(s, s->dy, p->t));
    expect(p, blocks, step_of(s, s->h, p->t));
  }
  begin_slope(p, blocks, 1, s->wht, rows, s->drecurrent, rows, dh);
  for (int i = 0; p->t >= 0 && i < blocks; i++) gru_slopes(p + i, dh[i]);
}

INLINE void gruv3_candidate_slopes_on(const patch *p, int64_t units, const float *dh) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t), *dy = step_of(s, s->dy, p->t);
  const float *updates = gate_of(p, 1), *candidates = gate_of(p, 2);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i, n = units - i;
      vf total = load(dh + in_tile) + load_part(dy + here, n);
      blend d = blend_slope(total, load(updates + in_tile), load(candidates + in_tile),
          load_part(h + here, n));
      store_part(s->dh + here, d.before, n);
      store_part(s->dgates + stacked(p, 1, 3, j) + i, d.update, n);
      store_part(s->dgates + stacked(p, 2, 3, j) + i, d.candidate, n);
      keep(p, 1, in_tile, d.update);
      keep(p, 2, in_tile, d.candidate);
    }
}

SLOPES(gruv3_candidate_slopes)

static void gruv3_candidate_slope(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  int64_t units = s->units;
  tile dh[MOST_PANELS];
  if (p->t >= 0) {
    expect(p, blocks, step_of(s, s->dy, p->t));
    expect(p, blocks, step_of(s, s->h, p->t));
  }
  begin_slope(p, blocks, 1, s->wht, 2 * units, s->dgates, 3 * units, dh);
  for (int i = 0; p->t >= 0 && i < blocks; i++) gruv3_candidate_slopes(p + i, dh[i]);
}

INLINE void gruv3_reset_slopes_on(const patch *p, int64_t units, const float *dqs) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t), *resets = gate_of(p, 0);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i, n = units - i;
      vf reset = load(resets + in_tile), dq = load(dqs + in_tile);
      vf d = dq * load_part(h + here, n) * reset * (1.0f - reset);
      store_part(s->dh + here, load_part(s->dh + here, n) + dq * reset, n);
      store_part(s->dgates + stacked(p, 0, 3, j) + i, d, n);
      keep(p, 0, in_tile, d);
    }
}

SLOPES(gruv3_reset_slopes)

static void gruv3_reset_slope(const patch *p, int blocks) {
  const recur_sequence *s = p->s;
  int64_t units = s->units;
  tile dq[MOST_PANELS];
  for (int i = 0; i < blocks; i++) clear(dq[i], p->columns);
  pull(p, blocks, s->wct, units, s->dgates + 2 * units, 3 * units, p->t, dq);
  for (int i = 0; i < blocks; i++) gruv3_reset_slopes(p + i, dq[i]);
}

/* One-hot input: each column of gradients goes to the column of Wi that its x had taken. */
INLINE void scatter_block_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  int gates = gate_count(s);
  for (int j = 0; j < p->columns; j++) {
    int64_t to = (int64_t)s->index[p->t * s->batch + p->column + j] * gates * s->units + p->unit;
    for (int g = 0; g < gates; g++, to += s->units)
      for (int i = 0; i < WIDTH; i += LANES) {
        float *dw = s->dwi + to + i;
        vf d = load(p->dtile + (g * dterms(s) + j) * WIDTH + i);
        if (s->table_carry) add_kept(dw, s->table_carry + to + i, d, units - i);
        else store_part(dw, load_part(dw, units - i) + d, units - i);
      }
  }
}
WHOLE_AND_REST(scatter_block)

static void scatter(const patch *p, int blocks) {
  for (int i = 0; i < blocks; i++) scatter_block(p + i);
}

/* The phases are runs: the steps of a run in reverse, then the gradients of weights and biases from it. After
 * the last run, or without dtiles after the last step, dh is completed; without, biases follow there. */
void NAME(backward)(const void *job, int64_t number, int part, int parts) {
  const recur_sequence *s = ((const sequence_job *)job)->s;
  claim *claims = claims_of(job, number, part, parts);
  int64_t each = s->cell == RECUR_GRUV3 ? 2 : 1, steps = s->dtiles ? run_steps(s) : s->time;
  int64_t phases = steps * each + (s->dtiles ? 1 : 0), last = s->time - 1 - number / phases * steps;
  int64_t k = number % phases, begin = last + 1 - steps > 0 ? last + 1 - steps : 0;
  int64_t t = last - k / each;
  int second = k % each;
  if (s->dtiles && last >= 0 && k == (last + 1 - begin) * each) {
    NAME(add_weights)(s, begin, last + 1, part, parts);
    return;
  }
  if (t < 0) {
    if (!s->dtiles) NAME(add_biases)(s, part, parts);
    t = -1;
    second = 0;
  }
  patch_kernel *then = t >= 0 && s->dwi && s->table ? scatter : NULL;
  switch (s->cell) {
    case RECUR_RNN: over_patches(s, t, claims, part, parts, 1, rnn_slope, then); break;
    case RECUR_LSTM: over_patches(s, t, claims, part, parts, 1, lstm_slope, then); break;
    case RECUR_GRU: over_patches(s, t, claims, part, parts, 1, gru_slope, then); break;
    default:
      if (second) over_patches(s, t, claims, part, parts, 1, gruv3_reset_slope, then);
      else over_patches(s, t, claims, part, parts, 1, gruv3_candidate_slope, NULL);
  }
}
