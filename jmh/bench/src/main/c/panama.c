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
static void (*pack)(recur *, int64_t, int64_t, int64_t, int64_t, const float *, int64_t, int64_t, float *);
static int64_t (*run_scratch)(const recur *, const recur_program *, int64_t, int64_t, int32_t);
static void (*run_forward)(recur *, const recur_run *);
static recur *context;

static int n;
static float *a, *b, *c, *bias, *x, *scratch;

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

/* A step of an RNN as a program, one section of one phase: NativeCall.java writes the same tables. */
enum { H, X, ARRAYS };
static recur_instruction codes[] = {{.code = RECUR_LOAD_VECTOR}, {.code = RECUR_PRODUCT, .array = H},
    {.code = RECUR_PRODUCT, .array = X}, {.code = RECUR_MAP, .length = 2},
    {.code = RECUR_STORE, .array = H, .lag = 1, .length = 1}};
static recur_multiplication products[] = {{.packed = H, .panels = 1, .operand = H},
    {.packed = X, .panels = 1, .terms = 1, .operand = X}};
static const int32_t tile;
static recur_section section = {.after = sizeof codes / sizeof *codes};
static const recur_phase phase = {.sections = 1};
static recur_pass passes[3] = {{.phases = 1}};
static const recur_program program = {.instructions = codes, .products = products, .tiles = &tile, .sections = &section,
    .phases = &phase, .passes = passes, .arrays = ARRAYS, .most_tiles = 1};
static recur_array arrays[ARRAYS];
static recur_parameter vector;
static const float *weights[ARRAYS];
static recur_run run = {.program = &program, .batch = 1, .time = 1, .arrays = arrays, .vectors = &vector, .packed = weights};

static void call_forward(int64_t times) {
  for (int64_t i = 0; i < times; i++) run_forward(context, &run);
}

static void (*calls)(int64_t times);

static float *packed_weights(int terms, uint32_t seed) {
  float *plain = filled((int64_t)n * terms, seed);
  float *to = filled(packed(context, 1, n, terms), 0);
  pack(context, 1, 0, n, terms, plain, 1, n, to);
  free(plain);
  return to;
}

/* One step of an RNN of n units on one input value. */
static void set_forward(int function) {
  if (!context) fail("forward", "no librecur was named");
  c = filled(2 * (int64_t)n, 5);
  weights[H] = a = packed_weights(n, 2);
  weights[X] = b = packed_weights(1, 1);
  arrays[H] = (recur_array){c, 2, n};
  arrays[X] = (recur_array){x = filled(1, 4), 1, 1};
  vector = (recur_parameter){.values = bias = filled(n, 3), .rows = n};
  codes[3].function = function;
  products[H].terms = section.rows = n;
  passes[0].work = (int64_t)n * n;
  run.scratch = scratch = filled(run_scratch(context, &program, 1, 1, 0), 0);
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
  free(bias);
  free(x);
  free(scratch);
  bias = x = scratch = NULL;
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
    *(void **)&run_scratch = named(kernels, "recur_run_scratch");
    *(void **)&run_forward = named(kernels, "recur_run_forward");
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
