/* Gradients of the weights, where they are made of tiles: a part's own rows, a run of steps at a time.
 * The columns of x are first packed in strips of up to COLUMNS features, column after column. */
#include "patches.h"

enum { STRIPS = 1 << 16 }; /* floats of packed x, half of a second-level cache; see strip_room */

static int64_t strip_count(int64_t terms) { return (terms + COLUMNS - 1) / COLUMNS; }

static void pack_strips(const float *x, int64_t terms, int64_t columns, float *packed) {
  int64_t strips = strip_count(terms);
  for (int64_t i = 0; i < strips; i++) {
    const float *from = x + terms * i / strips;
    float *to = packed + terms * i / strips * columns;
#define PACK(n) \
  for (int64_t k = 0; k < columns; k++) memcpy(to + k * (n), from + k * terms, sizeof(float) * (n))
    BY_WIDTH(terms * (i + 1) / strips - terms * i / strips, PACK)
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
    BY_WIDTH(terms * (i + 1) / strips - j, ADD)
#undef ADD
  }
}

/* dw += the gradients of `gates` gates times x'; x: terms x B x T. */
static void add_matrix(const recur_sequence *s, int gates, const int *tiles, const float *x,
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

void NAME(add_weights)(const recur_sequence *s, int part, int parts) {
  static const int own[] = {0, 1, 2, 3}, candidate[] = {2}, products[] = {0, 1, 3};
  int gates = gate_count(s);
  if (!s->table) add_matrix(s, gates, own, s->x, s->in, s->dwi, part, parts);
  add_matrix(s, s->cell == RECUR_GRUV3 ? 2 : gates, s->cell == RECUR_GRU ? products : own, s->h, s->units,
      s->dwh, part, parts);
  add_matrix(s, 1, candidate, s->q, s->units, s->dwc, part, parts);
}
