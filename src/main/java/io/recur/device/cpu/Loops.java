package io.recur.device.cpu;

import io.recur.device.kernels.Reduction;

/** Loops over heap arrays that the JIT compiler vectorises: one variable indexes all arrays. */
final class Loops {
  private Loops() {}

  /** {@code y = factor·x + constant}. */
  static void affine(float[] x, float factor, float constant, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = factor * x[i] + constant;
    }
  }

  /** {@code y += x}. */
  static void addTo(float[] y, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] += x[i];
    }
  }

  /** {@code y *= x}. */
  static void multiplyBy(float[] y, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      y[i] *= x[i];
    }
  }

  /** Reduces the rows of each column, in their order whatever the number of columns. */
  static void reduce(Reduction kind, float[] x, int rows, int columns, float[] y) {
    for (int j = 0; j < columns; j++) {
      y[j] =
          switch (kind) {
            case SUM -> (float) sum(x, j * rows, rows);
            case MEAN -> (float) (sum(x, j * rows, rows) / rows);
            case MAX -> largest(x, j * rows, rows);
            case VARIANCE -> (float) variance(x, j * rows, rows);
          };
    }
  }

  /** Four chains wait less than one. */
  static double sum(float[] x, int from, int n) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = from;
    for (; i + 3 < from + n; i += 4) {
      a += x[i];
      b += x[i + 1];
      c += x[i + 2];
      d += x[i + 3];
    }
    for (; i < from + n; i++) {
      a += x[i];
    }
    return a + b + (c + d);
  }

  private static float largest(float[] x, int from, int n) {
    float most = x[from];
    for (int i = from + 1; i < from + n; i++) {
      most = Math.max(most, x[i]);
    }
    return most;
  }

  private static double variance(float[] x, int from, int n) {
    double mean = sum(x, from, n) / n;
    double a = 0;
    double b = 0;
    int i = from;
    for (; i + 1 < from + n; i += 2) {
      a += (x[i] - mean) * (x[i] - mean);
      b += (x[i + 1] - mean) * (x[i + 1] - mean);
    }
    if (i < from + n) {
      a += (x[i] - mean) * (x[i] - mean);
    }
    return (a + b) / n;
  }
}
