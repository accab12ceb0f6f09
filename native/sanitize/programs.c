/* Runs of programs of recur.h: each instruction, in passes whose phases wait for each other, with and without a phase
 * before the steps, and in free ones, which work on several steps at once. */
#include "../cuda/binary.h"
#include "../cuda/elementwise.h"
#include "harness.h"

#include <string.h>

/* Arrays: x and dy as matrices, states, values in tiles, gradients, outputs, a copy of x, the gradient of the first
 * state, a hidden one. */
enum { X, H, DY, TILES, D, Y, Z, DH, ARRAYS };
enum { MOST_TILES = 4, SECTIONS = 8, PRODUCTS = 5, PLACES = 4, PLACED = -2 /* the tile of a section's place */ };

typedef struct {
  recur_instruction codes[128];
  recur_multiplication products[PRODUCTS];
  recur_place places[PLACES];
  recur_section sections[SECTIONS];
  recur_phase phases[SECTIONS];
  recur_pass passes[4];
  recur_weights weights;
  recur_reduction reductions[4];
  recur_kept kept[2]; /* the second one has sums over steps */
  recur_gradient gradients[3];
  int32_t tiles[5];
  recur_hidden hidden;
  recur_program program;
  int32_t blocks; /* of rows */
  int codes_used, sections_used;
} parts;

static void add(parts *p, recur_instruction code) { p->codes[p->codes_used++] = code; }

static int code_at(const parts *p) { return p->codes_used; }

/* Ends a group of instructions from `first` on, of which each but products works on some columns after the others, and
 * returns how many they are. */
static int group(parts *p, int first) {
  for (int i = p->codes_used - 1, length = 0; i >= first; i--)
    p->codes[i].length = length = p->codes[i].code == RECUR_PRODUCT || p->codes[i].code == RECUR_EXPECT ? 0 : length + 1;
  return p->codes_used - first;
}

/* Adds a section, and a phase of it alone. */
static int section(parts *p, recur_section its) {
  p->sections[p->sections_used] = its;
  p->phases[p->sections_used] = (recur_phase){p->sections_used, 1};
  return p->sections_used++;
}

static int end_section(parts *p, int first, int rows, int is_free, int place, int places) {
  return section(p, (recur_section){.rows = rows, .first = first, .after = group(p, first), .is_free = is_free,
      .first_place = place, .places = places});
}

/* Tile 0 += all that can be added to it. */
static void compute(caller *c, parts *p) {
  int32_t f = (int32_t)between(c, 0, ELEMENTWISE_COUNT - 1), g = (int32_t)between(c, 0, BINARY_COUNT - 1);
  add(p, (recur_instruction){.code = RECUR_LOAD_VECTOR, .to = 1, .row = (int32_t)between(c, -2, 2)});
  add(p, (recur_instruction){.code = RECUR_COMBINE, .function = g, .to = 1, .a = 0, .b = 1});
  add(p, (recur_instruction){.code = RECUR_MAP, .function = f, .to = 2, .a = 1});
  add(p, (recur_instruction){.code = RECUR_DERIVATIVE, .function = f, .to = 1, .a = 0, .b = 1, .c = 2});
  add(p, (recur_instruction){.code = RECUR_FUSED, .function = (int32_t)between(c, 0, 4), .to = 0, .a = 0, .b = 1, .c = 2});
  add(p, (recur_instruction){.code = RECUR_AFFINE, .to = 0, .a = 0, .p = 0.5f, .q = 0.25f});
  add(p, (recur_instruction){.code = RECUR_LOAD_SCALAR, .to = 1});
  add(p, (recur_instruction){.code = RECUR_COPY, .to = 2, .a = 1});
  add(p, (recur_instruction){.code = RECUR_CONSTANT, .to = 2, .p = 2});
  add(p, (recur_instruction){.code = RECUR_DROP, .to = 0, .a = 0, .b = 3, .p = 0.3f});
}

static int forward_section(caller *c, parts *p, int rows) {
  int first = code_at(p);
  add(p, (recur_instruction){.code = RECUR_EXPECT, .array = H});
  add(p, (recur_instruction){.code = RECUR_CLEAR, .to = 0});
  add(p, (recur_instruction){.code = RECUR_PRODUCT, .array = 0});
  add(p, (recur_instruction){.code = RECUR_GATHER, .to = 0, .a = 0});
  compute(c, p);
  add(p, (recur_instruction){.code = RECUR_LOAD_VECTOR, .function = 1, .to = PLACED, .row = (int32_t)between(c, -2, 2)});
  add(p, (recur_instruction){.code = RECUR_FUSED, .to = 0, .a = 0, .b = PLACED, .c = 2});
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = 1, .array = H, .row = (int32_t)between(c, -1, 1)});
  add(p, (recur_instruction){.code = RECUR_LOAD_ROW, .to = 2, .array = H, .row = rows - 1});
  for (int k = 0; k < 4; k++) add(p, (recur_instruction){.code = RECUR_REDUCE, .a = k % 3, .array = k, .row = k * p->blocks});
  add(p, (recur_instruction){.code = RECUR_GIVE, .a = 0, .array = TILES});
  return end_section(p, first, rows, 0, 3, 1);
}

static void add_of_row(parts *p, recur_instruction code) {
  code.function += RECUR_ROW;
  add(p, code);
}

/* Tile 1 = what rows can give. */
static void compute_rows(caller *c, parts *p, int rows) {
  int32_t f = (int32_t)between(c, 0, ELEMENTWISE_COUNT - 1), g = (int32_t)between(c, 0, BINARY_COUNT - 1);
  for (int k = 0; k < 4; k++)
    add_of_row(p, (recur_instruction){.code = RECUR_REDUCED, .to = 1, .array = k, .row = k * p->blocks});
  add_of_row(p, (recur_instruction){.code = RECUR_LOAD_ROW, .to = 2, .array = H, .row = rows - 1});
  add_of_row(p, (recur_instruction){.code = RECUR_COMBINE, .function = g, .to = 2, .a = 1, .b = 2});
  add_of_row(p, (recur_instruction){.code = RECUR_MAP, .function = f, .to = 3, .a = 2});
  add_of_row(p, (recur_instruction){.code = RECUR_DERIVATIVE, .function = f, .to = 2, .a = 1, .b = 2, .c = 3});
  add_of_row(p, (recur_instruction){.code = RECUR_DERIVATIVE_OF_PRODUCT, .function = f, .to = 2, .a = 1, .b = 2, .c = 3});
  add_of_row(p, (recur_instruction){.code = RECUR_LOAD_SCALAR, .to = 3});
  add_of_row(p, (recur_instruction){.code = RECUR_FUSED, .function = (int32_t)between(c, 0, 4), .to = 2, .a = 1,
      .b = 2, .c = 3});
  add_of_row(p, (recur_instruction){.code = RECUR_CONSTANT, .to = 3, .p = 2});
  add_of_row(p, (recur_instruction){.code = RECUR_AFFINE, .to = 3, .a = 3, .p = 0.5f, .q = 0.25f});
  add(p, (recur_instruction){.code = RECUR_SPREAD, .to = 1, .a = 2});
}

/* What its rows give is computed for one block and read by all. */
static int second_section(caller *c, parts *p, int rows) {
  int first = code_at(p);
  compute_rows(c, p, rows);
  int before = group(p, first), last = code_at(p);
  add(p, (recur_instruction){.code = RECUR_TAKE, .to = 0, .array = TILES});
  for (int k = 0; k < 4; k++)
    add(p, (recur_instruction){.code = RECUR_REDUCED, .to = 2, .array = k, .row = k * p->blocks});
  add(p, (recur_instruction){.code = RECUR_FUSED, .to = 0, .a = 0, .b = 1, .c = 2});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = 0, .array = H, .lag = 1});
  return section(p, (recur_section){.rows = rows, .first = first, .before = before, .after = group(p, last)});
}

static int backward_section(caller *c, parts *p, int rows, int place) {
  int first = code_at(p);
  int32_t d = place ? PLACED : 3;
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = d, .array = DY});
  add(p, (recur_instruction){.code = RECUR_PRODUCT, .array = 1});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = d, .array = D, .row = (int32_t)between(c, -1, 1)});
  add(p, (recur_instruction){.code = RECUR_SCATTER, .a = d});
  if (!place) add(p, (recur_instruction){.code = RECUR_KEEP, .a = d});
  add(p, (recur_instruction){.code = RECUR_KEEP, .function = (int32_t)between(c, 1, 2), .a = d, .b = d, .array = 1});
  return end_section(p, first, rows, 0, 0, place);
}

/* In front of all steps: a product with x, several steps in a tile, and in a second phase what reduces it. */
static int early_sections(parts *p, int rows) {
  int first = code_at(p);
  add(p, (recur_instruction){.code = RECUR_CLEAR, .to = PLACED});
  add(p, (recur_instruction){.code = RECUR_PRODUCT, .array = 2});
  for (int k = 0; k < 4; k++)
    add(p, (recur_instruction){.code = RECUR_REDUCE, .a = PLACED, .array = k, .row = k * p->blocks});
  int begin = end_section(p, first, rows, 1, 1, 1), second = code_at(p);
  for (int k = 0; k < 4; k++) {
    add(p, (recur_instruction){.code = RECUR_REDUCED, .to = 0, .array = k, .row = k * p->blocks});
    add_of_row(p, (recur_instruction){.code = RECUR_REDUCED, .to = 1, .array = k, .row = k * p->blocks});
  }
  add(p, (recur_instruction){.code = RECUR_SPREAD, .to = 2, .a = 1});
  add(p, (recur_instruction){.code = RECUR_FUSED, .to = 0, .a = 0, .b = 2, .c = PLACED});
  add(p, (recur_instruction){.code = RECUR_GIVE, .a = 0, .array = TILES});
  end_section(p, second, rows, 1, 1, 1);
  return begin;
}

/* Whose blocks run all steps: `before` and `after` several at once, between them what one step leaves to the next. */
static int free_forward(caller *c, parts *p, int rows) {
  int first = code_at(p);
  int32_t f = (int32_t)between(c, 0, ELEMENTWISE_COUNT - 1), g = (int32_t)between(c, 0, BINARY_COUNT - 1);
  int32_t sign = (int32_t)between(c, 0, 2);
  add(p, (recur_instruction){.code = RECUR_CLEAR, .to = 0});
  add(p, (recur_instruction){.code = RECUR_CLEAR, .to = 3});
  add(p, (recur_instruction){.code = RECUR_PRODUCT, .array = 3});
  add(p, (recur_instruction){.code = RECUR_GATHER, .to = 0, .a = 0});
  add(p, (recur_instruction){.code = RECUR_LOAD_VECTOR, .to = 1, .row = (int32_t)between(c, -2, 2)});
  add(p, (recur_instruction){.code = RECUR_COMBINE, .function = g, .to = 0, .a = 0, .b = 1});
  int before = group(p, first), middle = code_at(p);
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = 1, .array = H});
  add(p, (recur_instruction){.code = RECUR_FUSED, .function = sign, .to = 0, .a = 0, .b = 1, .c = 3});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = 0, .array = H, .lag = 1});
  int recurrent = group(p, middle), last = code_at(p);
  add(p, (recur_instruction){.code = RECUR_MAP, .function = f, .to = PLACED, .a = 0});
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = 1, .array = X, .row = (int32_t)between(c, -2, 2)});
  add(p, (recur_instruction){.code = RECUR_LOAD_ROW, .to = 3, .array = X});
  add(p, (recur_instruction){.code = RECUR_FUSED, .to = 1, .a = 1, .b = PLACED, .c = 3});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = 1, .array = Y});
  return section(p, (recur_section){.rows = rows, .first = first, .before = before, .recurrent = recurrent,
      .after = group(p, last), .is_free = 1, .first_place = 2, .places = 1});
}

static int free_backward(caller *c, parts *p, int rows, int place) {
  int first = code_at(p);
  int32_t d = place ? PLACED : 3;
  int32_t f = (int32_t)between(c, 0, ELEMENTWISE_COUNT - 1);
  add(p, (recur_instruction){.code = RECUR_TAKE, .to = 1, .array = TILES});
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = d, .array = DY});
  add(p, (recur_instruction){.code = RECUR_DERIVATIVE, .function = f, .to = d, .a = d, .b = 1, .c = 1});
  int before = group(p, first), middle = code_at(p);
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = 2, .array = D, .lag = 1});
  add(p, (recur_instruction){.code = RECUR_COMBINE, .to = d, .a = d, .b = 2});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = d, .array = D});
  int recurrent = group(p, middle), last = code_at(p);
  add(p, (recur_instruction){.code = RECUR_SCATTER, .a = d});
  add(p, (recur_instruction){.code = RECUR_CLEAR, .to = 0});
  add(p, (recur_instruction){.code = RECUR_PRODUCT, .array = 4});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = 0, .array = Y});
  if (!place) add(p, (recur_instruction){.code = RECUR_KEEP, .a = d});
  return section(p, (recur_section){.rows = rows, .first = first, .before = before, .recurrent = recurrent,
      .after = group(p, last), .is_free = 1, .places = place});
}

/* Of other rows than its neighbour in the phase. */
static int copy_section(parts *p, int from, int to, int rows, int lag, int is_free) {
  int first = code_at(p);
  add(p, (recur_instruction){.code = RECUR_LOAD, .to = 0, .array = from, .lag = lag});
  add(p, (recur_instruction){.code = RECUR_STORE, .a = 0, .array = to});
  return end_section(p, first, rows, is_free, 0, 0);
}

/* Forward in two phases that wait for each other, or in one that is free. */
static void passes(caller *c, parts *p, int rows, int in, int64_t padded) {
  int is_free = one_in(c, 2), place = one_in(c, 2), early = early_sections(p, rows);
  int end = copy_section(p, D, DH, rows, 1, 0);
  int first = is_free ? free_forward(c, p, rows) : forward_section(c, p, rows);
  int second = is_free ? copy_section(p, X, Z, in, 0, 1) : second_section(c, p, rows);
  int back = is_free ? free_backward(c, p, rows, place) : backward_section(c, p, rows, place);
  p->tiles[1] = place ? PLACED : 3;
  if (is_free) p->phases[first].sections = 2;
  p->passes[0] = (recur_pass){.first = first, .phases = is_free ? 1 : second - first + 1, .is_free = is_free,
      .cuts = one_in(c, 2), .is_far = one_in(c, 2), .work = 1 << 12};
  p->passes[1] = p->passes[0];
  p->passes[1].aside = early;
  p->passes[1].asides = 2;
  p->passes[2] = (recur_pass){.first = back, .phases = 1, .end = end, .ends = 1, .is_free = is_free, .work = 1 << 12,
      .gradients = is_free ? 2 : 3, .kept_rows = 2 * padded};
  p->passes[3] = p->passes[2];
  p->passes[3].aside = early;
  p->passes[3].asides = 2;
}

static void describe(caller *c, parts *p, int rows, int in, int classes, int64_t padded, int32_t blocks) {
  memset(p, 0, sizeof *p);
  p->products[0] = (recur_multiplication){.packed = 0, .panels = 1, .terms = rows, .operand = H};
  p->products[1] = (recur_multiplication){.packed = 0, .panels = 1, .terms = rows, .operand = D, .lag = 1, .skips_first = 1};
  p->products[2] = (recur_multiplication){.packed = 1, .panels = 1, .terms = in, .operand = X};
  p->products[3] = (recur_multiplication){.packed = 2, .panels = 2, .terms = in, .operand = X, .first = 2};
  p->products[4] = (recur_multiplication){.packed = 0, .panels = 1, .terms = rows, .operand = DY};
  p->tiles[3] = 3; /* of product 3: 0 and 3 */
  p->tiles[4] = PLACED;
  p->products[1].first = 1;
  p->products[2].first = 4;
  p->places[0] = (recur_place){.kind = 1};
  p->places[1] = (recur_place){.number = ARRAYS};
  p->places[2] = (recur_place){.number = TILES};
  p->places[3] = (recur_place){.kind = 2};
  p->blocks = blocks;
  passes(c, p, rows, in, padded);
  p->weights = (recur_weights){.rows = rows, .columns = classes};
  for (int k = 0; k < 4; k++) p->reductions[k] = (recur_reduction){.kind = k, .rows = rows};
  int is_free = p->passes[2].is_free;
  p->kept[0] = (recur_kept){.rows = rows};
  p->kept[1] = (recur_kept){.rows = rows, .before = padded};
  p->gradients[0] = (recur_gradient){.row = (int32_t)between(c, -1, 1), .operand = -1, .is_shared = is_free ? one_in(c, 2) : 1};
  p->gradients[1] = (recur_gradient){.parameter = 1, .operand = H};
  p->gradients[2] = (recur_gradient){.kept = 1, .operand = -2, .is_shared = 1};
  p->hidden = (recur_hidden){rows, one_in(c, 2) ? TILES : -1, one_in(c, 2)};
  p->program = (recur_program){.instructions = p->codes, .products = p->products, .tiles = p->tiles, .places = p->places,
      .sections = p->sections, .phases = p->phases, .passes = p->passes, .weights = &p->weights,
      .reductions = p->reductions, .kept = p->kept, .gradients = p->gradients, .weight_gradients = rows * rows,
      .reduction_count = 4, .draws = 1, .arrays = ARRAYS, .hidden = 1,
      .hidden_arrays = &p->hidden, .most_tiles = MOST_TILES, .most_places = 1, .most_terms = rows};
}

static float *packed_gates(caller *c, recur *r, int64_t gates, int64_t units, int64_t terms) {
  float *to = aligned(c, CALL(packed, r, gates, units, terms));
  for (int64_t gate = 0; gate < gates; gate++)
    CALL(pack, r, gates, gate, units, terms, floats(c, units * terms), 1, units, to);
  return to;
}

void some_program(caller *c, recur *r) {
  parts p;
  int large = one_in(c, 4), rows = (int)between(c, 1, large ? 130 : 40), in = (int)between(c, 1, 30);
  int64_t batch = between(c, 1, large ? 65 : 12), time = between(c, 1, large ? 8 : 30), classes = between(c, 1, 20);
  int64_t padded = CALL(packed, r, 1, rows, 1);
  int32_t blocks = (int32_t)(padded / CALL(packed, r, 1, 1, 1));
  describe(c, &p, rows, in, (int)classes, padded, blocks);
  recur_array arrays[ARRAYS + 1] = {[X] = {floats(c, in * batch * time), time, in},
      [H] = {floats(c, rows * batch * (time + 1)), time + 1, rows}, [DY] = {floats(c, rows * batch * time), time, rows},
      [TILES] = {aligned(c, padded * batch * time), time, rows}, [D] = {floats(c, rows * batch * 2), 2, rows},
      [Y] = {maybe(c, rows * batch * time), time, rows}, [Z] = {floats(c, in * batch), 1, in},
      [DH] = {maybe(c, rows * batch), 1, rows}};
  recur_parameter vector = {floats(c, rows), maybe(c, rows), maybe(c, rows), rows};
  recur_parameter matrices[] = {{floats(c, rows * classes), maybe(c, rows * classes), maybe(c, rows * classes), rows},
      {NULL, maybe(c, rows * rows), NULL, rows}};
  const float *packed[] = {packed_gates(c, r, 1, rows, rows), packed_gates(c, r, 1, rows, in),
      packed_gates(c, r, 2, rows, in)};
  recur_run run = {.program = &p.program, .batch = batch, .time = time, .arrays = arrays, .vectors = &vector,
      .matrices = matrices, .packed = packed, .index = indexes(c, batch * time, classes)};
  for (int backward = 0; backward < 2; backward++) {
    run.scratch = aligned(c, CALL(run_scratch, r, &p.program, batch, time, backward));
    if (backward) CALL(run_backward, r, &run);
    else CALL(run_forward, r, &run);
  }
}
