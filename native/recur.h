/*
 * The contract of Recur's C kernels, bound by jextract.
 *
 * Matrices are column-major float32, features x batch x time; a leading dimension counts floats.
 * B = batch, T = time.
 *
 * Every pointer is the caller's, must hold what its comment says until the call returns, and is
 * aligned to 4 bytes at least (64 is best). Nothing is allocated but by recur_open. Arguments are
 * not checked. Outputs overlap no input unless a comment allows it.
 *
 * Threads: every function may be called from any thread. A call shares its work among the team of
 * its context; calls that meet, on one context or on several, run on their callers' threads alone, and
 * so do some short ones after them.
 * The work is cut into the same parts in both cases, so the bits of a result depend on the
 * instruction set and the number of threads, never on who computed which part. Those of a column of what a
 * program computes depend on the set alone, neither on the batch nor on the column's place in it.
 */
#ifndef RECUR_H
#define RECUR_H
#include <stdint.h>

#define RECUR_API __attribute__((visibility("default")))

/* Instruction sets, worst first; the last two never meet. */
enum { RECUR_SSE2, RECUR_AVX2, RECUR_AVX512, RECUR_NEON, RECUR_SETS };

/* An instruction set and a team of threads: the caller's own and threads - 1 workers, which start
 * with the first call that needs them, spin for some 50 us after each and then sleep. */
typedef struct recur recur;

/* The best instruction set that this machine and this library have. */
RECUR_API int32_t recur_best(void);

/* Whether this machine and this library have an instruction set. */
RECUR_API int32_t recur_has(int32_t set);

/* A context, or NULL where the set is absent or memory ran out. sgemm: the address of cblas_sgemm in
 * a library that runs it on the calling thread alone; it must stay loaded. */
RECUR_API recur *recur_open(int32_t set, int32_t threads, void *sgemm);

/* Ends the workers after the call that they work for; later calls run on their callers' threads alone and
 * compute the same bits. Calls may be running. */
RECUR_API void recur_rest(recur *r);

/* Ends the workers and frees the context. No call may be running on it. */
RECUR_API void recur_close(recur *r);

/* C = alpha op(A) op(B) + beta C as cblas_sgemm has it, column-major; with beta = 0, C is not read.
 * op(A) is m x k, op(B) is k x n. */
RECUR_API void recur_product(recur *r, int32_t transpose_a, int32_t transpose_b, int64_t m, int64_t n,
    int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
    float *c, int64_t ldc);

/* C = op(A) B, or C += op(A) B where it accumulates. The bits of a column of C depend on the instruction set, op(A) and
 * that column of B and of C alone: not on n, on the column's place or on the number of threads. */
RECUR_API void recur_multiply_columns(recur *r, int32_t transpose_a, int64_t m, int64_t n, int64_t k, const float *a,
    int64_t lda, const float *b, int64_t ldb, int32_t accumulate, float *c, int64_t ldc);

/* Passes over n values. An output may be the same array as an input, but must not overlap it in part.
 * A value's bits depend on the instruction set alone, a sum's too: not on the number of threads. */

/* y = value; y = x; y = alpha x + beta; y = a + alpha b; y = x within low and high. With beta = -0, y = alpha x has
 * the sign that a product of zero has. */
RECUR_API void recur_fill(recur *r, float value, float *y, int64_t n);
RECUR_API void recur_copy(recur *r, const float *x, float *y, int64_t n);
RECUR_API void recur_affine(recur *r, float alpha, const float *x, float beta, float *y, int64_t n);
RECUR_API void recur_combine(recur *r, const float *a, float alpha, const float *b, float *y, int64_t n);
RECUR_API void recur_clamp(recur *r, float low, float high, const float *x, float *y, int64_t n);

/* dx += dy where x is neither below low nor above high. */
RECUR_API void recur_add_clamp_derivative(recur *r, float low, float high, const float *x, const float *dy, float *dx,
    int64_t n);

/* y (+)= a b, value by value. */
RECUR_API void recur_multiply(recur *r, int32_t accumulate, const float *a, const float *b, float *y,
    int64_t n);

/* y = f(x); dx += dy f'(x), where y = f(x). function: its number in the Java enum Elementwise. */
RECUR_API void recur_map(recur *r, int32_t function, const float *x, float *y, int64_t n);
RECUR_API void recur_add_derivative(recur *r, int32_t function, const float *x, const float *y,
    const float *dy, float *dx, int64_t n);

/* y (+)= x/(1 - rate) where the coin of value i, SplitMix64's bits from the seed and i, keeps it, else
 * 0. 0 <= rate < 1. */
RECUR_API void recur_drop(recur *r, float rate, int64_t seed, int32_t accumulate, const float *x,
    float *y, int64_t n);

/* The sum of x, or of its squares, in double. */
RECUR_API double recur_sum(recur *r, int32_t squares, const float *x, int64_t n);

/*
 * Functions of two operands, value by value; function: its number in the Java enum Binary. Y is m x n. A is too, or its
 * rows, its columns or both are repeated: row_a, the floats from one row to the next, is 0 where each column has one
 * value, else 1; column_a, those from one column to the next, is 0 where all columns are one. The same of B.
 */

/* Y = f(A, B). Y may be an operand that is m x n. */
RECUR_API void recur_binary(recur *r, int32_t function, int64_t m, int64_t n, const float *a, int64_t row_a,
    int64_t column_a, const float *b, int64_t row_b, int64_t column_b, float *y);

/* Y (+)= what D, the gradient of f(A, B), gives to A, or to B, at each place; of a repeated operand it is yet to be
 * summed. D and Y are m x n. */
RECUR_API void recur_binary_derivative(recur *r, int32_t function, int32_t of_b, int32_t accumulate, int64_t m, int64_t n,
    const float *a, int64_t row_a, int64_t column_a, const float *b, int64_t row_b, int64_t column_b, const float *d,
    float *y);

/*
 * Passes over the columns of m x n matrices. index: n int32, from 0 to the columns of the matrix that
 * they name less one; not checked. The rule about bits above holds here too.
 */

/* Y[:,j] = X[:,j] + b; Y may be X. */
RECUR_API void recur_add_column(recur *r, int64_t m, int64_t n, const float *x, const float *b, float *y);

/* y += the sum of the columns of X: of each 16 columns in float, of these sums in double. y: m */
RECUR_API void recur_add_column_sum(recur *r, int64_t m, int64_t n, const float *x, float *y);

/* Y[i,j] (+)= X[i,j] in taller matrices of ldx and ldy rows; ldx = 0 repeats one column. */
RECUR_API void recur_block(recur *r, int64_t m, int64_t n, const float *x, int64_t ldx,
    int32_t accumulate, float *y, int64_t ldy);

/* Y[:,j] = W[:,index[j]] + b; b: m, or NULL for none. */
RECUR_API void recur_gather(recur *r, int64_t m, int64_t n, const float *w, const int32_t *index,
    const float *b, float *y);

/*
 * y += the sum of the columns of X; W[:,index[j]] += Y[:,j], in the order of j: sums that must not lose what a float
 * rounds away. carry, as large as y or W, holds what the last addition lost; it begins with zeros. A carry counts only
 * where it does not change its float, so code that writes the sum itself, for instance zeros, need not write the carry.
 * However many terms and calls, the error stays below 1e-6 of the sum of the terms' magnitudes.
 */
RECUR_API void recur_carry_column_sum(recur *r, int64_t m, int64_t n, const float *x, float *y, float *carry);
RECUR_API void recur_carry_scatter_add(recur *r, int64_t m, int64_t n, const float *y, const int32_t *index,
    float *w, float *carry);

/* Y[:,j] = softmax(X[:,j]) or its logarithm; Y may be X. */
RECUR_API void recur_softmax(recur *r, int64_t m, int64_t n, int32_t logarithm, const float *x, float *y);

/* dX += the gradient of X, from the output Y and its gradient dY. */
RECUR_API void recur_add_softmax_derivative(recur *r, int64_t m, int64_t n, int32_t logarithm,
    const float *y, const float *dy, float *dx);

/* P = softmax of the columns of X; returns the mean of -log P[index[j],j], in nats. P may be X. */
RECUR_API float recur_cross_entropy(recur *r, int64_t m, int64_t n, const float *x, const int32_t *index,
    float *p);

/* dX += factor (P - onehot(index)). */
RECUR_API void recur_add_cross_entropy_derivative(recur *r, int64_t m, int64_t n, float factor, const float *p,
    const int32_t *index, float *dx);

/*
 * Reductions of X, m x n x t, over one dimension: 0, the rows of each column, gives n x t; 1, the columns of each time
 * step, gives m x t; 2, the time steps, gives m x n. reduction and dimension: their numbers in the Java enums Reduction,
 * which has the formulas, and Dimension. Sums are formed in double. The bits of a result depend on the instruction
 * set, the dimension, the values that are reduced and their order alone: not on the number of threads, nor on the
 * other sizes.
 */

/* y = the reduction of X. */
RECUR_API void recur_reduce(recur *r, int32_t reduction, int32_t dimension, int64_t m, int64_t n, int64_t t,
    const float *x, float *y);

/* y += the sum of X; carry: as large as y, see recur_carry_column_sum, or NULL. */
RECUR_API void recur_add_reduced(recur *r, int32_t dimension, int64_t m, int64_t n, int64_t t, const float *x, float *y,
    float *carry);

/* dX += the gradient of X, from X, its reduction y and the gradient dy of y. The largest value's gradient is shared evenly
 * among its ties. Of a sum and a mean neither x nor y is read. */
RECUR_API void recur_add_reduction_derivative(recur *r, int32_t reduction, int32_t dimension, int64_t m, int64_t n,
    int64_t t, const float *x, const float *y, const float *dy, float *dx);

/* One step of an optimiser: changes w and its slots, leaves g zero. rule: its number in the Java enum
 * UpdateRule, which has the formulas and the settings s0 to s5; NULL for slots that it has not. All
 * arrays n, none overlapping another. */
RECUR_API void recur_update(recur *r, int32_t rule, float s0, float s1, float s2, float s3, float s4,
    float s5, float *w, float *g, float *slot0, float *slot1, float *slot2, int64_t n);

/* Programs of cells. A program is steps of a cell, forward and backward, as instructions on tiles: values of up to a
 * panel's rows (a block) and some columns. It knows the rows of all matrices, neither batch nor time; a run names
 * these and the memory. Indexes are not checked, nor is the program. */

/* What an instruction does; to, a, b and c are tiles, -1 for none, below -1 one with a place. A clip leaves out rows
 * that an array has not. */
enum {
  RECUR_CLEAR,        /* to = 0 */
  RECUR_CONSTANT,     /* to = p */
  RECUR_COPY,         /* to = a */
  RECUR_LOAD,         /* to = rows `row` ... of a matrix at step t + lag, clipped to zeros */
  RECUR_LOAD_ROW,     /* to = that row alone, in all rows */
  RECUR_STORE,        /* such rows = a, clipped, where the array has memory */
  RECUR_TAKE,         /* to = the tile of an array in tiles at step t + lag */
  RECUR_GIVE,         /* such a tile = a */
  RECUR_KEEP,         /* the panel `array` of gradients = a; function 1: its sums over steps += a; 2: += a * b */
  RECUR_LOAD_VECTOR,  /* to = values `row` ... of a vector, clipped to zeros, in all columns; function 1: the place of a vector */
  RECUR_LOAD_SCALAR,  /* to = value `row` of a vector everywhere */
  RECUR_PRODUCT,      /* the tiles of the product `array` += its weights times its operand; function 1: = those and a vector */
  RECUR_EXPECT,       /* will read what a load with the same array, row and lag reads */
  RECUR_GATHER,       /* to = a + W[:, index], of weights `array` */
  RECUR_SCATTER,      /* dW[:, index] += a */
  RECUR_MAP,          /* to = f(a) */
  RECUR_DERIVATIVE,   /* to = a f'(b), where c = f(b) */
  RECUR_DERIVATIVE_OF_PRODUCT, /* to = a b f'(x), where c = f(x) and f' is known from c alone */
  RECUR_AFFINE,       /* to = p a + q */
  RECUR_COMBINE,      /* to = f(a, b), f's number in the Java enum Binary */
  RECUR_FUSED,        /* to = a b + c; function 1: a b - c; 2: c - a b; 3: a b/c; 4: (a - b)/c */
  RECUR_REDUCE,       /* a goes into the reduction `array`; `row`: the blocks of the reductions in front */
  RECUR_REDUCED,      /* to = the reduction `array`, in all rows; `row` as above, of the one whose blocks left its numbers */
  RECUR_DROP,         /* to = a/(1 - p) or 0, by coins: of draw `array`, value column*b + row */
  RECUR_SPREAD,       /* to = the row a in all rows */
  RECUR_CODES
};

/* Added to the function of an instruction whose tiles are rows: one value per column, the same for all blocks. */
enum { RECUR_ROW = 32 };

typedef struct recur_instruction {
  int32_t code, function;    /* 0 for a code that has no functions; see RECUR_ROW */
  int32_t to, a, b, c, array, row, lag;
  int32_t length;            /* instructions from here on that work on some columns after the others; 0: on all at once */
  float p, q;
} recur_instruction;

/* Weights of some panels that multiply the same matrix, packed side by side. */
typedef struct recur_multiplication {
  int32_t packed;            /* number of the packed weights */
  int32_t panels, terms;
  int32_t operand, lag;
  int32_t skips_first;       /* nothing happens at the first step of a pass */
  int32_t first;             /* its tiles begin here in the list of these; behind them, for each the vector that its sums begin
                                with, -1 for 0, and the row in there */
} recur_multiplication;

/* A tile that lies in an array in tiles at step t + lag (kind 0), in a panel of gradients (1; lag unused), or, of one column,
 * where the vector is that was loaded into it last (2; nothing else writes it), not in scratch. Place k of a section is tile
 * -2 - k. */
typedef struct recur_place {
  int32_t kind, number, lag;
} recur_place;

typedef struct recur_section {
  int32_t rows;
  int32_t first, before, recurrent, after; /* instructions: see is_free */
  int32_t first_place, places;
  int32_t is_free;           /* its blocks need no other block of its phase, and only before the first step reductions: they
                                run `before` for several steps at once, `recurrent` step by step, then `after`. Else `before`
                                is what all blocks read, of rows alone: a part may run it for one block of a step, then
                                `after` for each */
} recur_section;

typedef struct recur_phase {
  int32_t first, sections;
} recur_phase;

typedef struct recur_pass {
  int32_t aside, asides;     /* phases of several steps at once, all sections free, with reductions of their own: forward
                                of all steps before the first one, backward of each run of steps after its last one */
  int32_t first, phases;     /* of a step */
  int32_t end, ends;         /* after the last step: free ones for all steps at once, then others once */
  int32_t is_free;           /* one phase, whose blocks run all steps on their own */
  int32_t cuts;              /* two threads may have some columns each of a block: nothing grows from column to column */
  int32_t is_far;            /* its weights do not stay in the cache from step to step */
  int64_t work;              /* multiply-adds of a column in a phase, or with is_free in all of a step */
  int32_t gradient, gradients; /* backward: what its panels are added to; those with the same operand and lag together */
  int64_t kept_rows;         /* of all its panels, padded */
} recur_pass;

/* Part of a parameter matrix. */
typedef struct recur_weights {
  int32_t matrix, row, rows, column, columns;
} recur_weights;

typedef struct recur_reduction {
  int32_t kind;              /* sum, mean, largest, variance; 4: a variance's mean, of what that one's blocks left */
  int32_t rows;
} recur_reduction;

/* Gradients that are kept in panels. before: the rows of the pass's panels in front, each padded to whole panels. */
typedef struct recur_kept {
  int32_t rows;
  int64_t before;
} recur_kept;

/* What panels add to a matrix, or with operand -1 to a vector, with -2 too, from sums over steps, clipped; is_shared: 1, panels of other rows reach the same
 * values; 2, those of the same rows do, in other columns. All that reach the same values have the same. */
typedef struct recur_gradient {
  int32_t kept, parameter, row, column, operand, lag, is_shared;
} recur_gradient;

/* An array in scratch, for few columns. same: the array of the caller's that it stands for, if that has no memory or not
 * for all steps; else both are the caller's. -1: none. */
typedef struct recur_hidden {
  int32_t rows, same, is_backward;
} recur_hidden;

typedef struct recur_program {
  const recur_instruction *instructions;
  const recur_multiplication *products;
  const int32_t *tiles;      /* lists of products */
  const recur_place *places;
  const recur_section *sections;
  const recur_phase *phases;
  const recur_pass *passes;  /* forward; forward where a step has few columns or then waits for nothing; backward; backward
                                where a step has few columns */
  const recur_weights *weights;
  const recur_reduction *reductions;
  const recur_kept *kept;
  const recur_gradient *gradients;
  int64_t weight_gradients;  /* floats of the gradients of matrices */
  int32_t reduction_count, draws;
  int32_t arrays, hidden;    /* arrays of the caller; hidden ones follow them */
  const recur_hidden *hidden_arrays;
  int32_t most_tiles, most_places; /* of a section */
  int32_t most_terms;        /* rows of the largest operand of a gradient */
} recur_program;

typedef struct recur_array {
  float *data;               /* NULL: nothing is stored */
  int64_t steps;             /* step t is matrix t modulo steps */
  int32_t rows;
} recur_array;

typedef struct recur_parameter {
  const float *values;
  float *gradient;           /* added to; NULL: not wanted */
  float *carry;              /* see recur_carry_column_sum; NULL: none */
  int64_t rows;
} recur_parameter;

typedef struct recur_run {
  const recur_program *program;
  int64_t batch, time;
  recur_array *arrays;       /* and room for the hidden ones, which are filled in */
  const recur_parameter *vectors, *matrices;
  const float *const *packed;
  const int32_t *index;      /* batch x time classes, for RECUR_GATHER and RECUR_SCATTER */
  float *scratch;            /* recur_run_scratch floats, 64-byte aligned; begins with draws x time seeds, int64 */
} recur_run;

/* Floats of scratch for a pass, 0 forward, 1 backward. */
RECUR_API int64_t recur_run_scratch(const recur *r, const recur_program *program, int64_t batch, int64_t time,
    int32_t backward);

/* All steps in order, then the end; all steps in reverse, then the end, and gradients are added to. */
RECUR_API void recur_run_forward(recur *r, const recur_run *run);
RECUR_API void recur_run_backward(recur *r, const recur_run *run);

/* Weights of a product, packed: `panels` matrices of rows x terms, which multiply the same operand, side by side. Floats
 * that they take, where rows are padded to whole panels. */
RECUR_API int64_t recur_packed(const recur *r, int64_t panels, int64_t rows, int64_t terms);

/* Packs number `panel` of them, whose element (i, term) is w[i*row + term*column]. packed: recur_packed floats of all,
 * 64-byte aligned. */
RECUR_API void recur_pack(recur *r, int64_t panels, int64_t panel, int64_t rows, int64_t terms, const float *w,
    int64_t row, int64_t column, float *packed);

#endif
