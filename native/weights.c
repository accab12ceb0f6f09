/* Gradients of the biases, and of the weights where they are made of panels: a part's own rows, some terms at a time, a
 * term being a column of a step. */
#include "patches.h"
#include "strips.h"
#include "sums.h"

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
