/* Passes over the columns of m x n matrices, as io.recur.device.Columns asks for them. An index names a column of a
 * matrix of `columns` columns; one that names none is noted, see refuse, and gives not-a-numbers, or is passed over where it
 * would be added to. */

KERNEL5(recur_add_column, int64_t, m, int64_t, n, const float *, x, const float *, b, float *, y)
{
  FOURS(at, m * n, one[k] = x[at], y[at] = one[k] + b[at % m])
}

/* Y (+)= X in matrices of ldx and ldy rows; ldx = 0 repeats one column. */
KERNEL7(recur_block, int64_t, m, int64_t, n, const float *, x, int64_t, ldx, int64_t, accumulate, float *, y,
    int64_t, ldy)
{
  OVER(at, m * n) {
    int64_t j = at / m, i = at - j * m;
    float value = x[j * ldx + i];
    y[j * ldy + i] = accumulate ? y[j * ldy + i] + value : value;
  }
}

/* b: none if null. */
KERNEL8(recur_gather, int64_t, m, int64_t, n, int64_t, columns, const float *, w, const int32_t *, index,
    const float *, b, float *, y, int64_t *, note)
{
  OVER(at, m * n) {
    int64_t j = at / m, i = at - j * m;
    uint32_t column = (uint32_t)index[j];
    float value = column < columns ? w[column * m + i] : INFINITY - INFINITY;
    if (i == 0 && column >= columns) refuse(note, GATHERS, columns, j, (int32_t)column);
    y[at] = b ? value + b[i] : value;
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
KERNEL7(recur_add_column_sum, int64_t, m, int64_t, n, int64_t, shares, const float *, x, double *, parts, float *, y,
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

/* W[:,index[j]] += Y[:,j] in the order of j: whatever is added to one value is added by one thread. A block has THREADS
 * rows of one column of W: with few columns, of each of them; with many, of that which index[item] names, if that is
 * the first index to do so. It sums in double. It looks at 32 indexes a thread and a turn, and keeps a bit of each that
 * names its column. */
KERNEL8(recur_scatter_add, int64_t, m, int64_t, n, int64_t, columns, const float *, y, const int32_t *, index,
    float *, w, float *, carry, int64_t *, note)
{
  SHARED(uint32_t, named, MOST_THREADS);
  if (BLOCK == 0)
    WITHIN(j, n) if ((uint32_t)index[j] >= columns) refuse(note, SCATTERS, columns, j, index[j]);
  int64_t pieces = (m + THREADS - 1) / THREADS, item = BLOCK / pieces, i = BLOCK % pieces * THREADS + THREAD;
  int64_t column = columns <= n ? item : index[item];
  int64_t sought = columns <= n ? -1 : item; /* the first to name it, if that matters */
  if (column < 0 || column >= columns) return;
  double sum = 0;
  for (int64_t from = 0; from < n; from += 32 * THREADS) {
    uint32_t mask = 0;
    for (int64_t k = 0; k < 32; k++) {
      int64_t j = from + 32 * THREAD + k;
      if (j < n && index[j] == column) mask |= 1u << k;
    }
    BARRIER();
    named[THREAD] = mask;
    BARRIER();
    for (int64_t t = 0; t < THREADS && from + 32 * t < n; t++) {
      int64_t j = from + 32 * t;
      for (uint32_t rest = named[t]; rest; rest >>= 1, j++) {
        if (!(rest & 1)) continue;
        if (sought >= 0 && j != sought) return;
        sought = -1;
        if (i < m) sum += y[j * m + i];
      }
    }
  }
  if (i < m) add_kept(w + column * m + i, carry + column * m + i, sum);
}
