/* Contexts, their teams of threads, and the choice of the instruction set. */
#include "kernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SPINS = 2000, LEAST_WORK = 1 << 16, LINE = 64 };

typedef void sgemm_function(int, int, int, int, int, int, float, const float *, int, const float *,
    int, float, float *, int);

struct recur {
  const kernels *set;
  sgemm_function *sgemm;
  int threads;

  /* The job; written by the one who holds the team, read by the workers. */
  phase *run;
  const void *job;
  int64_t phases;

  _Alignas(LINE) atomic_long number; /* of the job; a change is the signal to begin */
  _Alignas(LINE) atomic_int arrived; /* at the barrier */
  _Alignas(LINE) atomic_int round;   /* of the barrier */

  _Alignas(LINE) atomic_flag taken; /* the team works for somebody */
  atomic_int asleep;
  atomic_bool closing;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t *workers; /* NULL before the first job that needs them */
};

typedef struct {
  recur *r;
  int part;
} worker;

/* Calls in flight in this process: whoever is not alone takes no second core. After calls have met, the
 * next LONE short ones do without as well: the worker that one of two streams takes is the core that the
 * other needs a moment later. */
static atomic_int callers;
static atomic_int lone;
enum { LONE = 256, SHORT = 1 << 24 }; /* SHORT: multiply-adds of a call, some 50 us */

static const kernels *const sets[RECUR_SETS] = {
#if defined(__x86_64__)
    [RECUR_SSE2] = &kernels_sse2, [RECUR_AVX2] = &kernels_avx2, [RECUR_AVX512] = &kernels_avx512,
#elif defined(__aarch64__)
    [RECUR_NEON] = &kernels_neon,
#endif
};

int32_t recur_has(int32_t set) {
  if (set < 0 || set >= RECUR_SETS || !sets[set]) return 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (set == RECUR_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (set == RECUR_AVX512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
#endif
  return 1;
}

int32_t recur_best(void) {
  int32_t best = RECUR_SETS - 1;
  while (best > 0 && !recur_has(best)) best--;
  return best;
}

static void pause_once(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* The last to arrive opens; the others spin, and let others run when it takes long. */
static void barrier(recur *r) {
  int round = atomic_load_explicit(&r->round, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&r->arrived, 1, memory_order_acq_rel) == r->threads - 1) {
    atomic_store_explicit(&r->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&r->round, round + 1, memory_order_release);
    return;
  }
  for (int spins = 0; atomic_load_explicit(&r->round, memory_order_acquire) == round; spins++) {
    if (spins < SPINS) pause_once();
    else sched_yield();
  }
}

static void walk(recur *r, int part) {
  phase *run = r->run;
  const void *job = r->job;
  int64_t phases = r->phases;
  for (int64_t number = 0; number < phases; number++) {
    run(job, number, part, r->threads);
    barrier(r);
  }
}

static void await(recur *r, long seen) {
  for (int spins = 0; spins < SPINS; spins++) {
    if (atomic_load_explicit(&r->number, memory_order_acquire) != seen) return;
    pause_once();
  }
  pthread_mutex_lock(&r->lock);
  atomic_fetch_add(&r->asleep, 1);
  while (atomic_load(&r->number) == seen) pthread_cond_wait(&r->wake, &r->lock);
  atomic_fetch_sub(&r->asleep, 1);
  pthread_mutex_unlock(&r->lock);
}

static void *work(void *argument) {
  worker me = *(worker *)argument;
  free(argument);
  for (long seen = 0;; seen++) {
    await(me.r, seen);
    if (atomic_load(&me.r->closing)) return NULL;
    walk(me.r, me.part);
  }
}

static void begin(recur *r) {
  atomic_fetch_add(&r->number, 1);
  if (atomic_load(&r->asleep)) {
    pthread_mutex_lock(&r->lock);
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
  }
}

static void end(recur *r, int workers) {
  atomic_store(&r->closing, true);
  begin(r);
  for (int i = 0; i < workers; i++) pthread_join(r->workers[i], NULL);
  free(r->workers);
  r->workers = NULL;
}

/* Whether the workers run. Where the system gives no threads, the caller works alone for good. */
static bool start(recur *r) {
  if (r->workers) return true;
  if (atomic_load(&r->closing)) return false;
  r->workers = calloc(r->threads, sizeof *r->workers);
  for (int i = 0; r->workers && i < r->threads - 1; i++) {
    worker *one = malloc(sizeof *one);
    if (one) *one = (worker){r, i + 1};
    if (!one || pthread_create(&r->workers[i], NULL, work, one)) {
      free(one);
      end(r, i);
      atomic_store(&r->closing, false);
      atomic_store(&r->number, 0);
    }
  }
  return r->workers;
}

void team_run(recur *r, phase *run, const void *job, int64_t phases, int64_t work) {
  int parts = work < LEAST_WORK ? 1 : r->threads;
  bool alone = atomic_fetch_add(&callers, 1) == 0;
  if (!alone) {
    atomic_store_explicit(&lone, LONE, memory_order_relaxed);
  } else if (parts > 1 && work * phases < SHORT && atomic_load_explicit(&lone, memory_order_relaxed) > 0) {
    atomic_fetch_sub_explicit(&lone, 1, memory_order_relaxed);
    alone = false;
  }
  if (parts > 1 && alone && !atomic_flag_test_and_set(&r->taken)) {
    bool together = start(r);
    if (together) {
      r->run = run;
      r->job = job;
      r->phases = phases;
      begin(r);
      walk(r, 0);
    }
    atomic_flag_clear(&r->taken);
    if (together) {
      atomic_fetch_sub(&callers, 1);
      return;
    }
  }
  for (int64_t number = 0; number < phases; number++)
    for (int part = 0; part < parts; part++) run(job, number, part, parts);
  atomic_fetch_sub(&callers, 1);
}

recur *recur_open(int32_t set, int32_t threads, void *sgemm) {
  recur *r = recur_has(set) ? aligned_alloc(LINE, (sizeof(recur) + LINE - 1) / LINE * LINE) : NULL;
  if (!r) return NULL;
  *r = (recur){.set = sets[set], .sgemm = (sgemm_function *)sgemm, .threads = threads,
      .taken = ATOMIC_FLAG_INIT};
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->wake, NULL);
  return r;
}

const kernels *kernels_of(const recur *r) { return r->set; }

void recur_rest(recur *r) {
  while (atomic_flag_test_and_set(&r->taken)) sched_yield();
  if (r->workers) end(r, r->threads - 1);
  atomic_store(&r->closing, true);
  atomic_flag_clear(&r->taken);
}

void recur_close(recur *r) {
  if (r->workers) end(r, r->threads - 1);
  pthread_cond_destroy(&r->wake);
  pthread_mutex_destroy(&r->lock);
  free(r);
}

typedef struct {
  sgemm_function *sgemm;
  int transpose_a, transpose_b;
  int64_t m, n, k;
  float alpha;
  const float *a;
  int64_t lda;
  const float *b;
  int64_t ldb;
  float beta;
  float *c;
  int64_t ldc;
} product;

/* A part is a strip of the longer side of C, cut at multiples of 16. */
static void multiply(const void *job, int64_t number, int part, int parts) {
  (void)number;
  enum { COLUMN_MAJOR = 102, PLAIN = 111, TRANSPOSED = 112, CUT = 16 };
  const product *p = job;
  int64_t side = p->m >= p->n ? p->m : p->n;
  int64_t cuts = (side + CUT - 1) / CUT;
  int64_t from = part_begin(cuts, part, parts) * CUT;
  int64_t to = part_begin(cuts, part + 1, parts) * CUT;
  if (to > side) to = side;
  if (from >= to) return;
  bool rows = p->m >= p->n;
  int64_t m = rows ? to - from : p->m, n = rows ? p->n : to - from;
  int64_t i = rows ? from : 0, j = rows ? 0 : from;
  p->sgemm(COLUMN_MAJOR, p->transpose_a ? TRANSPOSED : PLAIN, p->transpose_b ? TRANSPOSED : PLAIN,
      m, n, p->k, p->alpha, p->a + (p->transpose_a ? i * p->lda : i), p->lda,
      p->b + (p->transpose_b ? j : j * p->ldb), p->ldb, p->beta, p->c + i + j * p->ldc, p->ldc);
}

void recur_product(recur *r, int32_t transpose_a, int32_t transpose_b, int64_t m, int64_t n, int64_t k,
    float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
    int64_t ldc) {
  product p = {r->sgemm, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc};
  team_run(r, multiply, &p, 1, m * n * k / 32); /* below 2 million multiply-adds, waking costs more */
}

int64_t recur_packed(const recur *r, int64_t gates, int64_t units, int64_t terms) {
  int64_t width = r->set->width;
  return (units + width - 1) / width * width * gates * terms;
}

void recur_pack(recur *r, int64_t gates, int64_t units, int64_t terms, const float *w, int64_t row,
    int64_t column, float *packed) {
  packing p = {gates, units, terms, w, row, column, packed};
  team_run(r, r->set->pack, &p, 1, gates * units * terms);
}

static int64_t padded(const recur *r, int64_t units) {
  return (units + r->set->width - 1) / r->set->width * r->set->width;
}

int64_t recur_dtiles(const recur *r, const recur_sequence *s) {
  int64_t tiles = s->cell == RECUR_RNN ? 1 : s->cell == RECUR_GRUV3 ? 3 : 4;
  return padded(r, s->units) * tiles * (run_steps(s) * s->batch + 1) + r->threads * strip_room(s);
}

/* Floats before the claims, which begin at a line of the cache. */
static int64_t tiles_alone(const recur *r, const recur_sequence *s) {
  enum { LINE_FLOATS = LINE / sizeof(float) };
  int64_t tiles = s->cell == RECUR_RNN ? 1 : s->cell == RECUR_LSTM ? 6 : s->cell == RECUR_GRU ? 4 : 3;
  int64_t floats = padded(r, s->units) * tiles * s->batch * s->steps;
  return (floats + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
}

int64_t recur_tiles(const recur *r, const recur_sequence *s) {
  return tiles_alone(r, s) + 2 * r->threads * (int64_t)(sizeof(claim) / sizeof(float));
}

/* Multiply-adds of one phase: what the recurrent product of a step costs. */
static int64_t step_work(const recur_sequence *s) {
  int64_t gates = s->cell == RECUR_LSTM ? 4 : s->cell == RECUR_RNN ? 1 : 3;
  return gates * s->units * s->units * s->batch;
}

/* A sequence with claims for two phases behind its tiles: a stack may be too small for many threads. */
static void run_sequence(recur *r, phase *run, const recur_sequence *s, int64_t phases) {
  claim *claims = (claim *)(s->tiles + tiles_alone(r, s));
  for (int i = 0; i < 2 * r->threads; i++) atomic_init(&claims[i].taken, 0);
  sequence_job job = {s, claims};
  team_run(r, run, &job, phases, step_work(s));
}

static int64_t step_phases(const recur_sequence *s) {
  return s->cell == RECUR_GRUV3 ? 2 * (int64_t)s->time : s->time;
}

void recur_forward(recur *r, const recur_sequence *s) {
  run_sequence(r, r->set->forward, s, step_phases(s) + r->set->projects_all(s));
}

void recur_backward(recur *r, const recur_sequence *s) {
  int64_t steps = run_steps(s), runs = s->dtiles ? (s->time + steps - 1) / steps : 0;
  run_sequence(r, r->set->backward, s, step_phases(s) + runs + 1);
}
