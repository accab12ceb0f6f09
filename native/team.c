/* The team of threads: its barrier, its workers, and when a job is worth them. */
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SPINS = 2000, LINE = 64 };

struct team {
  int threads;

  /* The job; written by the one who holds the team, read by the workers. */
  phase *run;
  const void *job;
  int64_t phases;

  _Alignas(LINE) atomic_long number; /* of the job; a change is the signal to begin */
  _Alignas(LINE) atomic_int arrived; /* at the barrier */
  _Alignas(LINE) atomic_int round;   /* of the barrier */

  _Alignas(LINE) atomic_flag taken; /* a job runs */
  atomic_int asleep;
  atomic_bool closing;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t *workers; /* NULL before the first job that needs them */
};

typedef struct {
  team *t;
  int part;
} worker;

/* Calls in flight in this process: a call that is not alone runs on its caller's thread. After calls have met, the
 * next LONE short calls run on their callers' threads too: of two streams of calls, the worker of one would occupy the
 * core that the other needs a moment later. */
static atomic_int callers;
static atomic_int lone;
enum { LONE = 256, SHORT = 1 << 24 }; /* SHORT: multiply-adds of a call, some 50 us */

static void pause_once(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* The last part to arrive opens it. The others spin, and yield to other threads after SPINS turns. */
static void barrier(team *t) {
  int round = atomic_load_explicit(&t->round, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&t->arrived, 1, memory_order_acq_rel) == t->threads - 1) {
    atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&t->round, round + 1, memory_order_release);
    return;
  }
  for (int spins = 0; atomic_load_explicit(&t->round, memory_order_acquire) == round; spins++) {
    if (spins < SPINS) pause_once();
    else sched_yield();
  }
}

static void walk(team *t, int part) {
  phase *run = t->run;
  const void *job = t->job;
  int64_t phases = t->phases;
  for (int64_t number = 0; number < phases; number++) {
    run(job, number, part, t->threads);
    barrier(t);
  }
}

static void await(team *t, long seen) {
  for (int spins = 0; spins < SPINS; spins++) {
    if (atomic_load_explicit(&t->number, memory_order_acquire) != seen) return;
    pause_once();
  }
  pthread_mutex_lock(&t->lock);
  atomic_fetch_add(&t->asleep, 1);
  while (atomic_load(&t->number) == seen) pthread_cond_wait(&t->wake, &t->lock);
  atomic_fetch_sub(&t->asleep, 1);
  pthread_mutex_unlock(&t->lock);
}

static void *work(void *argument) {
  worker me = *(worker *)argument;
  free(argument);
  for (long seen = 0;; seen++) {
    await(me.t, seen);
    if (atomic_load(&me.t->closing)) return NULL;
    walk(me.t, me.part);
  }
}

static void begin(team *t) {
  atomic_fetch_add(&t->number, 1);
  if (atomic_load(&t->asleep)) {
    pthread_mutex_lock(&t->lock);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
  }
}

static void end(team *t, int workers) {
  atomic_store(&t->closing, true);
  begin(t);
  for (int i = 0; i < workers; i++) pthread_join(t->workers[i], NULL);
  free(t->workers);
  t->workers = NULL;
}

/* Whether the workers run. Where the system refuses a thread, the caller works alone. */
static bool start(team *t) {
  if (t->workers) return true;
  if (atomic_load(&t->closing)) return false;
  t->workers = calloc(t->threads, sizeof *t->workers);
  for (int i = 0; t->workers && i < t->threads - 1; i++) {
    worker *one = malloc(sizeof *one);
    if (one) *one = (worker){t, i + 1};
    if (!one || pthread_create(&t->workers[i], NULL, work, one)) {
      free(one);
      end(t, i);
      atomic_store(&t->closing, false);
      atomic_store(&t->number, 0);
    }
  }
  return t->workers;
}

void team_run(team *t, phase *run, const void *job, int64_t phases, int64_t work) {
  int parts = work < LEAST_WORK ? 1 : t->threads;
  bool alone = atomic_fetch_add(&callers, 1) == 0;
  if (!alone) {
    atomic_store_explicit(&lone, LONE, memory_order_relaxed);
  } else if (parts > 1 && work * phases < SHORT && atomic_load_explicit(&lone, memory_order_relaxed) > 0) {
    atomic_fetch_sub_explicit(&lone, 1, memory_order_relaxed);
    alone = false;
  }
  if (parts > 1 && alone && !atomic_flag_test_and_set(&t->taken)) {
    bool together = start(t);
    if (together) {
      t->run = run;
      t->job = job;
      t->phases = phases;
      begin(t);
      walk(t, 0);
    }
    atomic_flag_clear(&t->taken);
    if (together) {
      atomic_fetch_sub(&callers, 1);
      return;
    }
  }
  for (int64_t number = 0; number < phases; number++)
    for (int part = 0; part < parts; part++) run(job, number, part, parts);
  atomic_fetch_sub(&callers, 1);
}

team *team_open(int threads) {
  team *t = aligned_alloc(LINE, (sizeof(team) + LINE - 1) / LINE * LINE);
  if (!t) return NULL;
  *t = (team){.threads = threads, .taken = ATOMIC_FLAG_INIT};
  pthread_mutex_init(&t->lock, NULL);
  pthread_cond_init(&t->wake, NULL);
  return t;
}

int team_threads(const team *t) { return t->threads; }

void team_rest(team *t) {
  while (atomic_flag_test_and_set(&t->taken)) sched_yield();
  if (t->workers) end(t, t->threads - 1);
  atomic_store(&t->closing, true);
  atomic_flag_clear(&t->taken);
}

void team_close(team *t) {
  if (t->workers) end(t, t->threads - 1);
  pthread_cond_destroy(&t->wake);
  pthread_mutex_destroy(&t->lock);
  free(t);
}
