/* Softmax and cross-entropy of the columns of m x n matrices. A column belongs to a group of `group` threads, a power of
 * two; each group of a block takes one column per turn, and all take the same number of turns. */
#define COLUMNS_OF_GROUPS(j, n) \
  for (int64_t j = (BLOCK * THREADS + THREAD) / group, turn = 0; turn * BLOCKS * (THREADS / group) < (n); \
       turn++, j += BLOCKS * (THREADS / group))

/* The rows of a thread in a column; none behind the last column. */
#define ROWS_OF_GROUP(i, m) for (int64_t i = j < n ? THREAD & (group - 1) : (m); i < (m); i += group)

/* Y = softmax(X) or its logarithm; Y may be X. */
KERNEL(recur_softmax, int64_t, m, int64_t, n, int64_t, group, int64_t, logarithm, const float *, x, float *, y)
{
  SHARED(float, tops, MOST_THREADS);
  SHARED(double, sums, MOST_THREADS);
  COLUMNS_OF_GROUPS(j, n) {
    float top = -INFINITY;
    ROWS_OF_GROUP(i, m) top = fmaxf(top, x[j * m + i]);
    top = top_of_group(tops, group, top);
    double sum = 0;
    ROWS_OF_GROUP(i, m) sum += exp_of(x[j * m + i] - top);
    sum = sum_of_group(sums, group, sum);
    float shift = (float)log(sum), factor = (float)(1 / sum);
    ROWS_OF_GROUP(i, m) {
      float score = x[j * m + i] - top;
      y[j * m + i] = logarithm ? score - shift : factor * exp_of(score);
    }
  }
}

/* dX += the derivative of it at the output Y. */
KERNEL(recur_add_softmax_derivative, int64_t, m, int64_t, n, int64_t, group, int64_t, logarithm, const float *, y,
    const float *, dy, float *, dx)
{
  SHARED(double, sums, MOST_THREADS);
  COLUMNS_OF_GROUPS(j, n) {
    double sum = 0;
    ROWS_OF_GROUP(i, m) sum += logarithm ? (double)dy[j * m + i] : (double)y[j * m + i] * dy[j * m + i];
    float total = (float)sum_of_group(sums, group, sum);
    ROWS_OF_GROUP(i, m) {
      float share = y[j * m + i], up = dy[j * m + i];
      dx[j * m + i] += logarithm ? up - exp_of(share) * total : share * (up - total);
    }
  }
}

/* P = softmax(X); parts[block] = the sum of -log P[index[j],j] over its columns, for recur_sum_into. The target's score
 * is read before its place is overwritten: P may be X. */
KERNEL(recur_cross_entropy, int64_t, m, int64_t, n, int64_t, group, const float *, x, const int32_t *, index,
    float *, p, double *, parts, int64_t *, note)
{
  SHARED(float, tops, MOST_THREADS);
  SHARED(double, sums, MOST_THREADS);
  double loss = 0;
  COLUMNS_OF_GROUPS(j, n) {
    float top = -INFINITY;
    ROWS_OF_GROUP(i, m) top = fmaxf(top, x[j * m + i]);
    top = top_of_group(tops, group, top);
    double sum = 0;
    int leads = j < n && (THREAD & (group - 1)) == 0;
    int named = leads && (uint32_t)index[j] < m;
    if (leads && !named) refuse(note, CROSS_ENTROPIES, m, j, index[j]);
    float score = named ? x[j * m + index[j]] - top : INFINITY - INFINITY;
    ROWS_OF_GROUP(i, m) sum += exp_of(x[j * m + i] - top);
    sum = sum_of_group(sums, group, sum);
    float factor = (float)(1 / sum);
    if (leads) loss += log(sum) - score;
    ROWS_OF_GROUP(i, m) p[j * m + i] = factor * exp_of(x[j * m + i] - top);
  }
  loss = sum_of_group(sums, THREADS, loss);
  if (THREAD == 0) parts[BLOCK] = loss;
}

/* dX += dloss/n (P - onehot(index)). The target's share less one first, then the factor: a share of nearly 1 keeps its
 * digits. */
KERNEL(recur_add_cross_entropy_derivative, int64_t, m, int64_t, n, const float *, p, const int32_t *, index,
    const float *, dloss, float *, dx, int64_t *, note)
{
  float factor = dloss[0] / (float)n;
  tile it = tile_of(m);
  OVER_COLUMNS(it, m, n) {
    int64_t at = it.column * m + it.row;
    int32_t target = index[it.column];
    dx[at] += factor * (target == it.row ? p[at] - 1.0f : p[at]);
    if (it.row == 0 && (uint32_t)target >= m) refuse(note, CROSS_ENTROPY_DERIVATIVES, m, it.column, target);
  }
}
