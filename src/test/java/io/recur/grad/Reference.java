package io.recur.grad;

import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/** Operations on column-major arrays, in double and without cleverness. */
final class Reference {
  private Reference() {}

  /** a·x for a m×k and x k×n. */
  static double[] matmul(int m, int k, double[] a, double[] x) {
    int n = x.length / k;
    double[] y = new double[m * n];
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < m; i++) {
        for (int p = 0; p < k; p++) {
          y[j * m + i] += a[p * m + i] * x[j * k + p];
        }
      }
    }
    return y;
  }

  /** f(a, b), where the shorter is repeated over the columns of the longer. */
  static double[] zip(double[] a, double[] b, DoubleBinaryOperator f) {
    double[] y = new double[Math.max(a.length, b.length)];
    for (int i = 0; i < y.length; i++) {
      y[i] = f.applyAsDouble(a[i % a.length], b[i % b.length]);
    }
    return y;
  }

  static double[] map(double[] x, DoubleUnaryOperator f) {
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = f.applyAsDouble(x[i]);
    }
    return y;
  }

  static double[] sum(double[] x, double factor) {
    double sum = 0;
    for (double value : x) {
      sum += value;
    }
    return new double[] {factor * sum};
  }

  /** Rows from … to−1 of a matrix with m rows. */
  static double[] rows(double[] x, int m, int from, int to) {
    int height = to - from;
    double[] y = new double[x.length / m * height];
    for (int i = 0; i < y.length; i++) {
      y[i] = x[i / height * m + from + i % height];
    }
    return y;
  }

  /** a upon b, both with n columns. */
  static double[] stack(double[] a, double[] b, int n) {
    int top = a.length / n;
    int bottom = b.length / n;
    double[] y = new double[a.length + b.length];
    for (int j = 0; j < n; j++) {
      System.arraycopy(a, j * top, y, j * (top + bottom), top);
      System.arraycopy(b, j * bottom, y, j * (top + bottom) + top, bottom);
    }
    return y;
  }

  /** The arrays one behind the other. */
  static double[] join(double[]... parts) {
    int length = 0;
    for (double[] part : parts) {
      length += part.length;
    }
    double[] y = new double[length];
    int at = 0;
    for (double[] part : parts) {
      System.arraycopy(part, 0, y, at, part.length);
      at += part.length;
    }
    return y;
  }

  static double[] slice(double[] x, int from, int to) {
    return java.util.Arrays.copyOfRange(x, from, to);
  }

  /** Logarithm of the softmax of columns of m values. */
  static double[] logSoftmax(double[] x, int m) {
    double[] y = new double[x.length];
    for (int j = 0; j < x.length; j += m) {
      double top = Double.NEGATIVE_INFINITY;
      for (int i = j; i < j + m; i++) {
        top = Math.max(top, x[i]);
      }
      double sum = 0;
      for (int i = j; i < j + m; i++) {
        sum += Math.exp(x[i] - top);
      }
      for (int i = j; i < j + m; i++) {
        y[i] = x[i] - top - Math.log(sum);
      }
    }
    return y;
  }
}
