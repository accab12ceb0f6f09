/* What every kernel is written with. NVRTC and nvcc compile the program, this file and those after it in FILES,
 * as CUDA; gcc and clang compile it as C11 for the CPU double of native/double. No header is included.
 *
 *     KERNEL(recur_scale, int64_t, n, float, alpha, float *, y)       // its parameters, type and name in turn
 *     {
 *       OVER(i, n) y[i] *= alpha;
 *     }
 *
 * A kernel has 1 to 20 parameters, each an int64_t, a float or a pointer to device memory, passed in eight bytes. LISTED
 * begins one with any number of them, which a program writes: their count, then in parentheses PARAMETER, ARGUMENT and SIZE
 * of each.
 * Kernels use nothing beyond this file, no atomics and no shuffles: the same launch computes the same bits.
 *
 *     THREAD THREADS BLOCK BLOCKS   which thread of its block, which block, and how many; int64_t
 *     OVER(i, n)                    for each i below n, shared out over the threads of all blocks
 *     WITHIN(i, n)                  for each i below n, shared out over the threads of this block
 *     SHARED(type, name, count);    an array of the block's threads, at the top of a kernel; undefined at first
 *     BARRIER();                    waits for the threads of the block: all of them come to this line, or none
 *     DEVICE                        begins the definition of a function that kernels call
 *     INFINITY, BITS(x), FLOAT(u)   infinity; the bits of a float as uint32_t, and the float of such bits
 *     READ(p), NEED()               the value at p; the thread waits here for what it has READ. The CPU double records both, in a
 *                                   kernel whose reads bound its time: a test counts the reads that are in flight together
 */
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)

#ifdef __CUDACC_RTC__
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
typedef __UINT16_TYPE__ uint16_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;
#endif

#define THREAD ((int64_t)threadIdx.x)
#define THREADS ((int64_t)blockDim.x)
#define BLOCK ((int64_t)blockIdx.x)
#define BLOCKS ((int64_t)gridDim.x)
#define SHARED(type, name, count) __shared__ type name[count]
#define BARRIER() __syncthreads()
#define DEVICE static __device__ __forceinline__
#define BITS(x) __float_as_uint(x)
#define FLOAT(u) __uint_as_float(u)
#define READ(p) (*(p))
#define NEED()
#undef INFINITY
#define INFINITY __uint_as_float(0x7f800000u)

#define LISTED(name, count, parameters, arguments, sizes) extern "C" __global__ void name parameters

#else

typedef __UINT16_TYPE__ uint16_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;

/* What a card computes exactly, or, of the logarithms, to one unit in the last place. Its expf, tanhf and the like are less
 * exact and are not here: numbers.cu has its own. */
float logf(float), log1pf(float), sqrtf(float), fabsf(float), copysignf(float, float), fmaxf(float, float);
float fmaf(float, float, float), sinf(float), cosf(float);
double log(double), sqrt(double);

/* The thread that runs, as the double's executor says; fresh: it is the first of its block. */
extern struct recur_place {
  int64_t thread, threads, block, blocks, fresh;
} recur_place;

typedef void recur_stub(void **arguments);
/* Of a parameter: its bytes, and what the address of a pointer to device memory must be a multiple of. */
typedef struct recur_size {
  int bytes, multiple;
} recur_size;
void recur_double_kernel(
    const char *program, const char *name, recur_stub *stub, int parameters, const recur_size *sizes);
void recur_double_barrier(int line);
void recur_double_undefined(void *shared, uint64_t bytes);
void recur_double_read(const void *place);
void recur_double_need(void);

#define THREAD recur_place.thread
#define THREADS recur_place.threads
#define BLOCK recur_place.block
#define BLOCKS recur_place.blocks
#define SHARED(type, name, count) \
  static type name[count]; \
  _Static_assert(sizeof(name) <= 48 << 10, #name ": the threads of a block share 48 KB at most"); \
  if (recur_place.fresh) recur_double_undefined(name, sizeof(name))
#define BARRIER() recur_double_barrier(__LINE__)
#define READ(p) (recur_double_read(p), *(p))
#define NEED() recur_double_need()
#define DEVICE __attribute__((unused)) static inline
#undef INFINITY
#define INFINITY __builtin_inff()

DEVICE uint32_t BITS(float x) {
  union { float x; uint32_t u; } same = {.x = x};
  return same.u;
}

DEVICE float FLOAT(uint32_t u) {
  union { uint32_t u; float x; } same = {.u = u};
  return same.x;
}

#ifndef PROGRAM
#define PROGRAM "recur"
#endif

/* The kernel, a stub that calls it with a list of pointers to its arguments, its entry in the double's table. */
#define LISTED(name, count, parameters, arguments, sizes) \
  static void name parameters; \
  static void name##_stub(void **list) { \
    void **end = list + count; \
    name arguments; \
  } \
  __attribute__((constructor)) static void name##_entry(void) { \
    static const recur_size of_each[] = {BARE sizes}; \
    recur_double_kernel(PROGRAM, #name, name##_stub, count, of_each); \
  } \
  static void name parameters
#define BARE(...) __VA_ARGS__

#endif

#define KERNEL(name, ...) \
  LISTED(name, PAIRS(__VA_ARGS__), (EACH(PARAMETER, __VA_ARGS__)), (EACH(ARGUMENT, __VA_ARGS__)), (EACH(SIZE, __VA_ARGS__)))

/* Of a parameter with its type, its name and its place counted from the last, which has 1: how it is declared, where a
 * stub finds its argument, and its size. A type that SIZE does not list does not compile: the double would not know what
 * the pointee must be aligned to. */
#define PARAMETER(place, type, name) type name
#define ARGUMENT(place, type, name) *(type *)end[-place]
#define SIZE(place, type, name) \
  {(int)sizeof(type), _Generic((type)0, float: 1, int64_t: 1, const float *: 4, float *: 4, const int32_t *: 4, \
      int32_t *: 4, const double *: 8, double *: 8, const int64_t *: 8, int64_t *: 8)}

/* How many pairs of a type and a name there are, and m(place, type, name) of each, with commas between them. */
#define PAIRS(...) \
  PAIRS_OF(__VA_ARGS__, 20, 20, 19, 19, 18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, \
      7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0)
#define PAIRS_OF(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, \
    Q, R, S, T, pairs, ...) pairs
#define EACH(m, ...) EACH_OF(PAIRS(__VA_ARGS__), m, __VA_ARGS__)
#define EACH_OF(pairs, m, ...) EACH_JOINED(pairs, m, __VA_ARGS__)
#define EACH_JOINED(pairs, m, ...) EACH##pairs(m, __VA_ARGS__)
#define EACH1(m, t, a) m(1, t, a)
#define EACH2(m, t, a, ...) m(2, t, a), EACH1(m, __VA_ARGS__)
#define EACH3(m, t, a, ...) m(3, t, a), EACH2(m, __VA_ARGS__)
#define EACH4(m, t, a, ...) m(4, t, a), EACH3(m, __VA_ARGS__)
#define EACH5(m, t, a, ...) m(5, t, a), EACH4(m, __VA_ARGS__)
#define EACH6(m, t, a, ...) m(6, t, a), EACH5(m, __VA_ARGS__)
#define EACH7(m, t, a, ...) m(7, t, a), EACH6(m, __VA_ARGS__)
#define EACH8(m, t, a, ...) m(8, t, a), EACH7(m, __VA_ARGS__)
#define EACH9(m, t, a, ...) m(9, t, a), EACH8(m, __VA_ARGS__)
#define EACH10(m, t, a, ...) m(10, t, a), EACH9(m, __VA_ARGS__)
#define EACH11(m, t, a, ...) m(11, t, a), EACH10(m, __VA_ARGS__)
#define EACH12(m, t, a, ...) m(12, t, a), EACH11(m, __VA_ARGS__)
#define EACH13(m, t, a, ...) m(13, t, a), EACH12(m, __VA_ARGS__)
#define EACH14(m, t, a, ...) m(14, t, a), EACH13(m, __VA_ARGS__)
#define EACH15(m, t, a, ...) m(15, t, a), EACH14(m, __VA_ARGS__)
#define EACH16(m, t, a, ...) m(16, t, a), EACH15(m, __VA_ARGS__)
#define EACH17(m, t, a, ...) m(17, t, a), EACH16(m, __VA_ARGS__)
#define EACH18(m, t, a, ...) m(18, t, a), EACH17(m, __VA_ARGS__)
#define EACH19(m, t, a, ...) m(19, t, a), EACH18(m, __VA_ARGS__)
#define EACH20(m, t, a, ...) m(20, t, a), EACH19(m, __VA_ARGS__)

#define OVER(i, n) for (int64_t i = BLOCK * THREADS + THREAD; i < (n); i += BLOCKS * THREADS)
#define WITHIN(i, n) for (int64_t i = THREAD; i < (n); i += THREADS)

