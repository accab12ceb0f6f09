/*
 * The C side of PanamaAgainstC: the same calls into the same libraries, timed when asked.
 *
 *   panama LIBOPENBLAS LIBRECUR          LIBRECUR may be -
 *
 * Standard input, one request a line, and the answer on standard output:
 *
 *   set ROUTINE SIZE FUNCTION   the hash of the result's bits, after one call; FUNCTION is the
 *                               number of tanh in the elementwise table
 *   run TIMES                   nanoseconds of so many calls
 *
 * The arrays are filled as NativeCall.java fills them, so the hashes must be the same.
 */
#define _GNU_SOURCE
#include "recur.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMN_MAJOR = 102, PLAIN = 111 };

typedef void gemm_function(int, int, int, int, int, int, float, const float *, int, const float *,
    int, float, float *, int);
typedef void gemv_function(int, int, int, int, float, const float *, int, const float *, int, float,
    float *, int);

static gemm_function *gemm;
static gemv_function *gemv;
static int64_t (*packed)(const recur *, int64_t, int64_t, int64_t);
static void (*pack)(recur *, int64_t, int64_t, int64_t, const float *, int64_t, int64_t, float *);
static void (*forward)(recur *, const recur_sequence *);
static recur *context;

static int n;
static float *a, *b, *c;
static recur_sequence sequence;
enum { WIDEST_PANEL = 32 }; /* rows of a packed panel, to which units are padded */

static void fail(const char *what, const char *why) {
  fprintf(stderr, "panama: %s: %s\n", what, why ? why : "not found");
  exit(1);
}

static void *opened(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) fail(path, dlerror());
  return library;
}

static void *named(void *library, const char *name) {
  void *address = dlsym(library, name);
  if (!address) fail(name, dlerror());
  return address;
}

static float *filled(int64_t floats, uint32_t seed) {
  float *values = aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64);
  if (!values) fail("memory", "there is none left");
  for (int64_t i = 0; i < floats; i++) {
    uint32_t mixed = ((uint32_t)i + seed * 7919u) * 2654435761u;
    mixed = (mixed ^ mixed >> 15) * 2246822519u;
    values[i] = (float)(mixed >> 8) * 0x1p-24f - 0.5f;
  }
  return values;
}

/* Own loops, as in Java: nothing but the call lies in them. */
static void call_gemm(int64_t times) {
  for (int64_t i = 0; i < times; i++)
    gemm(COLUMN_MAJOR, PLAIN, PLAIN, n, n, n, 1, a, n, b, n, 0, c, n);
}

static void call_gemv(int64_t times) {
  for (int64_t i = 0; i < times; i++) gemv(COLUMN_MAJOR, PLAIN, n, n, 1, a, n, b, 1, 0, c, 1);
}

static void call_forward(int64_t times) {
  for (int64_t i = 0; i < times; i++) forward(context, &sequence);
}

static void (*calls)(int64_t times);

static float *packed_weights(int terms, uint32_t seed) {
  float *plain = filled((int64_t)n * terms, seed);
  float *to = filled(packed(context, 1, n, terms), 0);
  pack(context, 1, n, terms, plain, 1, n, to);
  free(plain);
  return to;
}

/* One step of an RNN of n units on one input value. */
static void set_forward(int function) {
  if (!context) fail("forward", "no librecur was named");
  c = filled(2 * (int64_t)n, 5);
  a = packed_weights(n, 2);
  b = packed_weights(1, 1);
  sequence = (recur_sequence){.cell = RECUR_RNN, .function = function, .in = 1, .units = n, .batch = 1,
      .time = 1, .wi = b, .wh = a, .b = filled(n, 3), .x = filled(1, 4), .steps = 1,
      .tiles = filled(n + WIDEST_PANEL, 0), .h = c};
}

static uint64_t hash(const float *values, int64_t floats) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (int64_t i = 0; i < floats; i++) {
    uint32_t bits;
    memcpy(&bits, values + i, sizeof bits);
    sum = (sum ^ bits) * 0x100000001b3u;
  }
  return sum;
}

static void forget(void) {
  free(a);
  free(b);
  free(c);
  free((void *)sequence.b);
  free((void *)sequence.x);
  free(sequence.tiles);
  sequence = (recur_sequence){0};
}

static uint64_t set(const char *routine, int function) {
  forget();
  if (!strcmp(routine, "forward")) {
    set_forward(function);
    (calls = call_forward)(1);
    return hash(c + n, n);
  }
  int square = !strcmp(routine, "sgemm");
  int64_t columns = square ? n : 1;
  calls = square ? call_gemm : call_gemv;
  a = filled((int64_t)n * n, 1);
  b = filled(n * columns, 2);
  c = filled(n * columns, 3);
  calls(1);
  return hash(c, n * columns);
}

static int64_t nanoseconds(int64_t times) {
  struct timespec from, to;
  calls(times / 8); /* untimed: the other process had the caches */
  clock_gettime(CLOCK_MONOTONIC, &from);
  calls(times);
  clock_gettime(CLOCK_MONOTONIC, &to);
  return (to.tv_sec - from.tv_sec) * INT64_C(1000000000) + (to.tv_nsec - from.tv_nsec);
}

int main(int count, char **arguments) {
  if (count != 3) fail("usage", "panama LIBOPENBLAS LIBRECUR");
  void *openblas = opened(arguments[1]);
  ((void (*)(int))named(openblas, "openblas_set_num_threads"))(1);
  gemm = (gemm_function *)named(openblas, "cblas_sgemm");
  gemv = (gemv_function *)named(openblas, "cblas_sgemv");
  if (strcmp(arguments[2], "-")) {
    void *kernels = opened(arguments[2]);
    *(void **)&packed = named(kernels, "recur_packed");
    *(void **)&pack = named(kernels, "recur_pack");
    *(void **)&forward = named(kernels, "recur_forward");
    int32_t best = ((int32_t(*)(void))named(kernels, "recur_best"))();
    context = ((recur * (*)(int32_t, int32_t, void *)) named(kernels, "recur_open"))(best, 1, (void *)gemm);
    if (!context) fail("recur_open", "no context");
  }
  char line[128], routine[16];
  int64_t times;
  int function;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "set %15s %d %d", routine, &n, &function) == 3) {
      printf("%016" PRIx64 "\n", set(routine, function));
    } else if (sscanf(line, "run %" SCNd64, &times) == 1 && calls) {
      printf("%" PRId64 "\n", nanoseconds(times));
    } else {
      fail("no such request", line);
    }
    fflush(stdout);
  }
  return 0;
}
