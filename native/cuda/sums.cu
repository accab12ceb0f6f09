/* Sums over many values: each block leaves one part, in double, and a second kernel adds the parts up in their order. */

/* y += x for a sum that grows from call to call, whose carry keeps what y lost to rounding; null: none is kept. A carry
 * counts only where it does not change y: whoever writes y otherwise need not know of it. */
DEVICE void add_kept(float *y, float *carry, double x) {
  float before = *y, lost = carry ? *carry : 0.0f, both = before + lost;
  double sum = (both == before ? (double)before + lost : before) + x;
  float after = (float)sum;
  *y = after;
  if (carry) *carry = (float)(sum - after);
}

/* parts[block] = its share of the sum of x, or of its squares. */
KERNEL(recur_sum, int64_t, squares, const float *, x, int64_t, n, double *, parts)
{
  SHARED(double, shared, MOST_THREADS);
  double sum = 0;
  FOURS(i, n, one[k] = x[i], sum += squares ? (double)one[k] * one[k] : (double)one[k])
  sum = sum_of_group(shared, THREADS, sum);
  if (THREAD == 0) parts[BLOCK] = sum;
}

/* The sum of the parts; for one block. */
DEVICE double total_of(double *shared, int64_t count, const double *parts) {
  double sum = 0;
  WITHIN(i, count) sum += parts[i];
  return sum_of_group(shared, THREADS, sum);
}

/* total (+)= the sum of the parts; one block. */
KERNEL(recur_total, int64_t, accumulate, int64_t, count, const double *, parts, double *, total)
{
  SHARED(double, shared, MOST_THREADS);
  double sum = total_of(shared, count, parts);
  if (THREAD == 0) total[0] = accumulate ? total[0] + sum : sum;
}

/* y = alpha/n times the sum of the parts; one block. */
KERNEL(recur_sum_into, float, alpha, int64_t, n, int64_t, count, const double *, parts, float *, y)
{
  SHARED(double, shared, MOST_THREADS);
  double sum = total_of(shared, count, parts);
  if (THREAD == 0) y[0] = (float)(alpha * sum / (double)n);
}

/* y += the parts, each of m values, in their order. carry: none if null. */
KERNEL(recur_add_parts, int64_t, m, int64_t, count, const double *, parts, float *, y, float *, carry)
{
  OVER(i, m) {
    double sum = 0;
    for (int64_t p = 0; p < count; p++) sum += parts[p * m + i];
    add_kept(y + i, carry ? carry + i : carry, sum);
  }
}
