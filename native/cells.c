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
  int64_t t, block, unit; /* unit: the block's first */
  int64_t units;          /* how many of the block exist, 1 to WIDTH */
  int column, columns;
  float *tile;            /* WIDTH x columns for each gate, one behind the other */
  float *dtile;           /* the same of gradients, or NULL */
} patch;

typedef void patch_kernel(const patch *p);

/* Gates that multiply x, and tiles that a patch keeps: an LSTM keeps c and tanh c beside its gates, a
 * GRU Wh3 h + bh. What a slope reads lies in one piece then; columns of H x B would be far apart. */
static int gate_count(const recur_sequence *s) {
  return s->cell == RECUR_LSTM ? 4 : s->cell == RECUR_RNN ? 1 : 3;
}
static int tile_count(const recur_sequence *s) {
  return s->cell == RECUR_LSTM ? 6 : s->cell == RECUR_GRU ? 4 : gate_count(s);
}

/* Tiles of gradients: of the sums of each gate, and for a GRU of Wh3 h. */
static int dtile_count(const recur_sequence *s) {
  return s->cell == RECUR_GRU ? 4 : gate_count(s);
}

/* Where the tiles of a patch lie: those of a step together, in the order in which they are used. */
static float *tile_of(const recur_sequence *s, int64_t t, int column, int columns, int64_t block) {
  int64_t all = blocks(s->units);
  int64_t step = t < 0 ? 0 : t % s->steps;
  return s->tiles + ((step * s->batch + column) * all + block * columns) * tile_count(s) * WIDTH;
}

/* From step to step of gradients: one tile more than there are, so that the tiles of a block at
 * successive steps do not fall upon each other in the cache. */
INLINE int64_t dstride(const recur_sequence *s) {
  return (blocks(s->units) * dtile_count(s) + 1) * s->batch * WIDTH;
}
static float *dtile_of(const recur_sequence *s, int64_t t, int column, int columns, int64_t block) {
  if (!s->dtiles || t < 0) return NULL;
  return s->dtiles + t * dstride(s) + (column * blocks(s->units) + block * columns) * dtile_count(s) * WIDTH;
}

static patch patch_of(const recur_sequence *s, int64_t t, int column, int64_t block) {
  int64_t unit = block * WIDTH;
  int columns = s->batch - column < TILE ? s->batch - column : TILE;
  return (patch){s, t, block, unit, s->units - unit < WIDTH ? s->units - unit : WIDTH, column, columns,
      tile_of(s, t, column, columns, block), dtile_of(s, t, column, columns, block)};
}

/* Hands a part its blocks of units, each with all columns: its own first, then what others have not
 * begun, because a thread that the system holds up would hold up all. Who computes a block does not
 * show. `then`, if not NULL, follows on the same patch. */
static void over_patches(const recur_sequence *s, int64_t t, claim *claims, int part, int parts,
    patch_kernel *run, patch_kernel *then) {
  int helped = 0;
  for (int64_t block; (block = next_item(claims, blocks(s->units), part, parts, &helped)) >= 0;)
    for (int column = 0; column < s->batch; column += TILE) {
      patch p = patch_of(s, t, column, block);
      run(&p);
      if (then) then(&p);
    }
}

/* A kernel for blocks that are full, where the compiler knows it, and for the last one. */
#define WHOLE_AND_REST(kernel)                                  \
  static void kernel(const patch *p) {                          \
    if (p->units == WIDTH) kernel##_on(p, WIDTH);               \
    else kernel##_on(p, p->units);                              \
  }

/* The tile of gate g, a column of it, and the place of unit p->unit in column j of an H x B matrix. */
INLINE float *gate_of(const patch *p, int g) { return p->tile + (int64_t)g * p->columns * WIDTH; }
INLINE int64_t at(const patch *p, int j) { return (int64_t)(p->column + j) * p->s->units + p->unit; }

/* Where gradients of step t lie among the steps that dgates has room for. */
INLINE int64_t slot(const recur_sequence *s, int64_t t) { return t % s->dsteps; }

/* The same place in the gradients of all gates, a GH x B matrix, at step t. */
INLINE int64_t stacked(const patch *p, int g, int gates, int j) {
  return ((slot(p->s, p->t) * p->s->batch + p->column + j) * gates + g) * p->s->units + p->unit;
}

/* An H x B matrix of step t in a row of them. */
INLINE float *step_of(const recur_sequence *s, const float *all, int64_t t) {
  return (float *)all + t * s->batch * s->units;
}

INLINE int is_last(const patch *p) { return p->t == p->s->time - 1; }

INLINE void clear(float *tile, int columns) { memset(tile, 0, sizeof(float) * WIDTH * columns); }

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

/* Wi x + b of one step, into its tiles, which the recurrent product then finds in the cache. */
static void project_step(const patch *p) {
  const recur_sequence *s = p->s;
  int gates = gate_count(s);
  for (int g = 0; g < gates; g++) {
    fill_bias(s, g, p->unit, p->columns, gate_of(p, g));
    multiply_panel(panel_of(s->wi, p->block, g, gates, s->in), s->in,
        s->x + (p->t * s->batch + p->column) * s->in, s->in, p->columns, gate_of(p, g));
  }
}

/* The same for small batches, of all steps before the first: several steps fill a tile. */
static void project_all(const recur_sequence *s, int part, int parts) {
  int gates = gate_count(s), steps = TILE / s->batch;
  int64_t all = blocks(s->units);
  int64_t from = part_begin(all, part, parts), to = part_begin(all, part + 1, parts);
  for (int64_t t = 0; t < s->time; t += steps) {
    int few = s->time - t < steps ? s->time - t : steps, columns = few * s->batch;
    for (int64_t block = from; block < to; block++)
      for (int g = 0; g < gates; g++) {
        tile sums;
        fill_bias(s, g, block * WIDTH, columns, sums);
        multiply_panel(panel_of(s->wi, block, g, gates, s->in), s->in, s->x + t * s->batch * s->in, s->in,
            columns, sums);
        for (int step = 0; step < few; step++) {
          patch p = patch_of(s, t + step, 0, block);
          memcpy(gate_of(&p, g), sums + step * s->batch * WIDTH, sizeof(float) * WIDTH * s->batch);
        }
      }
  }
}

static int projects_all(const recur_sequence *s) { return s->wi && s->batch < COLUMNS; }

/* The sums of all gates before the recurrent product, in the tiles. */
static void begin_step(const patch *p) {
  if (!p->s->wi) begin_gates(p);
  else if (!projects_all(p->s)) project_step(p);
}

/* tile += gate number `of` of the packed weights times h. */
INLINE void push(const patch *p, const float *packed, int of, int gates, const float *h, float *tile) {
  int64_t units = p->s->units;
  multiply_panel(panel_of(packed, p->block, of, gates, units), units, h + p->column * units, units,
      p->columns, tile);
}

/* Forward: in each tile first the sum of a gate, then its value. */

static void rnn_step(const patch *p) {
  const recur_sequence *s = p->s;
  float *after = step_of(s, s->h, p->t + 1);
  tile h;
  begin_step(p);
  push(p, s->wh, 0, 1, step_of(s, s->h, p->t), p->tile);
  NAME(map)(s->function, p->tile, h, (int64_t)p->columns * WIDTH);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store_part(after + at(p, j) + i, load(h + j * WIDTH + i), p->units - i);
}

/* The tile of c of the step before, or NULL at the first. */
INLINE const float *cells_before(const patch *p) {
  return p->t ? tile_of(p->s, p->t - 1, p->column, p->columns, p->block) + 4 * (int64_t)p->columns * WIDTH : NULL;
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
      vf candidate = tanhv(load(candidates + in_tile)), output = sigmoid(load(outputs + in_tile));
      vf c = before ? load(before + in_tile) : load_part(s->c + here, units - i);
      vf cell = forget * c + input * candidate, squashed = tanhv(cell);
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

static void lstm_step(const patch *p) {
  const recur_sequence *s = p->s;
  begin_step(p);
  for (int g = 0; g < 4; g++) push(p, s->wh, g, 4, step_of(s, s->h, p->t), gate_of(p, g));
  lstm_gates(p);
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
      vf candidate = tanhv(load(candidates + in_tile) + reset * product);
      vf before = load_part(h + here, units - i);
      store_part(h_after + here, (1.0f - update) * candidate + update * before, units - i);
      store(resets + in_tile, reset);
      store(updates + in_tile, update);
      store(candidates + in_tile, candidate);
      store(products + in_tile, product);
    }
}
WHOLE_AND_REST(gru_gates)

static void gru_step(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  begin_step(p);
  clear(gate_of(p, 3), p->columns);
  push(p, s->wh, 0, 3, h, gate_of(p, 0));
  push(p, s->wh, 1, 3, h, gate_of(p, 1));
  push(p, s->wh, 2, 3, h, gate_of(p, 3));
  gru_gates(p);
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

static void gruv3_reset_step(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  begin_step(p);
  push(p, s->wh, 0, 2, h, gate_of(p, 0));
  push(p, s->wh, 1, 2, h, gate_of(p, 1));
  gruv3_resets(p);
}

INLINE void gruv3_candidates_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t);
  float *h_after = step_of(s, s->h, p->t + 1), *updates = gate_of(p, 1), *candidates = gate_of(p, 2);
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i;
      vf update = load(updates + in_tile), candidate = tanhv(load(candidates + in_tile));
      vf before = load_part(h + here, units - i);
      store_part(h_after + here, (1.0f - update) * candidate + update * before, units - i);
      store(candidates + in_tile, candidate);
    }
}
WHOLE_AND_REST(gruv3_candidates)

static void gruv3_candidate_step(const patch *p) {
  const recur_sequence *s = p->s;
  push(p, s->wc, 0, 1, step_of(s, s->q, p->t), gate_of(p, 2));
  gruv3_candidates(p);
}

static void forward(const void *job, int64_t number, int part, int parts) {
  const recur_sequence *s = ((const sequence_job *)job)->s;
  claim *claims = claims_of(job, number, part, parts);
  if (projects_all(s)) { /* a phase of its own: the next one may begin blocks of other parts */
    if (number == 0) {
      project_all(s, part, parts);
      return;
    }
    number--;
  }
  switch (s->cell) {
    case RECUR_RNN: over_patches(s, number, claims, part, parts, rnn_step, NULL); break;
    case RECUR_LSTM: over_patches(s, number, claims, part, parts, lstm_step, NULL); break;
    case RECUR_GRU: over_patches(s, number, claims, part, parts, gru_step, NULL); break;
    default:
      over_patches(s, number / 2, claims, part, parts, number % 2 ? gruv3_candidate_step : gruv3_reset_step,
          NULL);
  }
}

/* Backward: a phase first completes dh of its step from the gradients of the step after it, which
 * all parts have written, then takes the slope of its own units. Step -1 only completes dh. */

/* dh += the transposed recurrent weights times the gradients d of step t, of `rows` rows. */
INLINE void pull(const patch *p, const float *packed, int64_t terms, const float *d, int64_t rows,
    int64_t t, float *dh) {
  multiply_panel(panel_of(packed, p->block, 0, 1, terms), terms,
      d + (slot(p->s, t) * p->s->batch + p->column) * rows, rows, p->columns, dh);
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
static void expect(const patch *p, const float *matrix) {
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += 16) __builtin_prefetch(matrix + at(p, j) + i);
}
/* A row of bias gradients, added to once a patch. */
INLINE void add_bias(float *db, vf sum, int64_t n) {
  store_part(db, load_part(db, n) + sum, n);
}
/* A gradient of gate g, kept for the gradients of the weights. */
INLINE void keep(const patch *p, int g, int in_tile, vf d) {
  if (p->dtile) store(p->dtile + (int64_t)g * p->columns * WIDTH + in_tile, d);
}

INLINE void add_biases(const patch *p, int first, int gates, vf sums[][2], int64_t units) {
  for (int g = 0; p->s->db && g < gates; g++)
    for (int half = 0; half < 2; half++)
      add_bias(p->s->db + (first + g) * p->s->units + p->unit + half * LANES, sums[g][half],
          units - half * LANES);
}

static void rnn_slope(const patch *p) {
  const recur_sequence *s = p->s;
  const float *h_after = step_of(s, s->h, p->t + 1), *dy = step_of(s, s->dy, p->t);
  tile dh, h, slope;
  if (p->t >= 0) {
    expect(p, dy);
    expect(p, h_after);
  }
  if (is_last(p)) {
    take_dh(p, dh);
  } else {
    clear(dh, p->columns);
    pull(p, s->wht, s->units, s->dgates, s->units, p->t + 1, dh);
  }
  if (p->t < 0) {
    give_dh(p, dh);
    return;
  }
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES)
      store(h + j * WIDTH + i, load_part(h_after + at(p, j) + i, p->units - i));
  NAME(slope)(s->function, p->tile, h, slope, (int64_t)p->columns * WIDTH);
  vf db[1][2] = {};
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      vf total = load(dh + j * WIDTH + i) + load_part(dy + at(p, j) + i, p->units - i);
      vf d = total * load(slope + j * WIDTH + i);
      store_part(s->dgates + stacked(p, 0, 1, j) + i, d, p->units - i);
      keep(p, 0, j * WIDTH + i, d);
      db[0][i / LANES] += d;
    }
  add_biases(p, 0, 1, db, p->units);
}

INLINE void lstm_slopes_on(const patch *p, int64_t units, const float *dh) {
  const recur_sequence *s = p->s;
  const float *dy = step_of(s, s->dy, p->t);
  const float *inputs = gate_of(p, 0), *forgets = gate_of(p, 1), *candidates = gate_of(p, 2),
              *outputs = gate_of(p, 3), *squashes = gate_of(p, 5), *before = cells_before(p);
  vf db[4][2] = {};
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
        db[g][i / LANES] += d[g];
      }
    }
  add_biases(p, 0, 4, db, units);
}

static void lstm_slope(const patch *p) {
  const recur_sequence *s = p->s;
  int64_t rows = 4 * (int64_t)s->units;
  tile dh;
  if (p->t >= 0) {
    expect(p, step_of(s, s->dy, p->t));
  }
  if (is_last(p)) {
    take_dh(p, dh);
  } else {
    clear(dh, p->columns);
    pull(p, s->wht, rows, s->dgates, rows, p->t + 1, dh);
  }
  if (p->t < 0) give_dh(p, dh);
  else if (p->units == WIDTH) lstm_slopes_on(p, WIDTH, dh);
  else lstm_slopes_on(p, p->units, dh);
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
  vf db[3][2] = {}, dbh[2] = {};
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
      db[0][i / LANES] += dreset;
      db[1][i / LANES] += d.update;
      db[2][i / LANES] += d.candidate;
      dbh[i / LANES] += dproduct;
    }
  add_biases(p, 0, 3, db, units);
  for (int half = 0; s->dbh && half < 2; half++)
    add_bias(s->dbh + p->unit + half * LANES, dbh[half], units - half * LANES);
}

static void gru_slope(const patch *p) {
  const recur_sequence *s = p->s;
  int64_t rows = 3 * (int64_t)s->units;
  tile dh;
  if (p->t >= 0) {
    expect(p, step_of(s, s->dy, p->t));
    expect(p, step_of(s, s->h, p->t));
  }
  take_dh(p, dh);
  if (!is_last(p)) pull(p, s->wht, rows, s->drecurrent, rows, p->t + 1, dh);
  if (p->t < 0) give_dh(p, dh);
  else if (p->units == WIDTH) gru_slopes_on(p, WIDTH, dh);
  else gru_slopes_on(p, p->units, dh);
}

INLINE void gruv3_candidate_slopes_on(const patch *p, int64_t units, const float *dh) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t), *dy = step_of(s, s->dy, p->t);
  const float *updates = gate_of(p, 1), *candidates = gate_of(p, 2);
  vf db[2][2] = {};
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
      db[0][i / LANES] += d.update;
      db[1][i / LANES] += d.candidate;
    }
  add_biases(p, 1, 2, db, units);
}

static void gruv3_candidate_slope(const patch *p) {
  const recur_sequence *s = p->s;
  int64_t units = s->units;
  tile dh;
  if (p->t >= 0) {
    expect(p, step_of(s, s->dy, p->t));
    expect(p, step_of(s, s->h, p->t));
  }
  take_dh(p, dh);
  if (!is_last(p)) pull(p, s->wht, 2 * units, s->dgates, 3 * units, p->t + 1, dh);
  if (p->t < 0) give_dh(p, dh);
  else if (p->units == WIDTH) gruv3_candidate_slopes_on(p, WIDTH, dh);
  else gruv3_candidate_slopes_on(p, p->units, dh);
}

INLINE void gruv3_reset_slopes_on(const patch *p, int64_t units, const float *dqs) {
  const recur_sequence *s = p->s;
  const float *h = step_of(s, s->h, p->t), *resets = gate_of(p, 0);
  vf db[1][2] = {};
  for (int j = 0; j < p->columns; j++)
    for (int i = 0; i < WIDTH; i += LANES) {
      int64_t here = at(p, j) + i, in_tile = j * WIDTH + i, n = units - i;
      vf reset = load(resets + in_tile), dq = load(dqs + in_tile);
      vf d = dq * load_part(h + here, n) * reset * (1.0f - reset);
      store_part(s->dh + here, load_part(s->dh + here, n) + dq * reset, n);
      store_part(s->dgates + stacked(p, 0, 3, j) + i, d, n);
      keep(p, 0, in_tile, d);
      db[0][i / LANES] += d;
    }
  add_biases(p, 0, 1, db, units);
}

static void gruv3_reset_slope(const patch *p) {
  const recur_sequence *s = p->s;
  int64_t units = s->units;
  tile dq;
  clear(dq, p->columns);
  pull(p, s->wct, units, s->dgates + 2 * units, 3 * units, p->t, dq);
  if (p->units == WIDTH) gruv3_reset_slopes_on(p, WIDTH, dq);
  else gruv3_reset_slopes_on(p, p->units, dq);
}

/* Gradients of the weights, where they are made of tiles: a part's own rows, a run of steps at a time.
 * The columns of x are first packed in strips of up to COLUMNS features, column after column. */

enum { STRIPS = 1 << 16 }; /* floats of packed x, half of a second-level cache; see strip_room */

/* Does something for strip i of `terms` features, whose width the compiler is to know. */
#define BY_WIDTH(terms, i, strips, CALL)                        \
  switch ((terms) * ((i) + 1) / (strips) - (terms) * (i) / (strips)) { \
    case 1: CALL(1); break;                                     \
    case 2: CALL(2); break;                                     \
    case 3: CALL(3); break;                                     \
    case 4: CALL(4); break;                                     \
    case 5: CALL(5); break;                                     \
    case 6: CALL(6); break;                                     \
    case 7: CALL((7 <= COLUMNS ? 7 : 1)); break;                \
    case 8: CALL((8 <= COLUMNS ? 8 : 1)); break;                \
  }

static int64_t strip_count(int64_t terms) { return (terms + COLUMNS - 1) / COLUMNS; }

static void pack_strips(const float *x, int64_t terms, int64_t columns, float *packed) {
  int64_t strips = strip_count(terms);
  for (int64_t i = 0; i < strips; i++) {
    const float *from = x + terms * i / strips;
    float *to = packed + terms * i / strips * columns;
#define PACK(n) \
  for (int64_t k = 0; k < columns; k++) memcpy(to + k * (n), from + k * terms, sizeof(float) * (n))
    BY_WIDTH(terms, i, strips, PACK)
#undef PACK
  }
}

/* dw (WIDTH rows, n columns) += d x' over steps from..to, d the tile of a gate in a block. */
INLINE void add_strip(int n, const recur_sequence *s, int64_t block, int tile, const float *x,
    int64_t from, int64_t to, float *dw, int64_t ldw) {
  vf sum[COLUMNS][2];
  int64_t rows = s->units - block * WIDTH;
  for (int j = 0; j < n; j++)
    for (int half = 0; half < 2; half++)
      sum[j][half] = load_part(dw + j * ldw + half * LANES, rows - half * LANES);
  int64_t stride = dstride(s);
  for (int column = 0; column < s->batch; column += TILE) {
    int columns = s->batch - column < TILE ? s->batch - column : TILE;
    const float *d = dtile_of(s, from, column, columns, block) + (int64_t)tile * columns * WIDTH;
    const float *its = x + column * n;
    for (int64_t t = from; t < to; t++, d += stride, its += s->batch * n)
      for (int k = 0; k < columns; k++) {
        vf low = load(d + k * WIDTH), high = load(d + k * WIDTH + LANES);
        for (int j = 0; j < n; j++) {
          vf value = all(its[k * n + j]);
          sum[j][0] += low * value;
          sum[j][1] += high * value;
        }
      }
  }
  for (int j = 0; j < n; j++)
    for (int half = 0; half < 2; half++)
      store_part(dw + j * ldw + half * LANES, sum[j][half], rows - half * LANES);
}

static void add_strips(const recur_sequence *s, int64_t block, int tile, const float *packed,
    int64_t terms, int64_t from, int64_t to, float *dw, int64_t ldw) {
  int64_t strips = strip_count(terms), columns = (to - from) * s->batch;
  for (int64_t i = 0; i < strips; i++) {
    int64_t j = terms * i / strips;
#define ADD(n) add_strip(n, s, block, tile, packed + j * columns, from, to, dw + j * ldw, ldw)
    BY_WIDTH(terms, i, strips, ADD)
#undef ADD
  }
}

/* dw += the gradients of `gates` gates times x'; x: terms x B x T. */
static void add_weights(const recur_sequence *s, int gates, const int *tiles, const float *x,
    int64_t terms, float *dw, int part, int parts) {
  if (!dw) return;
  int64_t all = blocks(s->units), size = (int64_t)s->batch * terms;
  int64_t steps = s->batch < TERMS ? TERMS / s->batch : 1;
  if (steps * size > STRIPS) steps = STRIPS / size ? STRIPS / size : 1;
  float *packed = s->dtiles + dstride(s) * s->time + part * strip_room(s);
  for (int64_t from = 0; from < s->time; from += steps) {
    int64_t to = from + steps < s->time ? from + steps : s->time;
    pack_strips(x + from * size, terms, (to - from) * s->batch, packed);
    for (int64_t block = part_begin(all, part, parts); block < part_begin(all, part + 1, parts); block++)
      for (int g = 0; g < gates; g++)
        add_strips(s, block, tiles[g], packed, terms, from, to, dw + g * s->units + block * WIDTH,
            (int64_t)gates * s->units);
  }
}

static void add_all_weights(const recur_sequence *s, int part, int parts) {
  static const int own[] = {0, 1, 2, 3}, candidate[] = {2}, products[] = {0, 1, 3};
  int gates = gate_count(s);
  if (!s->table) add_weights(s, gates, own, s->x, s->in, s->dwi, part, parts);
  add_weights(s, s->cell == RECUR_GRUV3 ? 2 : gates, s->cell == RECUR_GRU ? products : own, s->h, s->units,
      s->dwh, part, parts);
  add_weights(s, 1, candidate, s->q, s->units, s->dwc, part, parts);
}

/* One-hot input: each column of gradients goes to the column of Wi that its x had taken. */
static void scatter_on(const patch *p, int64_t units) {
  const recur_sequence *s = p->s;
  int gates = gate_count(s);
  for (int j = 0; j < p->columns; j++) {
    float *to = s->dwi + (int64_t)s->index[p->t * s->batch + p->column + j] * gates * s->units + p->unit;
    for (int g = 0; g < gates; g++)
      for (int i = 0; i < WIDTH; i += LANES)
        store_part(to + g * s->units + i,
            load_part(to + g * s->units + i, units - i)
                + load(p->dtile + ((int64_t)g * p->columns + j) * WIDTH + i), units - i);
  }
}
WHOLE_AND_REST(scatter)

static void backward(const void *job, int64_t number, int part, int parts) {
  const recur_sequence *s = ((const sequence_job *)job)->s;
  claim *claims = claims_of(job, number, part, parts);
  int64_t t = s->time - 1 - (s->cell == RECUR_GRUV3 ? number / 2 : number);
  int second = s->cell == RECUR_GRUV3 && number % 2;
  if (t < -1 || (second && t < 0)) {
    add_all_weights(s, part, parts);
    return;
  }
  patch_kernel *then = t >= 0 && s->dwi && s->table ? scatter : NULL;
  switch (s->cell) {
    case RECUR_RNN: over_patches(s, t, claims, part, parts, rnn_slope, then); break;
    case RECUR_LSTM: over_patches(s, t, claims, part, parts, lstm_slope, then); break;
    case RECUR_GRU: over_patches(s, t, claims, part, parts, gru_slope, then); break;
    default:
      if (second) over_patches(s, t, claims, part, parts, gruv3_reset_slope, then);
      else over_patches(s, t, claims, part, parts, gruv3_candidate_slope, NULL);
  }
}

const kernels NAME(kernels) = {.width = WIDTH, .projects_all = projects_all, .pack = pack, .forward = forward, .backward = backward,
    .pointwise = NAME(pointwise), .columns = NAME(columns), .update = NAME(update)};
