/* What every kernel is written with. NVRTC and nvcc compile the program, this file and those after it in FILES,
 * as CUDA; gcc and clang compile it as C11 for the CPU double of native/double. No header is included.
 *
 *     KERNEL3(recur_scale, int64_t, n, float, alpha, float *, y)      // its three parameters, type and name in turn
 *     {
 *       OVER(i, n) y[i] *= alpha;
 *     }
 *
 * A parameter is an int64_t, a float or a pointer to device memory, and is handed over in eight bytes.
 * There is nothing beyond what stands here, no atomics, no shuffles: the same launch gives the same bits.
 *
 *     THREAD THREADS BLOCK BLOCKS   which thread of its block, which block, and how many; int64_t
 *     OVER(i, n)                    for each i below n, shared out over the threads of all blocks
 *     WITHIN(i, n)                  for each i below n, shared out over the threads of this block
 *     SHARED(type, name, count);    an array of the block's threads, at the top of a kernel; undefined at first
 *     BARRIER();                    waits for the threads of the block: all of them come to this line, or none
 *     DEVICE                        begins the definition of a function that kernels call
 *     INFINITY, BITS(x), FLOAT(u)   infinity; the bits of a float as uint32_t, and the float of such bits
 *     READ(p), NEED()               the value at p; the thread waits here for what it has READ. Of a kernel whose time is that
 *                                   of its reads the CPU double writes both down: a test sees how many are under way at a time
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

#define KERNEL(count, name, ...) extern "C" __global__ void name(PARAMETERS##count(__VA_ARGS__))

#else

typedef __UINT16_TYPE__ uint16_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;

/* What a card computes exactly, or, of the logarithms, to one unit in the last place. Its expf, tanhf and the like are less
 * exact and are not here: common.cu has its own. */
float logf(float), log1pf(float), sqrtf(float), fabsf(float), copysignf(float, float), fmaxf(float, float);
float fmaf(float, float, float);
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
#define KERNEL(count, name, ...) \
  static void name(PARAMETERS##count(__VA_ARGS__)); \
  static void name##_stub(void **arguments) { \
    void **end = arguments + count; \
    name(VALUES##count(__VA_ARGS__)); \
  } \
  __attribute__((constructor)) static void name##_entry(void) { \
    static const recur_size sizes[] = {SIZES##count(__VA_ARGS__)}; \
    recur_double_kernel(PROGRAM, #name, name##_stub, count, sizes); \
  } \
  static void name(PARAMETERS##count(__VA_ARGS__))

#endif

#define PARAMETERS1(t, a) t a
#define PARAMETERS2(t, a, ...) t a, PARAMETERS1(__VA_ARGS__)
#define PARAMETERS3(t, a, ...) t a, PARAMETERS2(__VA_ARGS__)
#define PARAMETERS4(t, a, ...) t a, PARAMETERS3(__VA_ARGS__)
#define PARAMETERS5(t, a, ...) t a, PARAMETERS4(__VA_ARGS__)
#define PARAMETERS6(t, a, ...) t a, PARAMETERS5(__VA_ARGS__)
#define PARAMETERS7(t, a, ...) t a, PARAMETERS6(__VA_ARGS__)
#define PARAMETERS8(t, a, ...) t a, PARAMETERS7(__VA_ARGS__)
#define PARAMETERS9(t, a, ...) t a, PARAMETERS8(__VA_ARGS__)
#define PARAMETERS10(t, a, ...) t a, PARAMETERS9(__VA_ARGS__)
#define PARAMETERS11(t, a, ...) t a, PARAMETERS10(__VA_ARGS__)
#define PARAMETERS12(t, a, ...) t a, PARAMETERS11(__VA_ARGS__)
#define PARAMETERS13(t, a, ...) t a, PARAMETERS12(__VA_ARGS__)
#define PARAMETERS14(t, a, ...) t a, PARAMETERS13(__VA_ARGS__)
#define PARAMETERS15(t, a, ...) t a, PARAMETERS14(__VA_ARGS__)
#define PARAMETERS16(t, a, ...) t a, PARAMETERS15(__VA_ARGS__)
#define PARAMETERS17(t, a, ...) t a, PARAMETERS16(__VA_ARGS__)
#define PARAMETERS18(t, a, ...) t a, PARAMETERS17(__VA_ARGS__)
#define PARAMETERS19(t, a, ...) t a, PARAMETERS18(__VA_ARGS__)
#define PARAMETERS20(t, a, ...) t a, PARAMETERS19(__VA_ARGS__)

#define VALUES1(t, a) *(t *)end[-1]
#define VALUES2(t, a, ...) *(t *)end[-2], VALUES1(__VA_ARGS__)
#define VALUES3(t, a, ...) *(t *)end[-3], VALUES2(__VA_ARGS__)
#define VALUES4(t, a, ...) *(t *)end[-4], VALUES3(__VA_ARGS__)
#define VALUES5(t, a, ...) *(t *)end[-5], VALUES4(__VA_ARGS__)
#define VALUES6(t, a, ...) *(t *)end[-6], VALUES5(__VA_ARGS__)
#define VALUES7(t, a, ...) *(t *)end[-7], VALUES6(__VA_ARGS__)
#define VALUES8(t, a, ...) *(t *)end[-8], VALUES7(__VA_ARGS__)
#define VALUES9(t, a, ...) *(t *)end[-9], VALUES8(__VA_ARGS__)
#define VALUES10(t, a, ...) *(t *)end[-10], VALUES9(__VA_ARGS__)
#define VALUES11(t, a, ...) *(t *)end[-11], VALUES10(__VA_ARGS__)
#define VALUES12(t, a, ...) *(t *)end[-12], VALUES11(__VA_ARGS__)
#define VALUES13(t, a, ...) *(t *)end[-13], VALUES12(__VA_ARGS__)
#define VALUES14(t, a, ...) *(t *)end[-14], VALUES13(__VA_ARGS__)
#define VALUES15(t, a, ...) *(t *)end[-15], VALUES14(__VA_ARGS__)
#define VALUES16(t, a, ...) *(t *)end[-16], VALUES15(__VA_ARGS__)
#define VALUES17(t, a, ...) *(t *)end[-17], VALUES16(__VA_ARGS__)
#define VALUES18(t, a, ...) *(t *)end[-18], VALUES17(__VA_ARGS__)
#define VALUES19(t, a, ...) *(t *)end[-19], VALUES18(__VA_ARGS__)
#define VALUES20(t, a, ...) *(t *)end[-20], VALUES19(__VA_ARGS__)

/* A type that is not here does not compile: the double would not know what its pointee must lie on. */
#define SIZE(t) \
  {(int)sizeof(t), _Generic((t)0, float: 1, int64_t: 1, const float *: 4, float *: 4, const int32_t *: 4, int32_t *: 4, \
      const double *: 8, double *: 8, const int64_t *: 8, int64_t *: 8)}
#define SIZES1(t, a) SIZE(t)
#define SIZES2(t, a, ...) SIZE(t), SIZES1(__VA_ARGS__)
#define SIZES3(t, a, ...) SIZE(t), SIZES2(__VA_ARGS__)
#define SIZES4(t, a, ...) SIZE(t), SIZES3(__VA_ARGS__)
#define SIZES5(t, a, ...) SIZE(t), SIZES4(__VA_ARGS__)
#define SIZES6(t, a, ...) SIZE(t), SIZES5(__VA_ARGS__)
#define SIZES7(t, a, ...) SIZE(t), SIZES6(__VA_ARGS__)
#define SIZES8(t, a, ...) SIZE(t), SIZES7(__VA_ARGS__)
#define SIZES9(t, a, ...) SIZE(t), SIZES8(__VA_ARGS__)
#define SIZES10(t, a, ...) SIZE(t), SIZES9(__VA_ARGS__)
#define SIZES11(t, a, ...) SIZE(t), SIZES10(__VA_ARGS__)
#define SIZES12(t, a, ...) SIZE(t), SIZES11(__VA_ARGS__)
#define SIZES13(t, a, ...) SIZE(t), SIZES12(__VA_ARGS__)
#define SIZES14(t, a, ...) SIZE(t), SIZES13(__VA_ARGS__)
#define SIZES15(t, a, ...) SIZE(t), SIZES14(__VA_ARGS__)
#define SIZES16(t, a, ...) SIZE(t), SIZES15(__VA_ARGS__)
#define SIZES17(t, a, ...) SIZE(t), SIZES16(__VA_ARGS__)
#define SIZES18(t, a, ...) SIZE(t), SIZES17(__VA_ARGS__)
#define SIZES19(t, a, ...) SIZE(t), SIZES18(__VA_ARGS__)
#define SIZES20(t, a, ...) SIZE(t), SIZES19(__VA_ARGS__)

#define KERNEL1(name, ...) KERNEL(1, name, __VA_ARGS__)
#define KERNEL2(name, ...) KERNEL(2, name, __VA_ARGS__)
#define KERNEL3(name, ...) KERNEL(3, name, __VA_ARGS__)
#define KERNEL4(name, ...) KERNEL(4, name, __VA_ARGS__)
#define KERNEL5(name, ...) KERNEL(5, name, __VA_ARGS__)
#define KERNEL6(name, ...) KERNEL(6, name, __VA_ARGS__)
#define KERNEL7(name, ...) KERNEL(7, name, __VA_ARGS__)
#define KERNEL8(name, ...) KERNEL(8, name, __VA_ARGS__)
#define KERNEL9(name, ...) KERNEL(9, name, __VA_ARGS__)
#define KERNEL10(name, ...) KERNEL(10, name, __VA_ARGS__)
#define KERNEL11(name, ...) KERNEL(11, name, __VA_ARGS__)
#define KERNEL12(name, ...) KERNEL(12, name, __VA_ARGS__)
#define KERNEL13(name, ...) KERNEL(13, name, __VA_ARGS__)
#define KERNEL14(name, ...) KERNEL(14, name, __VA_ARGS__)
#define KERNEL15(name, ...) KERNEL(15, name, __VA_ARGS__)
#define KERNEL16(name, ...) KERNEL(16, name, __VA_ARGS__)
#define KERNEL17(name, ...) KERNEL(17, name, __VA_ARGS__)
#define KERNEL18(name, ...) KERNEL(18, name, __VA_ARGS__)
#define KERNEL19(name, ...) KERNEL(19, name, __VA_ARGS__)
#define KERNEL20(name, ...) KERNEL(20, name, __VA_ARGS__)

#define OVER(i, n) for (int64_t i = BLOCK * THREADS + THREAD; i < (n); i += BLOCKS * THREADS)
#define WITHIN(i, n) for (int64_t i = THREAD; i < (n); i += THREADS)

