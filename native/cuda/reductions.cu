/* Reductions over one dimension, and their derivatives, as io.recur.device.kernels.Reductions asks for them. All sums are
 * formed in double, in an order that depends on the reduced size alone. */
enum { BY_SUM, BY_MEAN, BY_MAX, BY_VARIANCE };

/* --- Over the rows of the n columns of m values: a group of threads per column, see softmax.cu. */

/* The mean of column j; for all threads. */
DEVICE double mean_of_column(double *sums, int64_t group, int64_t m, int64_t n, int64_t j, const float *x) {
  double sum = 0;
  ROWS_OF_GROUP(i, m) sum += x[j * m + i];
  return sum_of_group(sums, group, sum) / (double)m;
}

/* y (+)= the reduction of each column; carry: of a sum that is added to, none if null. */
KERNEL(recur_reduce_rows, int64_t, reduction, int64_t, accumulate, int64_t, m, int64_t, n, int64_t, group,
    const float *, x, float *, y, float *, carry)
{
  SHARED(double, sums, MOST_THREADS);
  SHARED(float, tops, MOST_THREADS);
  COLUMNS_OF_GROUPS(j, n) {
    double value = 0;
    if (reduction == BY_MAX) {
      float top = -INFINITY;
      ROWS_OF_GROUP(i, m) top = larger(x[j * m + i], top);
      value = top_of_group(tops, group, top);
    } else if (reduction == BY_VARIANCE) {
      double mean = mean_of_column(sums, group, m, n, j, x);
      ROWS_OF_GROUP(i, m) {
        double d = x[j * m + i] - mean;
        value += d * d;
      }
      value = sum_of_group(sums, group, value) / (double)m;
    } else {
      ROWS_OF_GROUP(i, m) value += x[j * m + i];
      value = sum_of_group(sums, group, value) / (reduction == BY_MEAN ? (double)m : 1);
    }
    if (j >= n || (THREAD & (group - 1)) != 0) continue;
    if (accumulate) add_kept(y + j, carry ? carry + j : carry, value);
    else y[j] = (float)value;
  }
}

/* dX += the derivative at X of its reduction y. */
KERNEL(recur_add_rows_derivative, int64_t, reduction, int64_t, m, int64_t, n, int64_t, group, const float *, x,
    const float *, y, const float *, dy, float *, dx)
{
  SHARED(double, sums, MOST_THREADS);
  COLUMNS_OF_GROUPS(j, n) {
    float up = j < n ? dy[j] : 0.0f;
    if (reduction == BY_MAX) {
      float top = j < n ? y[j] : 0.0f;
      double ties = 0;
      ROWS_OF_GROUP(i, m) ties += x[j * m + i] == top ? 1 : 0;
      float count = (float)sum_of_group(sums, group, ties), share = up / count, none = 0.0f / count;
      ROWS_OF_GROUP(i, m) dx[j * m + i] += x[j * m + i] == top ? share : none;
    } else if (reduction == BY_VARIANCE) {
      double mean = mean_of_column(sums, group, m, n, j, x);
      float factor = 2 * up / (float)m;
      ROWS_OF_GROUP(i, m) dx[j * m + i] += factor * (float)(x[j * m + i] - mean);
    } else {
      float share = reduction == BY_MEAN ? up / (float)m : up;
      ROWS_OF_GROUP(i, m) dx[j * m + i] += share;
    }
  }
}

/* --- Over the n of m x n x t values: a block for each ROWS results of a slab, whose ACROSS threads for a result have every
 * ACROSSth of its values. */

/* The slab of a block, and the row of a thread; m or more: none. */
typedef struct spot {
  int64_t slab, row;
} spot;

DEVICE spot spot_of(int64_t block, int64_t m) {
  uint32_t pieces = (uint32_t)((m - 1) / ROWS) + 1, slab = (uint32_t)block / pieces;
  spot it;
  it.slab = slab;
  it.row = (int64_t)((uint32_t)block - slab * pieces) * ROWS + THREAD % ROWS;
  return it;
}

/* The sum of what the threads of a result pass, or the largest; for all of them. */
DEVICE double all_across(double *shared, double x) {
  BARRIER(); /* who still reads the last result */
  shared[THREAD] = x;
  BARRIER();
  double sum = 0;
  for (int64_t k = 0; k < ACROSS; k++) sum += shared[k * ROWS + THREAD % ROWS];
  return sum;
}

DEVICE float top_across(float *shared, float x) {
  BARRIER();
  shared[THREAD] = x;
  BARRIER();
  for (int64_t k = 0; k < ACROSS; k++) x = larger(shared[k * ROWS + THREAD % ROWS], x);
  return x;
}

#define OVER_VALUES(j, n) for (int64_t j = row < m ? THREAD / ROWS : (n); j < (n); j += ACROSS)

DEVICE double mean_across(double *shared, int64_t m, int64_t n, int64_t row, const float *x) {
  double sum = 0;
  OVER_VALUES(j, n) sum += x[j * m];
  return all_across(shared, sum) / (double)n;
}

/* Y (+)= the reduction; carry: of a sum that is added to, none if null. */
KERNEL(recur_reduce_columns, int64_t, reduction, int64_t, accumulate, int64_t, m, int64_t, n, const float *, x, float *, y,
    float *, carry)
{
  SHARED(double, sums, ROWS * ACROSS);
  SHARED(float, tops, ROWS * ACROSS);
  spot it = spot_of(BLOCK, m);
  int64_t row = it.row, at = it.slab * m + row;
  double value = 0;
  x += it.slab * n * m + row;
  if (reduction == BY_MAX) {
    float top = -INFINITY;
    OVER_VALUES(j, n) top = larger(x[j * m], top);
    value = top_across(tops, top);
  } else if (reduction == BY_VARIANCE) {
    double mean = mean_across(sums, m, n, row, x);
    OVER_VALUES(j, n) {
      double d = x[j * m] - mean;
      value += d * d;
    }
    value = all_across(sums, value) / (double)n;
  } else {
    OVER_VALUES(j, n) value += x[j * m];
    value = all_across(sums, value) / (reduction == BY_MEAN ? (double)n : 1);
  }
  if (THREAD >= ROWS || row >= m) return;
  if (accumulate) add_kept(y + at, carry ? carry + at : carry, value);
  else y[at] = (float)value;
}

/* dX += the derivative at X of its reduction Y. The values of a slab are dealt to `shares` blocks; of a maximum or a variance
 * there is one share, since each would count or add up all. */
KERNEL(recur_add_columns_derivative, int64_t, reduction, int64_t, m, int64_t, n, int64_t, shares, const float *, x,
    const float *, y, const float *, dy, float *, dx)
{
  SHARED(double, sums, ROWS * ACROSS);
  uint32_t block = (uint32_t)BLOCK / (uint32_t)shares, share_number = (uint32_t)BLOCK - block * (uint32_t)shares;
  spot it = spot_of(block, m);
  int64_t row = it.row, at = it.slab * m + row, from = n * share_number / shares, end = n * (share_number + 1) / shares;
  float up = row < m ? dy[at] : 0.0f;
  x += it.slab * n * m + row;
  dx += (it.slab * n + from) * m + row;
  if (reduction == BY_MAX) {
    float top = row < m ? y[at] : 0.0f;
    double ties = 0;
    OVER_VALUES(j, n) ties += x[j * m] == top ? 1 : 0;
    float count = (float)all_across(sums, ties), share = up / count, none = 0.0f / count;
    OVER_VALUES(j, n) dx[j * m] += x[j * m] == top ? share : none;
  } else if (reduction == BY_VARIANCE) {
    double mean = mean_across(sums, m, n, row, x);
    float factor = 2 * up / (float)n;
    OVER_VALUES(j, n) dx[j * m] += factor * (float)(x[j * m] - mean);
  } else {
    float share = reduction == BY_MEAN ? up / (float)n : up;
    OVER_VALUES(j, end - from) dx[j * m] += share;
  }
}
