/*
 * What the machine itself can do, as a contender: multiply-adds in registers, and reading from each level of memory.
 *
 *   limits THREADS
 *
 * Standard input, one question a line, and the answer on standard output (see Contender.java):
 *
 *   version         = the instruction sets, then each cache with the bytes of one core's, or 0 where that is unknown
 *   prepare PASS    = operations or bytes of one iteration on all threads
 *   run PASS N      = milliseconds per iteration, median of up to 9 groups of the N
 *
 * A PASS is an instruction set (2 operations per multiply-add) or L1, L2, L3, memory (bytes read).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

enum { GROUPS = 9, ROUNDS = 200000, WIDEST = 64, UNROLLED = 16 };
enum { CACHE_ITERATION = 16 << 20, MEMORY_PER_THREAD = 256 << 20 };

typedef struct {
  const char *name;
  int floats, accumulators; /* of a register; that are independent */
  int (*is_there)(void);
  float (*multiply_add)(long rounds);
  void (*read)(const char *bytes, size_t count);
} set;

/*
 * A multiply-add takes 4 cycles and 2 to 4 begin in one: fewer than 16 independent ones would wait for each other.
 * 12 fit AVX2's 16 registers and are enough for its 2 per cycle. Values tend to 1, so none is denormal.
 */
#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define TWENTY(X) TWELVE(X) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)
#define BEGIN(k) vector a##k = half * (k + 3.0f);
#define MULTIPLY_ADD(k) a##k = a##k * half + half;
#define GATHER(k) sum += a##k;
#define LOAD(k) __asm__ volatile("" : : REGISTER(((const vector *)(bytes + at))[k]));

#define KERNELS(set, attributes, width, ACCUMULATORS)                               \
  attributes static float multiply_add_##set(long rounds) {                         \
    typedef float vector __attribute__((vector_size(width)));                       \
    vector half = (vector){0} + 0.5f, sum = half;                                   \
    ACCUMULATORS(BEGIN)                                                             \
    for (long i = 0; i < rounds; i++) {                                             \
      ACCUMULATORS(MULTIPLY_ADD)                                                    \
    }                                                                               \
    ACCUMULATORS(GATHER)                                                            \
    return sum[0];                                                                  \
  }                                                                                 \
  attributes static void read_##set(const char *bytes, size_t count) {              \
    typedef float vector __attribute__((vector_size(width), may_alias));            \
    for (size_t at = 0; at < count; at += UNROLLED * width) {                       \
      LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7)               \
      LOAD(8) LOAD(9) LOAD(10) LOAD(11) LOAD(12) LOAD(13) LOAD(14) LOAD(15)         \
    }                                                                               \
  }

#ifdef __x86_64__
#define REGISTER "x"
KERNELS(sse2, , 16, TWELVE)
KERNELS(avx2, __attribute__((target("avx2,fma"))), 32, TWELVE)
KERNELS(avx512, __attribute__((target("avx512f,fma"))), 64, TWELVE)
static int has_sse2(void) { return 1; }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void) { return __builtin_cpu_supports("avx512f") && has_avx2(); }
static const set sets[] = {
  {"avx512", 16, 12, has_avx512, multiply_add_avx512, read_avx512},
  {"avx2", 8, 12, has_avx2, multiply_add_avx2, read_avx2},
  {"sse2", 4, 12, has_sse2, multiply_add_sse2, read_sse2},
};
#else
#define REGISTER "w"
KERNELS(neon, , 16, TWENTY)
static int has_neon(void) { return 1; }
static const set sets[] = {{"neon", 4, 20, has_neon, multiply_add_neon, read_neon}};
#endif
enum { SETS = sizeof sets / sizeof *sets, LEVELS = 4 };

static const char *const levels[LEVELS] = {"L1", "L2", "L3", "memory"};
static size_t cache[LEVELS - 1]; /* bytes; L1 and L2 of one core, L3 of all */

static int threads;
static char *memory; /* MEMORY_PER_THREAD for each */
static volatile float kept;

static void fail(const char *what) {
  printf("! limits: %s\n", what);
  exit(1);
}

static void find_caches(void) {
#ifdef __APPLE__
  const char *names[] = {"hw.perflevel0.l1dcachesize", "hw.perflevel0.l2cachesize", "hw.l3cachesize"};
  for (int k = 0; k < LEVELS - 1; k++) {
    int64_t bytes = 0;
    size_t length = sizeof bytes;
    if (sysctlbyname(names[k], &bytes, &length, NULL, 0) == 0) cache[k] = (size_t)bytes;
  }
#else
  const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  for (int k = 0; k < LEVELS - 1; k++) {
    long bytes = sysconf(names[k]);
    if (bytes > 0) cache[k] = (size_t)bytes;
  }
#endif
}

static const set *widest(void) {
  const set *it = sets;
  while (!it->is_there()) it++;
  return it;
}

/* What one thread reads again and again: most of its own cache; of L3 more than L2 holds. */
static size_t span(int level) {
  size_t bytes = level < 2 ? cache[level] * 3 / 4 : level == 2 ? 4 * cache[1] : MEMORY_PER_THREAD;
  return bytes / (UNROLLED * WIDEST) * (UNROLLED * WIDEST);
}

/* A pass: a set to multiply and add with, or else a level to read from. */
typedef struct {
  const set *multiplies;
  int level;
} pass;

static int find(const char *name, pass *it) {
  for (int k = 0; k < SETS; k++) {
    if (!strcmp(name, sets[k].name) && sets[k].is_there()) {
      *it = (pass){&sets[k], -1};
      return 1;
    }
  }
  for (int k = 0; k < LEVELS; k++) {
    if (!strcmp(name, levels[k]) && span(k) > 0 && (k == LEVELS - 1 || cache[k] > 0)) {
      *it = (pass){NULL, k};
      return 1;
    }
  }
  return 0;
}

static long passes_of(int level) {
  long times = level == LEVELS - 1 ? 1 : (long)(CACHE_ITERATION / span(level));
  return times < 1 ? 1 : times;
}

static double work_of(pass it) {
  if (it.multiplies) return 2.0 * threads * ROUNDS * it.multiplies->accumulators * it.multiplies->floats;
  return (double)threads * passes_of(it.level) * span(it.level);
}

static void once(pass it, int thread) {
  if (it.multiplies) {
    kept = it.multiplies->multiply_add(ROUNDS);
    return;
  }
  const set *with = widest();
  for (long k = passes_of(it.level); k > 0; k--) {
    with->read(memory + (size_t)thread * MEMORY_PER_THREAD, span(it.level));
  }
}

/* The groups of a turn; all threads meet before and after each. */
typedef struct {
  pass it;
  long times;
  atomic_int arrived;
  double milliseconds[GROUPS];
} turn;
typedef struct {
  turn *turn;
  int number;
} worker;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void meet(turn *t, int *meeting) {
  int all = ++*meeting * threads;
  atomic_fetch_add(&t->arrived, 1);
  while (atomic_load(&t->arrived) < all) sched_yield();
}

static void *work(void *argument) {
  worker *me = argument;
  turn *t = me->turn;
  int meeting = 0;
  long groups = t->times < GROUPS ? t->times : GROUPS;
  for (long g = 0; g < groups; g++) {
    long n = t->times * (g + 1) / groups - t->times * g / groups;
    meet(t, &meeting);
    double began = now();
    for (long k = 0; k < n; k++) once(t->it, me->number);
    meet(t, &meeting);
    if (me->number == 0) t->milliseconds[g] = (now() - began) / n;
  }
  return NULL;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double run(pass it, long times) {
  turn t = {.it = it, .times = times};
  pthread_t others[threads];
  worker workers[threads];
  for (int k = 0; k < threads; k++) workers[k] = (worker){&t, k};
  for (int k = 1; k < threads; k++) {
    if (pthread_create(&others[k], NULL, work, &workers[k])) fail("no thread can be started");
  }
  work(&workers[0]);
  for (int k = 1; k < threads; k++) pthread_join(others[k], NULL);
  int groups = times < GROUPS ? (int)times : GROUPS;
  qsort(t.milliseconds, groups, sizeof *t.milliseconds, ascending);
  return (t.milliseconds[(groups - 1) / 2] + t.milliseconds[groups / 2]) / 2;
}

static void version(void) {
  printf("=");
  for (int k = 0; k < SETS; k++) {
    if (sets[k].is_there()) printf(" %s", sets[k].name);
  }
  for (int k = 0; k < LEVELS - 1; k++) printf(" %s %zu", levels[k], cache[k]);
  printf("\n");
}

int main(int count, char **arguments) {
  threads = count > 1 ? atoi(arguments[1]) : 0;
  if (threads < 1) fail("the number of threads is missing");
  size_t bytes = (size_t)threads * MEMORY_PER_THREAD;
  memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED) fail("not enough memory");
#ifdef MADV_HUGEPAGE
  (void)madvise(memory, bytes, MADV_HUGEPAGE); /* where the system has none, its small pages are the limit */
#endif
  memset(memory, 1, bytes); /* or all of it would be one page of zeros */
  find_caches();
  char line[256], name[64];
  while (fgets(line, sizeof line, stdin)) {
    pass it;
    long times;
    if (!strcmp(line, "version\n")) {
      version();
    } else if (sscanf(line, "prepare %63s", name) == 1 && find(name, &it)) {
      printf("= %.0f\n", work_of(it));
    } else if (sscanf(line, "run %63s %ld", name, &times) == 2 && times > 0 && find(name, &it)) {
      printf("= %.6f\n", run(it, times));
    } else {
      line[strcspn(line, "\n")] = 0;
      printf("! limits: '%s' is no question, or the machine has no such set or level\n", line);
    }
    fflush(stdout);
  }
  return 0;
}
