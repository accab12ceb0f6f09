package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.kernels.Band;
import io.recur.device.kernels.Bands;
import java.util.Arrays;

/** Products with band matrices, column by column and diagonal by diagonal. */
final class JavaBands implements Bands {
  private final ThreadLocal<Workspace> workspaces;

  JavaBands(ThreadLocal<Workspace> workspaces) {
    this.workspaces = workspaces;
  }

  @Override
  public void multiply(Band band, Buffer w, Buffer x, int columns, float beta, Buffer y, int ldy) {
    Workspace work = workspaces.get();
    int n = band.n();
    float[] values = work.load(0, w, 0, band.stored());
    for (int j = 0; j < columns; j++) {
      float[] input = work.load(1, x, (long) j * n, n);
      float[] output = start(work, 2, y, (long) j * ldy, band.rows(), beta);
      for (int block = 0; block < band.blocks(); block++) {
        int at = block * band.storedPerBlock();
        for (int d = -band.bandwidth(); d <= band.bandwidth(); d++) {
          int length = n - Math.abs(d);
          addDiagonal(
              values, at, input, Math.max(d, 0), output, block * n + Math.max(-d, 0), length);
          at += length;
        }
      }
      Workspace.store(output, 0, y, (long) j * ldy, band.rows());
    }
  }

  @Override
  public void multiplyTransposed(
      Band band, Buffer w, Buffer dy, int lddy, int columns, float beta, Buffer dx) {
    Workspace work = workspaces.get();
    int n = band.n();
    float[] values = work.load(0, w, 0, band.stored());
    for (int j = 0; j < columns; j++) {
      float[] upstream = work.load(1, dy, (long) j * lddy, band.rows());
      float[] output = start(work, 2, dx, (long) j * n, n, beta);
      for (int block = 0; block < band.blocks(); block++) {
        int at = block * band.storedPerBlock();
        for (int d = -band.bandwidth(); d <= band.bandwidth(); d++) {
          int length = n - Math.abs(d);
          addDiagonal(
              values, at, upstream, block * n + Math.max(-d, 0), output, Math.max(d, 0), length);
          at += length;
        }
      }
      Workspace.store(output, 0, dx, (long) j * n, n);
    }
  }

  @Override
  public void addGradient(Band band, Buffer dy, int lddy, Buffer x, int columns, Buffer dw) {
    Workspace work = workspaces.get();
    int all = band.stored();
    float[] sum = work.array(0, all);
    double[] total = work.sums(all);
    Arrays.fill(total, 0, all, 0);
    for (int from = 0; from < columns; from += JavaColumns.BLOCK_COLUMNS) {
      int to = Math.min(columns, from + JavaColumns.BLOCK_COLUMNS);
      Arrays.fill(sum, 0, all, 0);
      addProducts(work, band, dy, lddy, x, from, to, sum);
      for (int i = 0; i < all; i++) {
        total[i] += sum[i];
      }
    }
    Workspace.load(dw, 0, sum, 0, all);
    for (int i = 0; i < all; i++) {
      sum[i] = (float) (sum[i] + total[i]);
    }
    Workspace.store(sum, 0, dw, 0, all);
  }

  /** Adds the products of columns {@code from … to−1} to the sums of the stored diagonals. */
  private static void addProducts(
      Workspace work, Band band, Buffer dy, int lddy, Buffer x, int from, int to, float[] sum) {
    int n = band.n();
    for (int j = from; j < to; j++) {
      float[] upstream = work.load(1, dy, (long) j * lddy, band.rows());
      float[] input = work.load(2, x, (long) j * n, n);
      for (int block = 0; block < band.blocks(); block++) {
        int at = block * band.storedPerBlock();
        for (int d = -band.bandwidth(); d <= band.bandwidth(); d++) {
          int length = n - Math.abs(d);
          addDiagonal(
              upstream, block * n + Math.max(-d, 0), input, Math.max(d, 0), sum, at, length);
          at += length;
        }
      }
    }
  }

  private static float[] start(Workspace work, int number, Buffer y, long from, int n, float beta) {
    float[] values = work.array(number, n);
    if (beta == 0) {
      Arrays.fill(values, 0, n, 0);
    } else {
      Workspace.load(y, from, values, 0, n);
      for (int i = 0; i < n; i++) {
        values[i] *= beta;
      }
    }
    return values;
  }

  private static void addDiagonal(
      float[] a, int fromA, float[] b, int fromB, float[] y, int fromY, int n) {
    for (int i = 0; i < n; i++) {
      y[fromY + i] += a[fromA + i] * b[fromB + i];
    }
  }
}
