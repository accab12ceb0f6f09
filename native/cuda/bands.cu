/* Products with stacked band matrices, as io.recur.device.kernels.Bands describes them: blocks of n x n, each as its
 * diagonals, lowest first. Diagonal d holds the elements (i, i + d); it begins at i = -d or at column d. */

DEVICE int64_t stored_of(int64_t bandwidth, int64_t n) {
  return (2 * bandwidth + 1) * n - bandwidth * (bandwidth + 1);
}

/* Y = W X + beta Y, a thread for each row of Y. */
KERNEL(recur_band_multiply, int64_t, bandwidth, int64_t, n, int64_t, blocks, const float *, w, const float *, x,
    int64_t, columns, float, beta, float *, y, int64_t, ldy)
{
  tile it = tile_of(blocks * n);
  int64_t block = it.row / n, i = it.row - block * n;
  OVER_COLUMNS(it, blocks * n, columns) {
    const float *diagonal = w + block * stored_of(bandwidth, n), *column = x + it.column * n;
    float *to = y + it.column * ldy + it.row, sum = beta == 0 ? 0 : beta * *to;
    for (int64_t d = -bandwidth; d <= bandwidth; d++) {
      if (i + d >= 0 && i + d < n) sum += diagonal[d > 0 ? i : i + d] * column[i + d];
      diagonal += n - (d > 0 ? d : -d);
    }
    *to = sum;
  }
}

/* dX = W' dY + beta dX, a thread for each row of dX. */
KERNEL(recur_band_multiply_transposed, int64_t, bandwidth, int64_t, n, int64_t, blocks, const float *, w,
    const float *, dy, int64_t, lddy, int64_t, columns, float, beta, float *, dx)
{
  tile it = tile_of(n);
  OVER_COLUMNS(it, n, columns) {
    int64_t i = it.row;
    const float *diagonal = w, *column = dy + it.column * lddy;
    float *to = dx + it.column * n + i, sum = beta == 0 ? 0 : beta * *to;
    for (int64_t block = 0; block < blocks; block++, column += n)
      for (int64_t d = -bandwidth; d <= bandwidth; d++) {
        if (i - d >= 0 && i - d < n) sum += diagonal[d > 0 ? i - d : i] * column[i - d];
        diagonal += n - (d > 0 ? d : -d);
      }
    *to = sum;
  }
}

/* dW += dY X' on the stored diagonals; shares and parts as for recur_add_column_sum, with a stored value as a row. */
KERNEL(recur_add_band_gradient, int64_t, bandwidth, int64_t, n, int64_t, blocks, const float *, dy, int64_t, lddy,
    const float *, x, int64_t, columns, int64_t, shares, double *, parts, float *, dw)
{
  SHARED(double, shared, ROWS * ACROSS);
  int64_t stored = stored_of(bandwidth, n), all = blocks * stored;
  int64_t share = BLOCK % shares, at = BLOCK / shares * ROWS + THREAD % ROWS, place = at % stored, d = -bandwidth;
  while (place >= n - (d > 0 ? d : -d)) {
    place -= n - (d > 0 ? d : -d);
    d++;
  }
  int64_t row = at / stored * n + place + (d < 0 ? -d : 0), column = place + (d > 0 ? d : 0);
  double sum = 0;
  if (at < all)
    for (int64_t j = columns * share / shares + THREAD / ROWS; j < columns * (share + 1) / shares; j += ACROSS)
      sum += (double)dy[j * lddy + row] * x[j * n + column];
  sum = sum_across(shared, sum);
  if (THREAD >= ROWS || at >= all) return;
  if (shares == 1) dw[at] = (float)(dw[at] + sum);
  else parts[share * all + at] = sum;
}
