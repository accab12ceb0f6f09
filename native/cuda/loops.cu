/* How the threads of a launch go over values, four at a time or over the columns of a matrix, and add up what they have. */

#ifdef __CUDACC__
#define ROLLED _Pragma("unroll 1")
#define EIGHTFOLD _Pragma("unroll 8")
#else
#define ROLLED
#define EIGHTFOLD
#endif

/* As OVER, but a thread takes four values, i a grid apart, at a time: it reads all of them, in `load`, into one[k],
 * two[k] and three[k], before it writes one in `store`. With one value at a time, too few bytes are in flight to fill
 * the bus. Neither alignment nor the size matters, and an output may be an input. */
#define FOURS(i, n, load, ...) FOURS_FROM(i, BLOCK * THREADS + THREAD, BLOCKS * THREADS, n, load, __VA_ARGS__)

/* The same for values that are `apart`, from the thread's first on. */
#define FOURS_FROM(i, begin, apart, n, load, ...) \
  ROLLED \
  for (int64_t first = begin, step = apart; first < (n); first += 4 * step) { \
    float one[4], two[4], three[4]; \
    (void)two, (void)three; \
    for (int k = 0; k < 4; k++) { \
      int64_t i = first + k * step; \
      if (i < (n)) load; \
    } \
    for (int k = 0; k < 4; k++) { \
      int64_t i = first + k * step; \
      if (i < (n)) __VA_ARGS__; \
    } \
  }

/* Where a thread works in a matrix of m rows, launched by Launch.overColumns: in one row, in every `step`th column. A block
 * has all rows of some columns at a time, or THREADS rows of one. Only numbers of blocks are divided, once per thread:
 * dividing the place of each value by m would take longer than fetching the value. */
typedef struct tile {
  int64_t row, column, step;
} tile;

DEVICE tile tile_of(int64_t m) {
  int shift = 0;
  while (1 << shift < THREADS && 1 << shift < m) shift++;
  uint32_t pieces = (uint32_t)((m - 1) >> shift) + 1, group = (uint32_t)BLOCK / pieces, piece = (uint32_t)BLOCK - group * pieces;
  tile it;
  it.row = ((int64_t)piece << shift) + (THREAD & ((1 << shift) - 1));
  it.column = group * (THREADS >> shift) + (THREAD >> shift);
  it.step = (uint32_t)BLOCKS / pieces * (THREADS >> shift);
  if (group == (uint32_t)BLOCKS / pieces) it.column = (int64_t)1 << 62; /* a block too many for these rows: none */
  return it;
}

#define OVER_COLUMNS(at, m, n) for (; at.row < (m) && at.column < (n); at.column += at.step)

/* A block has 256 threads at most; `group` successive ones, a power of two, work together. Each passes an x and gets
 * the sum of its group's, always added in the same order. `shared` has a place for each thread of the block. */
enum { MOST_THREADS = 256 };

DEVICE double sum_of_group(double *shared, int64_t group, double x) {
  int64_t place = THREAD & (group - 1);
  BARRIER(); /* who still reads the last result */
  shared[THREAD] = x;
  for (int64_t half = group / 2; half > 0; half /= 2) {
    BARRIER();
    if (place < half) shared[THREAD] += shared[THREAD + half];
  }
  BARRIER();
  return shared[THREAD - place];
}

/* The same for the largest. */
DEVICE float top_of_group(float *shared, int64_t group, float x) {
  int64_t place = THREAD & (group - 1);
  BARRIER();
  shared[THREAD] = x;
  for (int64_t half = group / 2; half > 0; half /= 2) {
    BARRIER();
    if (place < half) shared[THREAD] = larger(shared[THREAD + half], shared[THREAD]);
  }
  BARRIER();
  return shared[THREAD - place];
}
