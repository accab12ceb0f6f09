/* Handles of cuBLAS, and who multiplies: OpenBLAS as RECUR_OPENBLAS names it, else the one that this process has loaded
 * already, else a loop. The process keeps to what was there when its first handle was made, so that no bits change. */
#define _GNU_SOURCE
#include "products.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_FIRST = 102, PLAIN = 111, TRANSPOSED = 112, SMALL = 1 << 20, HANDLE_BYTES = 16 << 20 /* must be free for one */ };

typedef void sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
    const float *b, int ldb, float beta, float *c, int ldc); /* cblas_sgemm */

static sgemm *openblas;

/* x', where x has that many rows. */
static float *transposed(const float *x, int64_t rows, int64_t columns, int64_t lead) {
  float *to = malloc(sizeof *to * (size_t)(rows * columns));
  for (int64_t j = 0; to != NULL && j < columns; j++)
    for (int64_t i = 0; i < rows; i++) to[i * columns + j] = x[j * lead + i];
  return to;
}

/* Terms in one running sum, as a library's products block them. */
enum { BLOCK = 1024 };

/* Column by column, in the order of the terms, block by block. */
static void multiply_by_hand(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
    int lda, const float *b, int ldb, float beta, float *c, int ldc) {
  (void)order;
  float *plain = transpose_a == TRANSPOSED ? transposed(a, k, m, lda) : NULL;
  float *sum = malloc(sizeof *sum * ((size_t)m + 1));
  if ((transpose_a == TRANSPOSED && plain == NULL) || sum == NULL) {
    say("no memory for the operands of a product");
    abort();
  }
  const float *terms = plain == NULL ? a : plain;
  int64_t lead = plain == NULL ? lda : m;
  int64_t column = transpose_b == TRANSPOSED ? 1 : ldb, along = transpose_b == TRANSPOSED ? ldb : 1;
  for (int64_t j = 0; j < n; j++) {
    float *restrict y = c + j * ldc;
    if (beta == 0) memset(y, 0, sizeof *y * (size_t)m);
    for (int64_t i = 0; i < m && beta != 0; i++) y[i] *= beta;
    for (int64_t from = 0; from < k; from += BLOCK) {
      memset(sum, 0, sizeof *sum * (size_t)m);
      for (int64_t p = from; p < k && p < from + BLOCK; p++) {
        float factor = alpha * b[j * column + p * along];
        const float *x = terms + p * lead;
        for (int64_t i = 0; i < m; i++) sum[i] += factor * x[i];
      }
      for (int64_t i = 0; i < m; i++) y[i] += sum[i];
    }
  }
  free(sum);
  free(plain);
}

static sgemm *sgemm_in(const char *library, int flags) {
  void *opened = dlopen(library, flags);
  union {
    void *data;
    sgemm *code;
  } symbol = {.data = opened == NULL ? NULL : dlsym(opened, "cblas_sgemm")};
  return symbol.code;
}

static int look_at(struct dl_phdr_info *library, size_t bytes, void *found) {
  (void)bytes;
  if (strstr(library->dlpi_name, "libopenblas") == NULL) return 0;
  *(sgemm **)found = sgemm_in(library->dlpi_name, RTLD_NOW | RTLD_NOLOAD);
  return *(sgemm **)found != NULL;
}

static sgemm *openblas_find(void) {
  const char *named = getenv("RECUR_OPENBLAS");
  sgemm *found = NULL;
  if (named != NULL) {
    found = sgemm_in(named, RTLD_NOW | RTLD_LOCAL);
    if (found == NULL) say("RECUR_OPENBLAS=%s has no cblas_sgemm: %s", named, dlerror());
  }
  if (found == NULL) dl_iterate_phdr(look_at, &found);
  return found == NULL ? multiply_by_hand : found;
}

/* A small product is not worth OpenBLAS's threads, for which it would wait where processors are few. */
void multiply_columns(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
    const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
  sgemm *multiply = m * n * k <= SMALL ? multiply_by_hand : openblas;
  multiply(COLUMNS_FIRST, transpose_a ? TRANSPOSED : PLAIN, transpose_b ? TRANSPOSED : PLAIN, (int)m, (int)n, (int)k, alpha, a,
      (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

blas *blas_of(void *handle, int *code) {
  blas *h = object_of(handle, BLAS_HANDLE);
  *code = BLAS_NOT_INITIALIZED;
  if (h == NULL) return NULL;
  *code = BLAS_EXECUTION_FAILED;
  if (h->object.owner == here() && h->object.owner->fault == SUCCESS) return h;
  if (h->object.owner != here()) say("a cuBLAS handle is of another context than the one of this thread");
  return NULL;
}

int rounding_of(const blas *h, int compute) {
  switch (compute) {
    case COMPUTE_FLOAT: return (h->math & 15) == 3 ? TO_TF32 : NOT_ROUNDED;
    case COMPUTE_PEDANTIC: return NOT_ROUNDED;
    case COMPUTE_TF32: return TO_TF32;
    case COMPUTE_BF16: return TO_BF16;
    default: return -1;
  }
}

int take_scalar(const blas *h, const void *from, float *value, address *at) {
  int on_device = memory_is_device((address)(uintptr_t)from);
  if (on_device != (h->pointers == 1)) {
    say("cuBLAS: alpha and beta are read from the %s, and one lies elsewhere", h->pointers == 1 ? "device" : "host");
    return BLAS_INVALID_VALUE;
  }
  *at = on_device ? (address)(uintptr_t)from : 0;
  if (!on_device) *value = *(const float *)from;
  return SUCCESS;
}

EXPORT int cublasCreate_v2(void **handle) {
  BEGIN(ANYTHING);
  context *c = here();
  if (c == NULL || c->fault != SUCCESS) return leave(BLAS_NOT_INITIALIZED);
  if (memory_left(c) < HANDLE_BYTES) return leave(BLAS_ALLOC_FAILED);
  blas *h = object_new(BLAS_HANDLE, sizeof *h, c);
  if (h == NULL) return leave(BLAS_ALLOC_FAILED);
  if (openblas == NULL) openblas = openblas_find();
  *handle = h->object.handle;
  return leave(SUCCESS);
}

/* As on hardware, all work is waited for. It can be done after a fault, and from a thread of another context. */
EXPORT int cublasDestroy_v2(void *handle) {
  BEGIN(ANYTHING);
  blas *h = object_of(handle, BLAS_HANDLE);
  if (h == NULL) return leave(BLAS_NOT_INITIALIZED);
  streams_wait(h->object.owner);
  object_free(h);
  return leave(SUCCESS);
}

EXPORT int cublasGetVersion_v2(void *handle, int *version) {
  BEGIN(ANYTHING);
  *version = 130000;
  return leave(handle == NULL || object_of(handle, BLAS_HANDLE) != NULL ? SUCCESS : BLAS_NOT_INITIALIZED);
}

static const struct {
  int status;
  const char *name, *text;
} statuses[] = {{SUCCESS, "CUBLAS_STATUS_SUCCESS", "success"},
    {BLAS_NOT_INITIALIZED, "CUBLAS_STATUS_NOT_INITIALIZED", "the library was not initialized"},
    {BLAS_ALLOC_FAILED, "CUBLAS_STATUS_ALLOC_FAILED", "the resource allocation failed"},
    {BLAS_INVALID_VALUE, "CUBLAS_STATUS_INVALID_VALUE", "an unsupported value or parameter was passed to the function"},
    {8, "CUBLAS_STATUS_ARCH_MISMATCH", "the function requires a feature absent from the device architecture"},
    {11, "CUBLAS_STATUS_MAPPING_ERROR", "an access to GPU memory space failed"},
    {BLAS_EXECUTION_FAILED, "CUBLAS_STATUS_EXECUTION_FAILED", "the GPU program failed to execute"},
    {14, "CUBLAS_STATUS_INTERNAL_ERROR", "an internal operation failed"},
    {BLAS_NOT_SUPPORTED, "CUBLAS_STATUS_NOT_SUPPORTED", "the requested functionality is not supported"},
    {16, "CUBLAS_STATUS_LICENSE_ERROR", "the functionality requested requires a license"}};

static size_t find_status(int status) {
  size_t i = 0;
  while (i < sizeof statuses / sizeof *statuses && statuses[i].status != status) i++;
  return i;
}

EXPORT const char *cublasGetStatusName(int status) {
  size_t i = find_status(status);
  return i < sizeof statuses / sizeof *statuses ? statuses[i].name : "CUBLAS_STATUS_UNKNOWN";
}

EXPORT const char *cublasGetStatusString(int status) {
  size_t i = find_status(status);
  return i < sizeof statuses / sizeof *statuses ? statuses[i].text : "unknown status";
}

/* As in cuBLAS, it takes the workspace away. */
EXPORT int cublasSetStream_v2(void *handle, void *stream) {
  BEGIN(ANYTHING);
  int code;
  blas *h = blas_of(handle, &code);
  if (h == NULL) return leave(code);
  if (stream_of(stream) == NULL) return leave(BLAS_INVALID_VALUE);
  h->stream = stream;
  h->workspace = 0;
  return leave(SUCCESS);
}

EXPORT int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) {
  BEGIN(ANYTHING);
  int code;
  address at = (address)(uintptr_t)workspace;
  blas *h = blas_of(handle, &code);
  if (h == NULL) return leave(code);
  if (bytes > 0 && (at % 256 != 0 || !memory_check(here(), at, bytes))) return leave(BLAS_INVALID_VALUE);
  h->workspace = bytes < 64 ? 0 : at;
  return leave(SUCCESS);
}

#define SETTING(name, field, most) \
  EXPORT int cublasSet##name(void *handle, int value) { \
    BEGIN(ANYTHING); \
    int code; \
    blas *h = blas_of(handle, &code); \
    if (h == NULL) return leave(code); \
    if (value < 0 || value > (most)) return leave(BLAS_INVALID_VALUE); \
    h->field = value; \
    return leave(SUCCESS); \
  }
#define GETTING(name, type, field) \
  EXPORT int cublasGet##name(void *handle, type *value) { \
    BEGIN(ANYTHING); \
    int code; \
    blas *h = blas_of(handle, &code); \
    if (h == NULL) return leave(code); \
    *value = h->field; \
    return leave(SUCCESS); \
  }
SETTING(MathMode, math, 31)
SETTING(PointerMode_v2, pointers, 1)
SETTING(AtomicsMode, atomics, 1)
GETTING(MathMode, int, math)
GETTING(PointerMode_v2, int, pointers)
GETTING(AtomicsMode, int, atomics)
GETTING(Stream_v2, void *, stream)
