/* The products of matrices that we ask of cuBLAS. Each is checked to be within its allocations, its operands
 * are rounded as tensor cores would, and OpenBLAS, or a loop of our own, multiplies. */
#include "products.h"

#include <stdlib.h>
#include <string.h>

enum { FLOAT_TYPE = 0, BFLOAT_TYPE = 14 };

typedef struct matrix {
  address at;
  int64_t rows, columns, lead, stride;
  int type;
} matrix;

struct product {
  work work;
  int transpose_a, transpose_b, rounding;
  int64_t m, n, k, count;
  matrix a, b, c;
  float alpha, beta;
  address alpha_at, beta_at, workspace; /* or 0 */
};

static float of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static float rounded(float x, int rounding) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (rounding == NOT_ROUNDED || (bits & 0x7f800000) == 0x7f800000) return x;
  if (rounding == TO_TF32) return of_bits((bits + 0x1000) & ~UINT32_C(0x1fff));
  return of_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
}

static size_t size_of(int type) { return type == BFLOAT_TYPE ? sizeof(uint16_t) : sizeof(float); }

static void *place(const matrix *x, int64_t which) {
  return (char *)memory_at(x->at) + (size_t)(which * x->stride) * size_of(x->type);
}

/* Column after column without a gap, as floats. */
static float *unpacked(const matrix *x, int64_t which, int rounding) {
  const void *from = place(x, which);
  float *to = malloc(sizeof *to * (size_t)(x->rows * x->columns));
  if (to == NULL) return NULL;
  for (int64_t j = 0; j < x->columns; j++)
    for (int64_t i = 0; i < x->rows; i++) {
      int64_t at = j * x->lead + i;
      to[j * x->rows + i] = x->type == BFLOAT_TYPE ? of_bits((uint32_t)((const uint16_t *)from)[at] << 16)
                                                   : rounded(((const float *)from)[at], rounding);
    }
  return to;
}

static void repack(const float *from, const matrix *x, int64_t which) {
  uint16_t *to = place(x, which);
  for (int64_t j = 0; j < x->columns; j++)
    for (int64_t i = 0; i < x->rows; i++) {
      float value = rounded(from[j * x->rows + i], TO_BF16);
      uint32_t bits;
      memcpy(&bits, &value, sizeof bits);
      to[j * x->lead + i] = (uint16_t)(bits >> 16);
    }
}

static int multiply(const struct product *p, int64_t which) {
  float *a = place(&p->a, which), *b = place(&p->b, which), *c = place(&p->c, which);
  int64_t lda = p->a.lead, ldb = p->b.lead, ldc = p->c.lead;
  int change_a = p->rounding != NOT_ROUNDED || p->a.type == BFLOAT_TYPE;
  int change_b = p->rounding != NOT_ROUNDED || p->b.type == BFLOAT_TYPE, change_c = p->c.type == BFLOAT_TYPE;
  if (change_a) a = unpacked(&p->a, which, p->rounding), lda = p->a.rows;
  if (change_b) b = unpacked(&p->b, which, p->rounding), ldb = p->b.rows;
  if (change_c) c = unpacked(&p->c, which, NOT_ROUNDED), ldc = p->c.rows;
  int whole = a != NULL && b != NULL && c != NULL;
  if (whole)
    multiply_columns(p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->alpha, a, lda, b, ldb, p->beta, c, ldc);
  if (whole && change_c) repack(c, &p->c, which);
  if (change_a) free(a);
  if (change_b) free(b);
  if (change_c) free(c);
  return whole ? SUCCESS : OUT_OF_MEMORY;
}

static int touch(const struct product *p, context *c, const matrix *x, const char *name) {
  if (x->rows == 0 || x->columns == 0) return SUCCESS;
  int64_t last = (p->count - 1) * x->stride + (x->columns - 1) * x->lead + x->rows;
  if (memory_check(c, x->at, (uint64_t)last * size_of(x->type)) && memory_touch(c, x->at)) return SUCCESS;
  char text[160];
  memory_describe(x->at, text, sizeof text);
  return context_fault(c, ILLEGAL_ADDRESS,
      "%s: m=%lld, n=%lld, k=%lld, %s=%lldx%lld, lead=%lld, count=%lld, %s: not within one allocation", p->work.name,
      (long long)p->m, (long long)p->n, (long long)p->k, name, (long long)x->rows, (long long)x->columns, (long long)x->lead,
      (long long)p->count, text);
}

static int read_scalar(context *c, address at, float *value) {
  if (at == 0) return SUCCESS;
  const float *from = memory_check(c, at, sizeof *value) ? memory_touch(c, at) : NULL;
  if (from == NULL)
    return context_fault(c, ILLEGAL_ADDRESS, "cuBLAS: a scalar at %#llx is not in device memory", (unsigned long long)at);
  *value = *from;
  return SUCCESS;
}

static int multiply_now(work *work, context *c) {
  struct product *p = (struct product *)work;
  int code = read_scalar(c, p->alpha_at, &p->alpha);
  if (code == SUCCESS) code = read_scalar(c, p->beta_at, &p->beta);
  if (code == SUCCESS) code = touch(p, c, &p->c, "C");
  if (code == SUCCESS && p->k > 0) code = touch(p, c, &p->a, "A");
  if (code == SUCCESS && p->k > 0) code = touch(p, c, &p->b, "B");
  if (code == SUCCESS && p->workspace != 0) { /* it is cuBLAS's to write to */
    void *workspace = memory_check(c, p->workspace, 64) ? memory_touch(c, p->workspace) : NULL;
    if (workspace == NULL) return context_fault(c, ILLEGAL_ADDRESS, "%s: its workspace is gone", p->work.name);
    memset(workspace, 0xFF, 64);
  }
  for (int64_t i = 0; i < p->count && code == SUCCESS; i++) code = multiply(p, i);
  if (code == OUT_OF_MEMORY) context_fault(c, code, "%s: no memory for its operands", p->work.name);
  return code;
}

static int is_wrong(const matrix *x) { return x->lead < (x->rows > 1 ? x->rows : 1); }

static int add(const char *name, void *handle, const request *r, const operand *a, const operand *b, const operand *c) {
  int code;
  blas *h = blas_of(handle, &code);
  if (h == NULL) return code;
  if (r->m < 0 || r->n < 0 || r->k < 0 || r->count < 0 || r->op_a < 0 || r->op_a > 2 || r->op_b < 0 || r->op_b > 2)
    return BLAS_INVALID_VALUE;
  if (r->m > INT32_MAX || r->n > INT32_MAX || r->k > INT32_MAX || r->alpha == NULL || r->beta == NULL) return BLAS_INVALID_VALUE;
  int known = a->type == b->type && (a->type == FLOAT_TYPE || a->type == BFLOAT_TYPE) &&
              (c->type == FLOAT_TYPE || (c->type == BFLOAT_TYPE && a->type == BFLOAT_TYPE));
  int rounding = rounding_of(h, r->compute);
  if (!known || rounding < 0) return BLAS_NOT_SUPPORTED;
  int ta = r->op_a != 0, tb = r->op_b != 0;
  matrix of_a = {(address)(uintptr_t)a->at, ta ? r->k : r->m, ta ? r->m : r->k, a->lead, a->stride, a->type};
  matrix of_b = {(address)(uintptr_t)b->at, tb ? r->n : r->k, tb ? r->k : r->n, b->lead, b->stride, b->type};
  matrix of_c = {(address)(uintptr_t)c->at, r->m, r->n, c->lead, c->stride, c->type};
  if (is_wrong(&of_a) || is_wrong(&of_b) || is_wrong(&of_c)) return BLAS_INVALID_VALUE;
  if (r->m == 0 || r->n == 0 || r->count == 0) return SUCCESS;
  stream *s = stream_of(h->stream);
  if (s == NULL) return BLAS_EXECUTION_FAILED;
  if (s->capture != NULL && h->workspace == 0) {
    say("%s: a capture needs a workspace: cublasSetWorkspace after cublasSetStream, which takes it away", name);
    return BLAS_ALLOC_FAILED;
  }
  struct product *p = work_new(sizeof *p, multiply_now, name);
  if (p == NULL) return BLAS_ALLOC_FAILED;
  p->transpose_a = ta, p->transpose_b = tb, p->rounding = rounding;
  p->m = r->m, p->n = r->n, p->k = r->k, p->count = r->count;
  p->a = of_a, p->b = of_b, p->c = of_c;
  p->workspace = h->workspace;
  if (take_scalar(h, r->alpha, &p->alpha, &p->alpha_at) != SUCCESS || take_scalar(h, r->beta, &p->beta, &p->beta_at) != SUCCESS) {
    free(p);
    return BLAS_INVALID_VALUE;
  }
  return stream_add(s, p) == SUCCESS ? SUCCESS : BLAS_EXECUTION_FAILED;
}

#define GEMM(name, integer) \
  EXPORT int name(void *handle, int op_a, int op_b, integer m, integer n, integer k, const float *alpha, const float *a, \
      integer lda, const float *b, integer ldb, const float *beta, float *c, integer ldc) { \
    BEGIN(ANYTHING); \
    request r = {op_a, op_b, m, n, k, 1, alpha, beta, COMPUTE_FLOAT}; \
    operand of_a = {a, lda, 0, 0}, of_b = {b, ldb, 0, 0}, of_c = {c, ldc, 0, 0}; \
    return leave(add(__func__, handle, &r, &of_a, &of_b, &of_c)); \
  }
GEMM(cublasSgemm_v2, int)
GEMM(cublasSgemm_v2_64, int64_t)

#define GEMM_STRIDED(name, integer) \
  EXPORT int name(void *handle, int op_a, int op_b, integer m, integer n, integer k, const float *alpha, const float *a, \
      integer lda, long long stride_a, const float *b, integer ldb, long long stride_b, const float *beta, float *c, \
      integer ldc, long long stride_c, integer count) { \
    BEGIN(ANYTHING); \
    request r = {op_a, op_b, m, n, k, count, alpha, beta, COMPUTE_FLOAT}; \
    operand of_a = {a, lda, stride_a, 0}, of_b = {b, ldb, stride_b, 0}, of_c = {c, ldc, stride_c, 0}; \
    return leave(add(__func__, handle, &r, &of_a, &of_b, &of_c)); \
  }
GEMM_STRIDED(cublasSgemmStridedBatched, int)
GEMM_STRIDED(cublasSgemmStridedBatched_64, int64_t)

#define GEMM_EX(name, integer) \
  EXPORT int name(void *handle, int op_a, int op_b, integer m, integer n, integer k, const void *alpha, const void *a, \
      int type_a, integer lda, const void *b, int type_b, integer ldb, const void *beta, void *c, int type_c, integer ldc, \
      int compute, int algorithm) { \
    (void)algorithm; \
    BEGIN(ANYTHING); \
    request r = {op_a, op_b, m, n, k, 1, alpha, beta, compute}; \
    operand of_a = {a, lda, 0, type_a}, of_b = {b, ldb, 0, type_b}, of_c = {c, ldc, 0, type_c}; \
    return leave(add(__func__, handle, &r, &of_a, &of_b, &of_c)); \
  }
GEMM_EX(cublasGemmEx, int)
GEMM_EX(cublasGemmEx_64, int64_t)

#define GEMM_STRIDED_EX(name, integer) \
  EXPORT int name(void *handle, int op_a, int op_b, integer m, integer n, integer k, const void *alpha, const void *a, \
      int type_a, integer lda, long long stride_a, const void *b, int type_b, integer ldb, long long stride_b, \
      const void *beta, void *c, int type_c, integer ldc, long long stride_c, integer count, int compute, int algorithm) { \
    (void)algorithm; \
    BEGIN(ANYTHING); \
    request r = {op_a, op_b, m, n, k, count, alpha, beta, compute}; \
    operand of_a = {a, lda, stride_a, type_a}, of_b = {b, ldb, stride_b, type_b}, of_c = {c, ldc, stride_c, type_c}; \
    return leave(add(__func__, handle, &r, &of_a, &of_b, &of_c)); \
  }
GEMM_STRIDED_EX(cublasGemmStridedBatchedEx, int)
GEMM_STRIDED_EX(cublasGemmStridedBatchedEx_64, int64_t)

/* The row y' = x' op(A)', so that any distance between the values of x and y is a leading dimension. */
#define GEMV(name, integer) \
  EXPORT int name(void *handle, int op, integer m, integer n, const float *alpha, const float *a, integer lda, \
      const float *x, integer step_x, const float *beta, float *y, integer step_y) { \
    BEGIN(ANYTHING); \
    if (step_x < 1 || step_y < 1) return leave(step_x == 0 || step_y == 0 ? BLAS_INVALID_VALUE : BLAS_NOT_SUPPORTED); \
    request r = {0, op == 0, 1, op == 0 ? m : n, op == 0 ? n : m, 1, alpha, beta, COMPUTE_PEDANTIC}; \
    operand of_x = {x, step_x, 0, 0}, of_a = {a, lda, 0, 0}, of_y = {y, step_y, 0, 0}; \
    return leave(add(__func__, handle, &r, &of_x, &of_a, &of_y)); \
  }
GEMV(cublasSgemv_v2, int)
GEMV(cublasSgemv_v2_64, int64_t)
