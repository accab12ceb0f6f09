/* Calls every function of recur.h from several threads on the same contexts, for a sanitizer to watch:
 *
 *     harness SECONDS SEED CALLERS
 *
 * In every other round, of some half a second, one thread calls alone, so that the teams work; in the others the threads
 * meet, and one context's team is put to rest while calls run. It takes a minute more where a function was not called yet,
 * and ends with 1 where one never was. */
#define _GNU_SOURCE
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_CALLERS = 16, MOST_CONTEXTS = 16, MOST_THREADS = 4, LINE = 64, ROUND_MILLIS = 500, PATIENCE_MILLIS = 60000 };

static recur *contexts[MOST_CONTEXTS];
static int context_count;
static int64_t round_end;

static int64_t millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* SplitMix64. */
static uint64_t bits(caller *c) {
  uint64_t z = c->state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

int64_t between(caller *c, int64_t least, int64_t most) {
  return least + (int64_t)(bits(c) % (uint64_t)(most - least + 1));
}

int one_in(caller *c, int64_t chances) { return between(c, 1, chances) == 1; }

static float value(caller *c) {
  static const float odd[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 1e-42f, -1e-42f, -0.0f};
  return one_in(c, 200) ? odd[between(c, 0, 7)] : (float)between(c, -1000, 1000) / 1000;
}

static void *keep(caller *c, void *memory) {
  if (memory == NULL || c->count == MOST_KEPT) {
    fprintf(stderr, "harness: no memory for array %d of a call, at most %d\n", c->count, MOST_KEPT);
    abort();
  }
  return c->kept[c->count++] = memory;
}

static float *filled(caller *c, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = value(c);
  return y;
}

float *floats(caller *c, int64_t count) {
  int64_t shift = between(c, count == 0, 15); /* floats before the array, so that it begins anywhere */
  float *memory = keep(c, malloc((size_t)(shift + count) * sizeof(float)));
  return filled(c, memory + shift, count);
}

float *aligned(caller *c, int64_t count) {
  void *memory = NULL;
  if (posix_memalign(&memory, LINE, (size_t)count * sizeof(float)) != 0) memory = NULL;
  return filled(c, keep(c, memory), count);
}

float *maybe(caller *c, int64_t count) { return one_in(c, 4) ? NULL : floats(c, count); }

int32_t *indexes(caller *c, int64_t count, int64_t bound) {
  int32_t *memory = keep(c, malloc((size_t)count * sizeof *memory));
  for (int64_t i = 0; i < count; i++) memory[i] = (int32_t)between(c, 0, bound - 1);
  return memory;
}

void release(caller *c) {
  while (c->count > 0) free(c->kept[--c->count]);
}

/* In place of cblas_sgemm; reads and writes what it would, and with beta = 0 not C. */
static void sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
    const float *b, int ldb, float beta, float *c, int ldc) {
  enum { TRANSPOSED = 112 };
  (void)order;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      float sum = 0;
      for (int64_t l = 0; l < k; l++)
        sum += a[transpose_a == TRANSPOSED ? l + i * lda : i + l * lda] * b[transpose_b == TRANSPOSED ? j + l * ldb : l + j * ldb];
      float *y = c + i + j * ldc;
      *y = alpha * sum + (beta == 0 ? 0 : beta * *y);
    }
}

static void *call(void *argument) {
  static void (*const some[])(caller *, recur *) = {some_values, some_binary, some_columns, some_reduction,
      some_product, some_program};
  caller *c = argument;
  while (millis() < round_end) {
    some[between(c, 0, sizeof some / sizeof *some - 1)](c, contexts[between(c, 0, context_count - 1)]);
    release(c);
  }
  return NULL;
}

/* Each set of this machine with 1 to MOST_THREADS threads. */
static void open_all(caller *c) {
  context_count = 0;
  for (int32_t set = 0; set < RECUR_SETS; set++)
    for (int32_t threads = 1; CALL(has, set) && threads <= MOST_THREADS; threads++) {
      recur *r = CALL(open, set, threads, (void *)sgemm);
      if (r == NULL) abort();
      contexts[context_count++] = r;
    }
}

static void play(caller *callers, int count) {
  pthread_t threads[MOST_CALLERS];
  round_end = millis() + ROUND_MILLIS;
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, call, &callers[i]) != 0) abort();
  if (count > 1) {
    caller *c = &callers[MOST_CALLERS]; /* the main thread's own */
    nanosleep(&(struct timespec){0, ROUND_MILLIS * 500000}, NULL);
    CALL(rest, contexts[between(c, 0, context_count - 1)]);
  }
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static int64_t calls_of(const caller *callers, int function) {
  int64_t calls = 0;
  for (int i = 0; i <= MOST_CALLERS; i++) calls += callers[i].calls[function];
  return calls;
}

/* Functions that were never called. */
static int missing(const caller *callers) {
  int count = 0;
  for (int f = 0; f < CALLS; f++) count += calls_of(callers, f) == 0;
  return count;
}

static int report(const caller *callers) {
#define NAME(name) #name,
  static const char *const names[] = {FUNCTIONS(NAME)};
  for (int f = 0; f < CALLS; f++) printf("recur_%s %lld\n", names[f], (long long)calls_of(callers, f));
  if (missing(callers) > 0) fprintf(stderr, "harness: %d functions were never called\n", missing(callers));
  return missing(callers) > 0;
}

int main(int count, char **words) {
  static caller callers[MOST_CALLERS + 1];
  int together = count == 4 ? atoi(words[3]) : 0;
  if (together < 1 || together > MOST_CALLERS) {
    fprintf(stderr, "harness SECONDS SEED CALLERS; need 1 to %d callers\n", MOST_CALLERS);
    return 2;
  }
  int64_t end = millis() + 1000 * atoll(words[1]);
  for (int i = 0; i <= MOST_CALLERS; i++) callers[i].state = strtoull(words[2], NULL, 10) + (uint64_t)i * 0x632BE59BD9B4E019u;
  caller *c = &callers[MOST_CALLERS];
  printf("set %d\n", (int)CALL(best));
  for (int round = 0; millis() < end || (missing(callers) > 0 && millis() < end + PATIENCE_MILLIS); round++) {
    open_all(c);
    play(callers, round % 2 == 0 ? 1 : together);
    for (int i = 0; i < context_count; i++) CALL(close, contexts[i]);
  }
  return report(callers);
}
