/*
 * The contract of Recur's C kernels, bound by jextract.
 *
 * Matrices are column-major float32, features x batch x time; a leading dimension counts floats.
 * H = units, B = batch, T = time, G = gates of the cell (RNN 1, LSTM 4, GRU and GRUv3 3), N = in.
 *
 * Every pointer is the caller's, must hold what its comment says until the call returns, and is
 * aligned to 4 bytes at least (64 is best). Nothing is allocated but by recur_open. Arguments are
 * not checked. Outputs overlap no input unless a comment allows it.
 *
 * Threads: every function may be called from any thread. A call shares its work among the team of
 * its context; calls that meet, on one context or on several, run on their callers' threads alone.
 * The work is cut into the same parts in both cases, so the bits of a result depend on the
 * instruction set and the number of threads, never on who computed which part.
 */
#ifndef RECUR_H
#define RECUR_H
#include <stdint.h>

#define RECUR_API __attribute__((visibility("default")))

/* Instruction sets, worst first; the last two never meet. */
enum { RECUR_SSE2, RECUR_AVX2, RECUR_AVX512, RECUR_NEON, RECUR_SETS };

/* The cells. */
enum { RECUR_RNN, RECUR_LSTM, RECUR_GRU, RECUR_GRUV3 };

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

/* Ends the workers and frees the context. No call may be running on it. */
RECUR_API void recur_close(recur *r);

/* C = alpha op(A) op(B) + beta C as cblas_sgemm has it, column-major; with beta = 0, C is not read.
 * op(A) is m x k, op(B) is k x n. */
RECUR_API void recur_product(recur *r, int32_t transpose_a, int32_t transpose_b, int64_t m, int64_t n,
    int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
    float *c, int64_t ldc);

/* Floats that packed weights of gates*units x terms take: units are padded to whole panels. */
RECUR_API int64_t recur_packed(const recur *r, int64_t gates, int64_t units, int64_t terms);

/* Packs the matrix whose element (gate*units + unit, term) is w[(gate*units + unit)*row +
 * term*column] for the kernels of this context. packed: recur_packed floats, 64-byte aligned. */
RECUR_API void recur_pack(recur *r, int64_t gates, int64_t units, int64_t terms, const float *w,
    int64_t row, int64_t column, float *packed);

/*
 * A whole sequence of a cell. NULL where a cell has no such thing.
 *
 * Forward reads x (or index, or gates), b, h and c of step 0 and writes gates, q, h and c.
 * Backward reads what forward wrote, dy, dh and dc, and writes or adds to the rest.
 */
typedef struct {
  int32_t cell;
  int32_t function;      /* of the RNN, a number of the elementwise table */
  int32_t in;            /* N */
  int32_t units;         /* H */
  int32_t batch;         /* B */
  int32_t time;          /* T */
  const float *wi;       /* packed (G, H, N); NULL: see table and gates */
  const float *wh;       /* packed (recurrent gates, H, H): all G, for GRUv3 reset and update */
  const float *wc;       /* GRUv3: packed (1, H, H), the candidate's weights */
  const float *wht;      /* wh transposed, packed (1, H, recurrent gates * H); backward only */
  const float *wct;      /* GRUv3: wc transposed, packed (1, H, H); backward only */
  const float *b;        /* GH */
  const float *bh;       /* GRU: H, or NULL for none */
  const float *x;        /* N x B x T, with wi */
  const float *table;    /* GH x classes, plain: one-hot input, instead of wi */
  const int32_t *index;  /* B x T classes, with table */
  float *gates;          /* GH x B x T. Without wi and table, in: Wi x + b. Out: what backward needs */
  float *q;              /* H x B x T; GRU: Wh3 h + bh; GRUv3: reset o h */
  float *h;              /* H x B x (T + 1); in: the first H x B */
  float *c;              /* LSTM: like h */
  const float *dy;       /* H x B x T */
  float *dh;             /* H x B; in: of the last state, beyond dy; out: of the state before */
  float *dc;             /* LSTM: like dh */
  float *dgates;         /* GH x B x T; out: of Wi x + b */
  float *drecurrent;     /* GRU: GH x B x T; out: of Wh h */
  float *db;             /* GH, added to; NULL: not wanted */
  float *dbh;            /* GRU: H, added to; NULL: not wanted */
} recur_sequence;

/* Rooms of the arrays a sequence names: nothing is read before it was written. */
RECUR_API void recur_forward(recur *r, const recur_sequence *s);
RECUR_API void recur_backward(recur *r, const recur_sequence *s);

#endif
