/* Passes over the columns of m x n matrices, as io.recur.device.Columns asks for them. An index names a column of a
 * matrix of `columns` columns; one that names none is noted, see refuse; its values are not-a-numbers, and nothing is
 * added to it. */

/* Notes, for the host to look at when it has waited, that index[j] names none of the columns of what an operation works on.
 * The first launch that finds one notes it; of several in one launch, any of them, since each is one word of 64 bits. */
enum { GATHERS, SCATTERS, CROSS_ENTROPIES, CROSS_ENTROPY_DERIVATIVES };

DEVICE void refuse(int64_t *note, int64_t operation, int64_t columns, int64_t j, int32_t index) {
  if (note[0]) return;
  note[1] = columns;
  note[2] = operation;
  note[0] = (int64_t)((uint64_t)(uint32_t)index << 32 | (uint32_t)(j + 1));
}

/* Notes indexes of a gather that name no column. */
KERNEL(recur_check_indexes, int64_t, n, int64_t, columns, const int32_t *, index, int64_t *, note)
{
  OVER(j, n) if ((uint32_t)index[j] >= columns) refuse(note, GATHERS, columns, j, index[j]);
}

KERNEL(recur_add_column, int64_t, m, int64_t, n, const float *, x, const float *, b, float *, y)
{
  tile it = tile_of(m);
  if (it.row >= m) return;
  float value = b[it.row];
  FOURS_FROM(at, it.column * m + it.row, it.step * m, m * n, one[k] = x[at], y[at] = one[k] + value)
}

/* Y (+)= X in matrices of ldx and ldy rows; ldx = 0 repeats one column. */
KERNEL(recur_block, int64_t, m, int64_t, n, const float *, x, int64_t, ldx, int64_t, accumulate, float *, y,
    int64_t, ldy)
{
  tile it = tile_of(m);
  OVER_COLUMNS(it, m, n) {
    float value = x[it.column * ldx + it.row], *to = y + it.column * ldy + it.row;
    *to = accumulate ? *to + value : value;
  }
}

/* b: none if null. */
KERNEL(recur_gather, int64_t, m, int64_t, n, int64_t, columns, const float *, w, const int32_t *, index,
    const float *, b, float *, y, int64_t *, note)
{
  tile it = tile_of(m);
  OVER_COLUMNS(it, m, n) {
    uint32_t column = (uint32_t)index[it.column];
    float value = column < columns ? w[column * m + it.row] : INFINITY - INFINITY;
    if (it.row == 0 && column >= columns) refuse(note, GATHERS, columns, it.column, (int32_t)column);
    y[it.column * m + it.row] = b ? value + b[it.row] : value;
  }
}

/* Rows of a block of ROWS x ACROSS threads: those of a row are ROWS apart, each has every ACROSSth column of the
 * block's share, and the first of them gets the sum of all, in their order. */
enum { ROWS = 32, ACROSS = 8 };

DEVICE double sum_across(double *shared, double x) {
  shared[THREAD] = x;
  BARRIER();
  if (THREAD < ROWS)
    for (int64_t k = 1; k < ACROSS; k++) x += shared[k * ROWS + THREAD];
  return x;
}

/* Sums of columns, in double, with a block for each ROWS rows and each of `shares` shares of the columns. One share: y +=
 * the sum; more: parts[share] = the sums, for recur_add_parts. */
KERNEL(recur_add_column_sum, int64_t, m, int64_t, n, int64_t, shares, const float *, x, double *, parts, float *, y,
    float *, carry)
{
  SHARED(double, shared, ROWS * ACROSS);
  int64_t share = BLOCK % shares, i = BLOCK / shares * ROWS + THREAD % ROWS;
  double sum = 0;
  if (i < m)
    for (int64_t j = n * share / shares + THREAD / ROWS; j < n * (share + 1) / shares; j += ACROSS) sum += x[j * m + i];
  sum = sum_across(shared, sum);
  if (THREAD >= ROWS || i >= m) return;
  if (shares == 1) add_kept(y + i, carry ? carry + i : carry, sum);
  else parts[share * m + i] = sum;
}

/* For recur_scatter_add: its blocks look at 32 columns a thread and a turn, and fetch 8 values before they add the first. */
enum { LOOKED_AT = 32, TURN = LOOKED_AT * MOST_THREADS, AHEAD = 8 };

/* Which of the columns from `first` on, those of a turn, index names `column` for: their places behind `first`, in their order.
 * Neighbouring threads read neighbouring indexes and leave a bit for each; then each thread takes the bits of 32 successive
 * columns, and learns from the counts of the threads before it where its places belong. Gives how many there are. */
DEVICE int32_t find_in_turn(uint32_t *bits, int32_t *counts, int32_t *totals, uint16_t *found, const int32_t *index,
    int64_t first, int64_t n, int32_t column) {
  int32_t thread = (int32_t)THREAD, threads = (int32_t)THREADS, group = thread / LOOKED_AT, groups = threads / LOOKED_AT;
  int32_t end = n - first < TURN ? (int32_t)(n - first) : TURN;
  uint32_t seen = 0, mine = 0;
  index += first;
  EIGHTFOLD
  for (int32_t k = 0; k < LOOKED_AT; k++) {
    int32_t j = k * threads + thread;
    if (j < end && index[j] == column) seen |= 1u << k;
  }
  bits[thread] = seen;
  BARRIER();
  int32_t begin = thread * LOOKED_AT, row = begin / threads, from = begin % threads, count = 0;
  EIGHTFOLD
  for (int32_t k = 0; k < LOOKED_AT; k++) {
    int32_t turned = (k + thread) % LOOKED_AT; /* or the threads of a warp would all ask the same bank */
    uint32_t bit = bits[from + turned] >> row & 1;
    mine |= bit << turned;
    count += (int32_t)bit;
  }
  counts[thread] = count;
  BARRIER();
  if (thread < groups) {
    int32_t sum = 0;
    EIGHTFOLD
    for (int32_t k = 0; k < LOOKED_AT; k++) sum += counts[thread * LOOKED_AT + (k + thread) % LOOKED_AT];
    totals[thread] = sum;
  }
  BARRIER();
  int32_t place = 0, all = 0;
  for (int32_t g = 0; g < groups; g++) {
    if (g < group) place += totals[g];
    all += totals[g];
  }
  for (int32_t k = group * LOOKED_AT; k < thread; k++) place += counts[k];
  for (int32_t j = begin; mine; mine >>= 1, j++)
    if (mine & 1) found[place++] = (uint16_t)j;
  BARRIER();
  return all;
}

/* W[:,index[j]] += Y[:,j] in the order of j: whatever is added to one value is added by one thread. A block has THREADS
 * rows of one column of W: with few columns, of each of them; with many, of that which index[item] names, if that is
 * the first index to do so. It sums in double. */
KERNEL(recur_scatter_add, int64_t, m, int64_t, n, int64_t, columns, const float *, y, const int32_t *, index,
    float *, w, float *, carry, int64_t *, note)
{
  SHARED(uint32_t, bits, MOST_THREADS);
  SHARED(int32_t, counts, MOST_THREADS);
  SHARED(int32_t, totals, MOST_THREADS / LOOKED_AT);
  SHARED(uint16_t, found, TURN);
  if (BLOCK == 0)
    WITHIN(j, n) if ((uint32_t)index[j] >= columns) refuse(note, SCATTERS, columns, j, index[j]);
  int64_t pieces = (m + THREADS - 1) / THREADS, item = BLOCK / pieces, i = BLOCK % pieces * THREADS + THREAD;
  int64_t column = columns <= n ? item : index[item];
  int64_t sought = columns <= n ? -1 : item; /* the first to name it, if that matters */
  if (column < 0 || column >= columns) return;
  double sum = 0;
  for (int64_t first = 0; first < n; first += LOOKED_AT * THREADS) {
    int32_t all = find_in_turn(bits, counts, totals, found, index, first, n, (int32_t)column);
    if (sought >= 0 && all > 0) {
      if (first + found[0] != sought) return;
      sought = -1;
    }
    for (int32_t at = 0; i < m && at < all; at += AHEAD) {
      float values[AHEAD];
      for (int k = 0; k < AHEAD; k++)
        if (at + k < all) values[k] = READ(y + (first + found[at + k]) * m + i);
      NEED();
      for (int k = 0; k < AHEAD; k++)
        if (at + k < all) sum += values[k];
    }
  }
  if (i < m) add_kept(w + column * m + i, carry + column * m + i, sum);
}
