package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Reduction;
import io.recur.device.kernels.Reductions;
import java.util.Arrays;

/** Reductions in double, column by column. */
final class JavaReductions implements Reductions {
  private final ThreadLocal<Workspace> workspaces;

  JavaReductions(ThreadLocal<Workspace> workspaces) {
    this.workspaces = workspaces;
  }

  @Override
  public void reduce(Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y) {
    Workspace work = workspaces.get();
    int stride = d.stride(m, n, t);
    int length = d.length(m, n, t);
    for (int k = 0; k < d.count(m, n, t); k++) {
      double[] results =
          d == Dimension.ROWS
              ? overRows(work, r, length, k, x)
              : overColumns(work, r, stride, length, k, x);
      store(work, results, y, (long) k * stride, stride);
    }
  }

  @Override
  public void addSum(Dimension d, int m, int n, int t, Buffer x, Buffer y) {
    Workspace work = workspaces.get();
    KernelDevice device = KernelDevice.of(y.device());
    Buffer carry = device.keepsCarry(y) ? device.carryOf(y) : null;
    int stride = d.stride(m, n, t);
    int length = d.length(m, n, t);
    for (int k = 0; k < d.count(m, n, t); k++) {
      long at = (long) k * stride;
      double[] sums =
          d == Dimension.ROWS
              ? overRows(work, Reduction.SUM, length, k, x)
              : overColumns(work, Reduction.SUM, stride, length, k, x);
      float[] sum = work.load(0, y, at, stride);
      float[] lost = carry == null ? zeros(work, stride) : work.load(1, carry, at, stride);
      JavaColumns.addTo(sum, lost, sums, stride);
      Workspace.store(sum, 0, y, at, stride);
      if (carry != null) {
        Workspace.store(lost, 0, carry, at, stride);
      }
    }
  }

  private static float[] zeros(Workspace work, int n) {
    float[] zeros = work.array(1, n);
    Arrays.fill(zeros, 0, n, 0);
    return zeros;
  }

  private static void store(Workspace work, double[] results, Buffer y, long at, int n) {
    float[] rounded = work.array(0, n);
    for (int i = 0; i < n; i++) {
      rounded[i] = (float) results[i];
    }
    Workspace.store(rounded, 0, y, at, n);
  }

  /** {@return the reduction of column k, of m values, in the first place} */
  private static double[] overRows(Workspace work, Reduction r, int m, int k, Buffer x) {
    float[] column = work.load(0, x, (long) k * m, m);
    double[] result = work.sums(1);
    result[0] =
        switch (r) {
          case SUM -> Loops.sum(column, 0, m);
          case MEAN -> Loops.sum(column, 0, m) / m;
          case MAX -> largest(column, m);
          case VARIANCE -> squares(column, m, Loops.sum(column, 0, m) / m) / m;
        };
    return result;
  }

  private static float largest(float[] x, int n) {
    float top = x[0];
    for (int i = 1; i < n; i++) {
      top = Math.max(top, x[i]);
    }
    return top;
  }

  private static double squares(float[] x, int n, double mean) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (x[i] - mean) * (x[i] - mean);
    }
    return sum;
  }

  /** {@return the reduction over the n columns of slab k, each of m values} */
  private static double[] overColumns(Workspace work, Reduction r, int m, int n, int k, Buffer x) {
    return switch (r) {
      case SUM -> sums(work, m, n, k, x);
      case MEAN -> divided(sums(work, m, n, k, x), m, n);
      case MAX -> largest(work, m, n, k, x);
      case VARIANCE -> divided(squares(work, m, n, k, x), m, n);
    };
  }

  private static float[] column(Workspace work, int m, int n, int k, int j, Buffer x) {
    return work.load(0, x, ((long) k * n + j) * m, m);
  }

  private static double[] sums(Workspace work, int m, int n, int k, Buffer x) {
    double[] sums = work.sums(m);
    Arrays.fill(sums, 0, m, 0);
    for (int j = 0; j < n; j++) {
      float[] column = column(work, m, n, k, j, x);
      for (int i = 0; i < m; i++) {
        sums[i] += column[i];
      }
    }
    return sums;
  }

  private static double[] divided(double[] values, int m, int n) {
    for (int i = 0; i < m; i++) {
      values[i] /= n;
    }
    return values;
  }

  private static double[] largest(Workspace work, int m, int n, int k, Buffer x) {
    double[] tops = work.sums(m);
    Arrays.fill(tops, 0, m, Double.NEGATIVE_INFINITY);
    for (int j = 0; j < n; j++) {
      float[] column = column(work, m, n, k, j, x);
      for (int i = 0; i < m; i++) {
        tops[i] = Math.max(tops[i], column[i]);
      }
    }
    return tops;
  }

  private static double[] squares(Workspace work, int m, int n, int k, Buffer x) {
    double[] means = divided(sums(work, m, n, k, x), m, n);
    double[] squares = work.moreSums(m);
    Arrays.fill(squares, 0, m, 0);
    for (int j = 0; j < n; j++) {
      float[] column = column(work, m, n, k, j, x);
      for (int i = 0; i < m; i++) {
        squares[i] += (column[i] - means[i]) * (column[i] - means[i]);
      }
    }
    return squares;
  }

  @Override
  public void addDerivative(
      Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    int stride = d.stride(m, n, t);
    int length = d.length(m, n, t);
    for (int k = 0; k < d.count(m, n, t); k++) {
      if (d == Dimension.ROWS) {
        addDerivative(workspaces.get(), r, length, k, x, y, dy, dx);
      } else {
        addDerivative(workspaces.get(), r, stride, length, k, x, y, dy, dx);
      }
    }
  }

  /** Of column k, of m values. */
  private static void addDerivative(
      Workspace work, Reduction r, int m, int k, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    long at = (long) k * m;
    float up = work.load(0, dy, k, 1)[0];
    float[] sum = work.load(1, dx, at, m);
    switch (r) {
      case SUM -> JavaColumns.addTo(sum, 0, m, up);
      case MEAN -> JavaColumns.addTo(sum, 0, m, up / m);
      case MAX -> {
        float top = work.load(0, y, k, 1)[0];
        float[] column = work.load(0, x, at, m);
        int ties = 0;
        for (int i = 0; i < m; i++) {
          ties += column[i] == top ? 1 : 0;
        }
        for (int i = 0; i < m; i++) {
          sum[i] += (column[i] == top ? up : 0) / ties;
        }
      }
      case VARIANCE -> {
        float[] column = work.load(0, x, at, m);
        double mean = Loops.sum(column, 0, m) / m;
        float factor = 2 * up / m;
        for (int i = 0; i < m; i++) {
          sum[i] += factor * (float) (column[i] - mean);
        }
      }
    }
    Workspace.store(sum, 0, dx, at, m);
  }

  /** Of slab k, of n columns of m values. */
  private static void addDerivative(
      Workspace work, Reduction r, int m, int n, int k, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    float[] up = work.load(1, dy, (long) k * m, m);
    float[] top = r == Reduction.MAX ? work.load(2, y, (long) k * m, m) : up;
    double[] known =
        switch (r) {
          case SUM, MEAN -> work.sums(m);
          case MAX -> ties(work, m, n, k, x, top);
          case VARIANCE -> divided(sums(work, m, n, k, x), m, n);
        };
    for (int j = 0; j < n; j++) {
      long at = ((long) k * n + j) * m;
      float[] sum = work.load(3, dx, at, m);
      switch (r) {
        case SUM -> Loops.addTo(sum, up, m);
        case MEAN -> {
          for (int i = 0; i < m; i++) {
            sum[i] += up[i] / n;
          }
        }
        case MAX -> {
          float[] column = column(work, m, n, k, j, x);
          for (int i = 0; i < m; i++) {
            sum[i] += (column[i] == top[i] ? up[i] : 0) / (float) known[i];
          }
        }
        case VARIANCE -> {
          float[] column = column(work, m, n, k, j, x);
          for (int i = 0; i < m; i++) {
            sum[i] += 2 * up[i] / n * (float) (column[i] - known[i]);
          }
        }
      }
      Workspace.store(sum, 0, dx, at, m);
    }
  }

  private static double[] ties(Workspace work, int m, int n, int k, Buffer x, float[] top) {
    double[] ties = work.sums(m);
    Arrays.fill(ties, 0, m, 0);
    for (int j = 0; j < n; j++) {
      float[] column = column(work, m, n, k, j, x);
      for (int i = 0; i < m; i++) {
        ties[i] += column[i] == top[i] ? 1 : 0;
      }
    }
    return ties;
  }
}
