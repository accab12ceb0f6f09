/* The recurrent cells on packed weights: one phase is one step, a part owns some of the units. */
#include "kernels.h"
#include "pointwise.h"
#include "vector.h"

/* Columns whose sums lie in a tile beside the registers, and terms whose panel stays in L1. */
enum { TILE = 48, TERMS = 256 };

typedef float tile[TILE * WIDTH]; /* WIDTH x TILE */

/* s += panel b for n columns, the sum of each value in the order of the terms. With few columns the
 * terms are dealt to several sums, or each would wait for the one before. */
INLINE void multiply_add(int n, int chains, const float *panel, int64_t terms, const float *b,
    int64_t ldb, float *s) {
  vf sum[COLUMNS][4][2] = {};
  const float *column[COLUMNS];
  for (int j = 0; j < n; j++) {
    column[j] = b + j * ldb;
    sum[j][0][0] = load(s + j * WIDTH);
    sum[j][0][1] = load(s + j * WIDTH + LANES);
  }
  int64_t k = 0;
  for (; k + chains <= terms; k += chains)
    for (int c = 0; c < chains; c++) {
      vf low = load(panel + (k + c) * WIDTH), high = load(panel + (k + c) * WIDTH + LANES);
      for (int j = 0; j < n; j++) {
        vf x = all(column[j][k + c]);
        sum[j][c][0] += low * x;
        sum[j][c][1] += high * x;
      }
    }
  for (; k < terms; k++)
    for (int j = 0; j < n; j++) {
      vf x = all(column[j][k]);
      sum[j][0][0] += load(panel + k * WIDTH) * x;
      sum[j][0][1] += load(panel + k * WIDTH + LANES) * x;
    }
  for (int j = 0; j < n; j++)
    for (int half = 0; half < 2; half++) {
      vf total = sum[j][0][half];
      for (int c = 1; c < chains; c++) total += sum[j][c][half];
      store(s + j * WIDTH + half * LANES, total);
    }
}

static void multiply_columns(int n, const float *panel, int64_t terms, const float *b, int64_t ldb,
    float *s) {
  switch (n) {
    case 1: multiply_add(1, 4, panel, terms, b, ldb, s); break;
    case 2: multiply_add(2, 2, panel, terms, b, ldb, s); break;
    case 3: multiply_add(3, 2, panel, terms, b, ldb, s); break;
    case 4: multiply_add(4, 1, panel, terms, b, ldb, s); break;
    case 5: multiply_add(5, 1, panel, terms, b, ldb, s); break;
    case 6: multiply_add(6, 1, panel, terms, b, ldb, s); break;
    case 7: multiply_add(7 <= COLUMNS ? 7 : 1, 1, panel, terms, b, ldb, s); break;
    case 8: multiply_add(8 <= COLUMNS ? 8 : 1, 1, panel, terms, b, ldb, s); break;
  }
}

/* s += panel b for up to TILE columns, in groups of nearly equal width. */
static void multiply_panel(const float *panel, int64_t terms, const float *b, int64_t ldb, int n,
    float *s) {
  int groups = (n + COLUMNS - 1) / COLUMNS;
  for (int64_t k = 0; k < terms; k += TERMS) {
    int64_t few = terms - k < TERMS ? terms - k : TERMS;
    for (int i = 0; i < groups; i++) {
      int from = n * i / groups, to = n * (i + 1) / groups;
      multiply_columns(to - from, panel + k * WIDTH, few, b + from * ldb + k, ldb, s + from * WIDTH);
    }
  }
}

/* Packing: panel after panel, the gates of the same units side by side, terms in order. */

static int64_t blocks(int64_t units) { return (units + WIDTH - 1) / WIDTH; }

INLINE const float *panel_of(const float *packed, int64_t block, int gate, int gates, int64_t terms) {
  return packed + (block * gates + gate) * terms * WIDTH;
}

static void pack(const void *job, int64_t number, int part, int parts) {
  (void)number;
  const packing *p = job;
  int64_t all = blocks(p->units);
  for (int64_t block = part_begin(all, part, parts); block < part_begin(all, part + 1, parts); block++)
    for (int64_t gate = 0; gate < p->gates; gate++) {
      float *to = p->packed + (block * p->gates + gate) * p->terms * WIDTH;
      int64_t unit = block * WIDTH, rows = p->units - unit < WIDTH ? p->units - unit : WIDTH;
      const float *from = p->w + (gate * p->units + unit) * p->row;
      for (int64_t term = 0; term < p->terms; term++)
        for (int64_t i = 0; i < WIDTH; i++)
          to[term * WIDTH + i] = i < rows ? from[i * p->row + term * p->column] : 0;
    }
}

/* A block of units and a run of columns at one step. */
typedef struct {
  const recur_sequence *s;
  int64_t t, unit, units, block; /* units: how many of the block exist from `unit` on, 1 to WIDTH */
  int column, columns;
} patch;

typedef void patch_kernel(const patch *p);

static int gate_count(const recur_sequence *s) {
  return s->cell == RECUR_LSTM ? 4 : s->cell == RECUR_RNN ? 1 : 3;
}

/* Hands a part its patches: tiles of columns, and within them its blocks of units. */
static void over_patches(const recur_sequence *s, int64_t t, int part, int parts, patch_kernel *run) {
  int64_t all = blocks(s->units);
  int64_t from = part_begin(all, part, parts), to = part_begin(all, part + 1, parts);
  for (int column = 0; column < s->batch; column += TILE)
    for (int64_t block = from; block < to; block++) {
      int64_t unit = block * WIDTH;
      patch p = {s, t, unit, s->units - unit < WIDTH ? s->units - unit : WIDTH, block, column,
          s->batch - column < TILE ? s->batch - column : TILE};
      run(&p);
    }
}

/* The value of unit p->unit in column j of an H x B matrix. */
INLINE int64_t at(const patch *p, int j) { return (int64_t)(p->column + j) * p->s->units + p->unit; }

/* The same of gate g in a GH x B matrix of step t. */
INLINE int64_t gate_at(const patch *p, int64_t t, int g, int gates, int j) {
  return ((t * p->s->batch + p->column + j) * gates + g) * p->s->units + p->unit;
}

/* An H x B matrix of step t in a row of them. */
INLINE float *step_of(const recur_sequence *s, float *all, int64_t t) {
  return all + t * s->batch * s->units;
}

/* The sum of a gate before the recurrent product: Wi x + b as it lies in gates, or of one-hot x. */
static void begin_gate(const patch *p, int g, int gates, float *sums) {
  const recur_sequence *s = p->s;
  for (int j = 0; j < p->columns; j++) {
    if (s->table) {
      const float *from = s->table + (int64_t)s->index[p->t * s->batch + p->column + j] * gates * s->units;
      const float *bias = s->b + g * s->units + p->unit;
      from += g * s->units + p->unit;
      for (int i = 0; i < WIDTH; i += LANES)
        store(sums + j * WIDTH + i,
            load_part(from + i, p->units - i) + load_part(bias + i, p->units - i));
    } else {
      const float *from = s->gates + gate_at(p, p->t, g, gates, j);
      for (int i = 0; i < WIDTH; i += LANES)
        store(sums + j * WIDTH + i, load_part(from + i, p->units - i));
    }
  }
}

/* gates = Wi x + b for all steps at once, the part's own rows; runs of columns stay in L1. */
static void project_input(const recur_sequence *s, int part, int parts) {
  int gates = gate_count(s);
  int64_t all = blocks(s->units), columns = (int64_t)s->batch * s->time;
  int64_t from = part_begin(all, part, parts), to = part_begin(all, part + 1, parts);
  for (int64_t column = 0; column < columns; column += TILE) {
    int n = columns - column < TILE ? columns - column : TILE;
    for (int64_t block = from; block < to; block++)
      for (int g = 0; g < gates; g++) {
        tile sums;
        int64_t unit = block * WIDTH, rows = s->units - unit;
        for (int i = 0; i < WIDTH; i += LANES) {
          vf bias = load_part(s->b + g * s->units + unit + i, rows - i);
          for (int j = 0; j < n; j++) store(sums + j * WIDTH + i, bias);
        }
        multiply_panel(panel_of(s->wi, block, g, gates, s->in), s->in, s->x + column * s->in, s->in, n,
            sums);
        for (int j = 0; j < n; j++) {
          float *out = s->gates + ((column + j) * gates + g) * s->units + unit;
          for (int i = 0; i < WIDTH; i += LANES)
            store_part(out + i, load(sums + j * WIDTH + i), rows - i);
        }
      }
  }
}

/* sums = the gate's sum with its recurrent product; `of` is the gate's number in the packed weights. */
INLINE void sum_gate(const patch *p, int g, int gates, const float *packed, int of, int recurrent,
    const float *h, float *sums) {
  int64_t units = p->s->units;
  begin_gate(p, g, gates, sums);
  multiply_panel(panel_of(packed, p->block, of, recurrent, units), units, h + p->column * units, units,
      p->columns, sums);
}

INLINE void zero(const patch *p, float *sums) {
  memset(sums, 0, sizeof(float) * WIDTH * p->columns);
}

/* Forward. */

static void rnn_step(const patch *p) {
  const recur_sequence *s = p->s;
  const float *before = step_of(s, s->h, p->t);
  float *after = step_of(s, s->h, p->t + 1);
  tile sums, h;
  sum_gate(p, 0, 1, s->wh, 0, 1, before, sums);
  NAME(map)(s->function, sums, h, (int64_t)p->columns * WIDTH);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      store_part(s->gates + gate_at(p, p->t, 0, 1, j) + i, load(sums + j * WIDTH + i), p->units - i);
      store_part(after + at(p, j) + i, load(h + j * WIDTH + i), p->units - i);
    }
}

static void lstm_step(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t), *c = step_of(s, s->c, p->t);
  float *h_after = step_of(s, s->h, p->t + 1), *c_after = step_of(s, s->c, p->t + 1);
  tile sums[4];
  for (int g = 0; g < 4; g++) sum_gate(p, g, 4, s->wh, g, 4, h, sums[g]);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t n = p->units - i, here = at(p, j) + i;
      vf input = sigmoid(load(sums[0] + j * WIDTH + i));
      vf forget = sigmoid(load(sums[1] + j * WIDTH + i));
      vf candidate = tanhv(load(sums[2] + j * WIDTH + i));
      vf output = sigmoid(load(sums[3] + j * WIDTH + i));
      vf cell = forget * load_part(c + here, n) + input * candidate;
      store_part(c_after + here, cell, n);
      store_part(h_after + here, output * tanhv(cell), n);
      store_part(s->gates + gate_at(p, p->t, 0, 4, j) + i, input, n);
      store_part(s->gates + gate_at(p, p->t, 1, 4, j) + i, forget, n);
      store_part(s->gates + gate_at(p, p->t, 2, 4, j) + i, candidate, n);
      store_part(s->gates + gate_at(p, p->t, 3, 4, j) + i, output, n);
    }
}

static void gru_step(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *h_after = step_of(s, s->h, p->t + 1), *q = step_of(s, s->q, p->t);
  tile resets, updates, candidates, products;
  sum_gate(p, 0, 3, s->wh, 0, 3, h, resets);
  sum_gate(p, 1, 3, s->wh, 1, 3, h, updates);
  begin_gate(p, 2, 3, candidates);
  zero(p, products);
  multiply_panel(panel_of(s->wh, p->block, 2, 3, s->units), s->units,
      h + (int64_t)p->column * s->units, s->units, p->columns, products);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t n = p->units - i, here = at(p, j) + i;
      vf reset = sigmoid(load(resets + j * WIDTH + i));
      vf update = sigmoid(load(updates + j * WIDTH + i));
      vf product = load(products + j * WIDTH + i);
      if (s->bh) product += load_part(s->bh + p->unit + i, n);
      vf candidate = tanhv(load(candidates + j * WIDTH + i) + reset * product);
      vf before = load_part(h + here, n);
      store_part(h_after + here, (1.0f - update) * candidate + update * before, n);
      store_part(q + here, product, n);
      store_part(s->gates + gate_at(p, p->t, 0, 3, j) + i, reset, n);
      store_part(s->gates + gate_at(p, p->t, 1, 3, j) + i, update, n);
      store_part(s->gates + gate_at(p, p->t, 2, 3, j) + i, candidate, n);
    }
}

static void gruv3_reset(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *q = step_of(s, s->q, p->t);
  tile resets, updates;
  sum_gate(p, 0, 3, s->wh, 0, 2, h, resets);
  sum_gate(p, 1, 3, s->wh, 1, 2, h, updates);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t n = p->units - i, here = at(p, j) + i;
      vf reset = sigmoid(load(resets + j * WIDTH + i));
      store_part(q + here, reset * load_part(h + here, n), n);
      store_part(s->gates + gate_at(p, p->t, 0, 3, j) + i, reset, n);
      store_part(s->gates + gate_at(p, p->t, 1, 3, j) + i, sigmoid(load(updates + j * WIDTH + i)), n);
    }
}

static void gruv3_candidate(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *h_after = step_of(s, s->h, p->t + 1);
  tile candidates;
  sum_gate(p, 2, 3, s->wc, 0, 1, step_of(s, s->q, p->t), candidates);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t n = p->units - i, here = at(p, j) + i;
      vf update = load_part(s->gates + gate_at(p, p->t, 1, 3, j) + i, n);
      vf candidate = tanhv(load(candidates + j * WIDTH + i));
      store_part(h_after + here, (1.0f - update) * candidate + update * load_part(h + here, n), n);
      store_part(s->gates + gate_at(p, p->t, 2, 3, j) + i, candidate, n);
    }
}

static void forward(const void *job, int64_t number, int part, int parts) {
  const recur_sequence *s = job;
  if (number == 0 && s->wi) project_input(s, part, parts);
  switch (s->cell) {
    case RECUR_RNN: over_patches(s, number, part, parts, rnn_step); break;
    case RECUR_LSTM: over_patches(s, number, part, parts, lstm_step); break;
    case RECUR_GRU: over_patches(s, number, part, parts, gru_step); break;
    default:
      over_patches(s, number / 2, part, parts, number % 2 ? gruv3_candidate : gruv3_reset);
  }
}

/* Backward: a phase first completes dh of its step from the gradients of the step after it, which
 * all parts have written, then takes the slope of its own units. Step -1 only completes dh. */

/* sums += the transposed recurrent weights times the gradients d of step t, of `rows` rows. */
INLINE void pull(const patch *p, const float *packed, int64_t terms, const float *d, int64_t rows,
    int64_t t, float *sums) {
  multiply_panel(panel_of(packed, p->block, 0, 1, terms), terms,
      d + (t * p->s->batch + p->column) * rows, rows, p->columns, sums);
}

/* sums = dh as it lies in s->dh. */
INLINE void begin_slope(const patch *p, float *sums) {
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store(sums + j * WIDTH + i, load_part(p->s->dh + at(p, j) + i, p->units - i));
}

INLINE void keep_slope(const patch *p, const float *sums) {
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store_part(p->s->dh + at(p, j) + i, load(sums + j * WIDTH + i), p->units - i);
}

INLINE void add_part(float *to, vf x, int64_t n) { store_part(to, load_part(to, n) + x, n); }

INLINE int is_last(const patch *p) { return p->t == p->s->time - 1; }

static void rnn_slope(const patch *p) {
  const recur_sequence *s = p->s;
  tile sums, a, h, slope;
  if (is_last(p)) {
    begin_slope(p, sums);
  } else {
    zero(p, sums);
    pull(p, s->wht, s->units, s->dgates, s->units, p->t + 1, sums);
  }
  if (p->t < 0) {
    keep_slope(p, sums);
    return;
  }
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      store(a + j * WIDTH + i, load_part(s->gates + gate_at(p, p->t, 0, 1, j) + i, p->units - i));
      store(h + j * WIDTH + i, load_part(step_of(s, s->h, p->t + 1) + at(p, j) + i, p->units - i));
    }
  NAME(slope)(s->function, a, h, slope, (int64_t)p->columns * WIDTH);
  for (int i = 0; i < WIDTH; i += LANES) {
    int64_t n = p->units - i;
    vf db = {};
    for (int j = 0; j < p->columns; j++) {
      vf total = load(sums + j * WIDTH + i) + load_part(step_of(s, (float *)s->dy, p->t) + at(p, j) + i, n);
      vf d = total * load(slope + j * WIDTH + i);
      store_part(s->dgates + gate_at(p, p->t, 0, 1, j) + i, d, n);
      db += d;
    }
    if (s->db) add_part(s->db + p->unit + i, db, n);
  }
}

static void lstm_slope(const patch *p) {
  const recur_sequence *s = p->s;
  tile sums;
  if (is_last(p)) {
    begin_slope(p, sums);
  } else {
    zero(p, sums);
    pull(p, s->wht, 4 * (int64_t)s->units, s->dgates, 4 * (int64_t)s->units, p->t + 1, sums);
  }
  if (p->t < 0) {
    keep_slope(p, sums);
    return;
  }
  const float *c = step_of(s, s->c, p->t), *c_after = step_of(s, s->c, p->t + 1);
  const float *dy = step_of(s, (float *)s->dy, p->t);
  for (int i = 0; i < WIDTH; i += LANES) {
    int64_t n = p->units - i;
    vf db[4] = {};
    for (int j = 0; j < p->columns; j++) {
      int64_t here = at(p, j) + i;
      vf input = load_part(s->gates + gate_at(p, p->t, 0, 4, j) + i, n);
      vf forget = load_part(s->gates + gate_at(p, p->t, 1, 4, j) + i, n);
      vf candidate = load_part(s->gates + gate_at(p, p->t, 2, 4, j) + i, n);
      vf output = load_part(s->gates + gate_at(p, p->t, 3, 4, j) + i, n);
      vf squashed = tanhv(load_part(c_after + here, n));
      vf total = load(sums + j * WIDTH + i) + load_part(dy + here, n);
      vf dc = load_part(s->dc + here, n) + total * output * (1.0f - squashed * squashed);
      vf d[4] = {dc * candidate * input * (1.0f - input),
          dc * load_part(c + here, n) * forget * (1.0f - forget),
          dc * input * (1.0f - candidate * candidate), total * squashed * output * (1.0f - output)};
      store_part(s->dc + here, dc * forget, n);
      for (int g = 0; g < 4; g++) {
        store_part(s->dgates + gate_at(p, p->t, g, 4, j) + i, d[g], n);
        db[g] += d[g];
      }
    }
    for (int g = 0; s->db && g < 4; g++) add_part(s->db + g * s->units + p->unit + i, db[g], n);
  }
}

/* What the two GRUs share: h' = (1 - z) n + z h. */
typedef struct {
  vf update, candidate, before; /* gradients of the sums of z and n, and of h through z */
} blend;

INLINE blend blend_slope(vf total, vf update, vf candidate, vf before) {
  return (blend){total * (before - candidate) * update * (1.0f - update),
      total * (1.0f - update) * (1.0f - candidate * candidate), total * update};
}

static void gru_slope(const patch *p) {
  const recur_sequence *s = p->s;
  int64_t rows = 3 * (int64_t)s->units;
  tile sums;
  begin_slope(p, sums);
  if (!is_last(p)) pull(p, s->wht, rows, s->drecurrent, rows, p->t + 1, sums);
  if (p->t < 0) {
    keep_slope(p, sums);
    return;
  }
  const float *h = step_of(s, s->h, p->t), *q = step_of(s, s->q, p->t);
  const float *dy = step_of(s, (float *)s->dy, p->t);
  for (int i = 0; i < WIDTH; i += LANES) {
    int64_t n = p->units - i;
    vf db[3] = {}, dbh = {};
    for (int j = 0; j < p->columns; j++) {
      int64_t here = at(p, j) + i;
      vf reset = load_part(s->gates + gate_at(p, p->t, 0, 3, j) + i, n);
      vf update = load_part(s->gates + gate_at(p, p->t, 1, 3, j) + i, n);
      vf candidate = load_part(s->gates + gate_at(p, p->t, 2, 3, j) + i, n);
      vf total = load(sums + j * WIDTH + i) + load_part(dy + here, n);
      blend d = blend_slope(total, update, candidate, load_part(h + here, n));
      vf dreset = d.candidate * load_part(q + here, n) * reset * (1.0f - reset);
      vf dproduct = d.candidate * reset;
      store_part(s->dh + here, d.before, n);
      store_part(s->dgates + gate_at(p, p->t, 0, 3, j) + i, dreset, n);
      store_part(s->dgates + gate_at(p, p->t, 1, 3, j) + i, d.update, n);
      store_part(s->dgates + gate_at(p, p->t, 2, 3, j) + i, d.candidate, n);
      store_part(s->drecurrent + gate_at(p, p->t, 0, 3, j) + i, dreset, n);
      store_part(s->drecurrent + gate_at(p, p->t, 1, 3, j) + i, d.update, n);
      store_part(s->drecurrent + gate_at(p, p->t, 2, 3, j) + i, dproduct, n);
      db[0] += dreset;
      db[1] += d.update;
      db[2] += d.candidate;
      dbh += dproduct;
    }
    for (int g = 0; s->db && g < 3; g++) add_part(s->db + g * s->units + p->unit + i, db[g], n);
    if (s->dbh) add_part(s->dbh + p->unit + i, dbh, n);
  }
}

static void gruv3_candidate_slope(const patch *p) {
  const recur_sequence *s = p->s;
  tile sums;
  begin_slope(p, sums);
  if (!is_last(p))
    pull(p, s->wht, 2 * (int64_t)s->units, s->dgates, 3 * (int64_t)s->units, p->t + 1, sums);
  if (p->t < 0) {
    keep_slope(p, sums);
    return;
  }
  const float *h = step_of(s, s->h, p->t), *dy = step_of(s, (float *)s->dy, p->t);
  for (int i = 0; i < WIDTH; i += LANES) {
    int64_t n = p->units - i;
    vf db[2] = {};
    for (int j = 0; j < p->columns; j++) {
      int64_t here = at(p, j) + i;
      vf update = load_part(s->gates + gate_at(p, p->t, 1, 3, j) + i, n);
      vf candidate = load_part(s->gates + gate_at(p, p->t, 2, 3, j) + i, n);
      vf total = load(sums + j * WIDTH + i) + load_part(dy + here, n);
      blend d = blend_slope(total, update, candidate, load_part(h + here, n));
      store_part(s->dh + here, d.before, n);
      store_part(s->dgates + gate_at(p, p->t, 1, 3, j) + i, d.update, n);
      store_part(s->dgates + gate_at(p, p->t, 2, 3, j) + i, d.candidate, n);
      db[0] += d.update;
      db[1] += d.candidate;
    }
    for (int g = 0; s->db && g < 2; g++) add_part(s->db + (g + 1) * s->units + p->unit + i, db[g], n);
  }
}

static void gruv3_reset_slope(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  tile sums;
  zero(p, sums);
  pull(p, s->wct, s->units, s->dgates + 2 * s->units, 3 * (int64_t)s->units, p->t, sums);
  for (int i = 0; i < WIDTH; i += LANES) {
    int64_t n = p->units - i;
    vf db = {};
    for (int j = 0; j < p->columns; j++) {
      int64_t here = at(p, j) + i;
      vf reset = load_part(s->gates + gate_at(p, p->t, 0, 3, j) + i, n);
      vf dq = load(sums + j * WIDTH + i);
      vf d = dq * load_part(h + here, n) * reset * (1.0f - reset);
      add_part(s->dh + here, dq * reset, n);
      store_part(s->dgates + gate_at(p, p->t, 0, 3, j) + i, d, n);
      db += d;
    }
    if (s->db) add_part(s->db + p->unit + i, db, n);
  }
}

static void backward(const void *job, int64_t number, int part, int parts) {
  const recur_sequence *s = job;
  int64_t last = (int64_t)s->time - 1;
  switch (s->cell) {
    case RECUR_RNN: over_patches(s, last - number, part, parts, rnn_slope); break;
    case RECUR_LSTM: over_patches(s, last - number, part, parts, lstm_slope); break;
    case RECUR_GRU: over_patches(s, last - number, part, parts, gru_slope); break;
    default:
      over_patches(s, last - number / 2, part, parts,
          number % 2 ? gruv3_reset_slope : gruv3_candidate_slope);
  }
}

const kernels NAME(kernels) = {.width = WIDTH, .pack = pack, .forward = forward, .backward = backward};
