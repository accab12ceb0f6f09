/* The work of a step is cut into patches: a block of units and a run of columns, whose gates lie in
 * tiles of their own. */
#ifndef RECUR_PATCHES_H
#define RECUR_PATCHES_H
#include "panels.h"
#include "sequences.h"

/* A block of units and a run of columns at one step. */
typedef struct {
  const recur_sequence *s;
  int64_t t, block, unit; /* unit: the block's first */
  int64_t units;          /* how many of the block exist, 1 to WIDTH */
  int column, columns;
  int room;               /* columns that the tiles of a gate have room for: of this and of other patches */
  float *tile;            /* WIDTH x columns of the first gate; see gate_of */
  float *dtile;           /* WIDTH x columns of the first gate's gradients, or NULL; see dterms */
} patch;

/* Of some adjacent blocks, one patch each. */
typedef void patch_kernel(const patch *p, int blocks);

/* Where the tiles of a patch lie: those of a step together, in the order in which they are used, whatever the cut. */
static inline float *tile_of(const recur_sequence *s, int64_t t, int column, int room, int64_t block) {
  int64_t all = blocks(s->units), first = column / TILE * TILE;
  int64_t step = t < 0 ? 0 : t % s->steps;
  int64_t tiles = (step * s->batch + first) * all + block * room;
  return s->tiles + (tiles * tile_count(s) + column - first) * WIDTH;
}

/* The first step of the run that step t belongs to. */
INLINE int64_t run_begin(const recur_sequence *s, int64_t t) {
  int64_t steps = run_steps(s), begin = s->time - ((s->time - 1 - t) / steps + 1) * steps;
  return begin > 0 ? begin : 0;
}

/* Gradients kept for those of the weights lie like packed weights: for each gate of a block a panel whose
 * terms are the columns of a run, and one term more, so that panels do not fall upon each other in the
 * cache. */
INLINE int64_t dterms(const recur_sequence *s) { return run_steps(s) * s->batch + 1; }
static inline float *dpanel_of(const recur_sequence *s, int64_t block, int gate) {
  return s->dtiles + (block * dtile_count(s) + gate) * dterms(s) * WIDTH;
}
static inline float *dtile_of(const recur_sequence *s, int64_t t, int column, int64_t block) {
  if (!s->dtiles || t < 0) return NULL;
  return dpanel_of(s, block, 0) + ((t - run_begin(s, t)) * s->batch + column) * WIDTH;
}

/* As many columns from `column` as tiles have room for, before `end`. */
static inline patch patch_of(const recur_sequence *s, int64_t t, int column, int end, int64_t block) {
  int64_t unit = block * WIDTH;
  int first = column / TILE * TILE, room = s->batch - first < TILE ? s->batch - first : TILE;
  int columns = (end < first + room ? end : first + room) - column;
  return (patch){s, t, block, unit, s->units - unit < WIDTH ? s->units - unit : WIDTH, column, columns, room,
      tile_of(s, t, column, room, block), dtile_of(s, t, column, block)};
}

/* Hands a part its blocks of units, each with all columns or with some: its own first, then what others have not
 * begun, because a thread that the system holds up would hold up all. Who computes a block does not
 * show. With few columns several blocks come at once, of `panels` panels each. `then`, if not NULL, follows on
 * the same patches, and no block is cut. */
static inline void over_patches(const recur_sequence *s, int64_t t, claim *claims, int part, int parts, int panels,
    patch_kernel *run, patch_kernel *then) {
  int helped = 0, at_once = s->batch <= FEW_COLUMNS ? MOST_PANELS / panels : 1, cuts = at_once == 1 && !then;
  share next;
  while (take_share(claims, blocks(s->units), s->batch, part, parts, at_once, cuts, &helped, &next))
    for (int column = next.from; column < next.to;) {
      patch p[MOST_PANELS];
      for (int i = 0; i < next.blocks; i++) p[i] = patch_of(s, t, column, next.to, next.block + i);
      run(p, next.blocks);
      if (then) then(p, next.blocks);
      column += p->columns;
    }
}

/* A kernel for blocks that are full, where the compiler knows it, and for the last one. */
#define WHOLE_AND_REST(kernel)                                  \
  static void kernel(const patch *p) {                          \
    if (p->units == WIDTH) kernel##_on(p, WIDTH);               \
    else kernel##_on(p, p->units);                              \
  }

/* The tile of gate g, a column of it, and the place of unit p->unit in column j of an H x B matrix. */
INLINE float *gate_of(const patch *p, int g) { return p->tile + (int64_t)g * p->room * WIDTH; }
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

/* Whether the weights of a step are more than the second-level caches of two cores hold: then they come
 * from the third level at every step. */
INLINE int is_far(const recur_sequence *s) {
  return gate_count(s) * (int64_t)s->units * (s->units + (s->time == 1 ? s->in : 0)) > 1 << 19;
}

INLINE int is_last(const patch *p) { return p->t == p->s->time - 1; }

INLINE void clear(float *tile, int columns) { memset(tile, 0, sizeof(float) * WIDTH * columns); }

/* The tile of c of the step before, or NULL at the first. */
INLINE const float *cells_before(const patch *p) {
  return p->t ? tile_of(p->s, p->t - 1, p->column, p->room, p->block) + 4 * (int64_t)p->room * WIDTH : NULL;
}

/* The phases of recur_forward and recur_backward, and whether forward begins with one more. */
void NAME(forward)(const void *job, int64_t number, int part, int parts);
void NAME(backward)(const void *job, int64_t number, int part, int parts);
int NAME(projects_all)(const recur_sequence *s);

/* A part's own rows: dwi, dwh and dwc += the gradients in dtiles, of steps from..to, times x, h and q, and db
 * and dbh += their sums; or db and dbh += those of all steps in dgates and drecurrent. */
void NAME(add_weights)(const recur_sequence *s, int64_t from, int64_t to, int part, int parts);
void NAME(add_biases)(const recur_sequence *s, int part, int parts);

#endif
