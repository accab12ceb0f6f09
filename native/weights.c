/* Gradients of the biases, and of the weights where they are made of panels: a part's own rows, some terms at a time, a
 * term being a column of a step. The columns of x are first packed in strips of up to COLUMNS
 * features, term after term. */
#include "patches.h"
#include "sums.h"

/* Terms that are summed up in registers before they are added to the gradient: the roundings of a sum over a
 * million terms are shared out between the two. */
enum { MOST_TERMS = 1024 };

static int64_t strip_count(int64_t features) { return (features + COLUMNS - 1) / COLUMNS; }

static void pack_strips(const float *x, int64_t features, int64_t terms, float *packed) {
  int64_t strips = strip_count(features);
  for (int64_t i = 0; i < strips; i++) {
    const float *from = x + features * i / strips;
    float *to = packed + features * i / strips * terms;
#define PACK(n) \
  for (int64_t k = 0; k < terms; k++) memcpy(to + k * (n), from + k * features, sizeof(float) * (n))
    BY_WIDTH(features * (i + 1) / strips - features * i / strips, PACK)
#undef PACK
  }
}

/* dw (WIDTH rows of which `rows` exist, n columns) += panel x'. */
INLINE void add_strip(int n, const float *panel, int64_t terms, const float *x, int64_t rows, float *dw,
    int64_t ldw) {
  vf sum[COLUMNS][2] = {};
  for (int64_t k = 0; k < terms; k++) {
    vf low = load(panel + k * WIDTH), high = load(panel + k * WIDTH + LANES);
    for (int j = 0; j < n; j++) {
      vf value = splat(x[k * n + j]);
      sum[j][0] += low * value;
      sum[j][1] += high * value;
    }
  }
  for (int j = 0; j < n; j++)
    for (int half = 0; half < 2; half++) {
      float *to = dw + j * ldw + half * LANES;
      store_part(to, load_part(to, rows - half * LANES) + sum[j][half], rows - half * LANES);
    }
}

/* The same of all strips. Meanwhile it asks for the next panel, which nobody has read since it was
 * written. */
static void add_strips(const float *panel, const float *next, int64_t features, int64_t terms,
    const float *packed, int64_t rows, float *dw, int64_t ldw) {
  int64_t strips = strip_count(features), size = terms * WIDTH;
  for (int64_t i = 0; i < strips; i++) {
    int64_t j = features * i / strips;
    for (int64_t ahead = size * i / strips; ahead < size * (i + 1) / strips; ahead += 16)
      __builtin_prefetch(next + ahead);
#define ADD(n) add_strip(n, panel, terms, packed + j * terms, rows, dw + j * ldw, ldw)
    BY_WIDTH(features * (i + 1) / strips - j, ADD)
#undef ADD
  }
}

/* dw += the gradients of `gates` gates times x'; x: features x terms. */
static void add_matrix(const recur_sequence *s, int gates, const int *tiles, const float *x,
    int64_t features, int64_t terms, float *dw, int part, int parts) {
  if (!dw) return;
  int64_t all = blocks(s->units), room = strip_room(s) / features, most = room < MOST_TERMS ? room : MOST_TERMS;
  float *packed = dpanel_of(s, all, 0) + part * strip_room(s);
  for (int64_t from = 0; from < terms; from += most) {
    int64_t few = terms - from < most ? terms - from : most;
    pack_strips(x + from * features, features, few, packed);
    for (int64_t i = part_begin(all * gates, part, parts); i < part_begin(all * gates, part + 1, parts); i++) {
      int64_t block = i / gates;
      int g = i % gates;
      const float *panel = dpanel_of(s, block, tiles[g]) + from * WIDTH;
      const float *next = g + 1 < gates ? dpanel_of(s, block, tiles[g + 1]) : dpanel_of(s, block + 1, tiles[0]);
      add_strips(panel, next + from * WIDTH, features, few, packed, s->units - block * WIDTH,
          dw + g * s->units + block * WIDTH, (int64_t)gates * s->units);
    }
  }
}

INLINE float *beside(float *carry, int64_t at) { return carry ? carry + at : NULL; }

/* db and dbh += the sums of the panels. */
static void add_biases_of_run(const recur_sequence *s, int64_t terms, int part, int parts) {
  int64_t all = blocks(s->units);
  for (int64_t block = part_begin(all, part, parts); block < part_begin(all, part + 1, parts); block++) {
    int64_t unit = block * WIDTH, rows = s->units - unit < WIDTH ? s->units - unit : WIDTH;
    for (int g = 0; s->db && g < gate_count(s); g++) {
      int64_t at = g * (int64_t)s->units + unit;
      NAME(add_sum)(rows, terms, dpanel_of(s, block, g), WIDTH, s->db + at, beside(s->b_carry, at));
    }
    if (s->dbh)
      NAME(add_sum)(rows, terms, dpanel_of(s, block, 3), WIDTH, s->dbh + unit, beside(s->bh_carry, unit));
  }
}

/* y += a part's rows of the sums of all columns of x. */
static void add_rows(int64_t rows, const float *x, int64_t ld, int64_t columns, float *y, float *carry,
    int part, int parts) {
  int64_t all = (rows + WIDTH - 1) / WIDTH;
  int64_t from = part_begin(all, part, parts) * WIDTH, to = part_begin(all, part + 1, parts) * WIDTH;
  if (to > rows) to = rows;
  if (from < to) NAME(add_sum)(to - from, columns, x + from, ld, y + from, beside(carry, from));
}

void NAME(add_biases)(const recur_sequence *s, int part, int parts) {
  int64_t rows = gate_count(s) * (int64_t)s->units, columns = s->time * (int64_t)s->batch;
  if (s->db) add_rows(rows, s->dgates, rows, columns, s->db, s->b_carry, part, parts);
  if (s->dbh)
    add_rows(s->units, s->drecurrent + 2 * (int64_t)s->units, rows, columns, s->dbh, s->bh_carry, part, parts);
}

void NAME(add_weights)(const recur_sequence *s, int64_t from, int64_t to, int part, int parts) {
  static const int own[] = {0, 1, 2, 3}, candidate[] = {2}, products[] = {0, 1, 3};
  int gates = gate_count(s);
  int64_t column = from * s->batch, terms = (to - from) * s->batch, first = column * s->units;
  if (!s->table) add_matrix(s, gates, own, s->x + column * s->in, s->in, terms, s->dwi, part, parts);
  add_matrix(s, s->cell == RECUR_GRUV3 ? 2 : gates, s->cell == RECUR_GRU ? products : own, s->h + first,
      s->units, terms, s->dwh, part, parts);
  add_matrix(s, 1, candidate, s->q ? s->q + first : NULL, s->units, terms, s->dwc, part, parts);
  add_biases_of_run(s, terms, part, parts);
}
