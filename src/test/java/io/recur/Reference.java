package io.recur;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/**
 * Functions, and operations on column-major arrays, in double precision and without cleverness.
 * They share no code with the library.
 */
public final class Reference {
  private Reference() {}

  /** An elementwise function; an entry without one does not compile. */
  public static double value(Elementwise function, double x) {
    return switch (function) {
      case IDENTITY -> x;
      case TANH -> Math.tanh(x);
      case SIGMOID -> sigmoid(x);
      case RELU -> x > 0 || Double.isNaN(x) ? x : 0;
      case LEAKY_RELU -> x > 0 ? x : 0.01 * x;
      case ELU -> x > 0 ? x : Math.expm1(x);
      case SOFTPLUS -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      case SOFTSIGN -> x / (1 + Math.abs(x));
      case SWISH -> x * sigmoid(x);
      case GELU -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case EXP -> Math.exp(x);
      case LOG -> Math.log(x);
      case SQUARE -> x * x;
      case ABS -> Math.abs(x);
      case SQRT -> Math.sqrt(x);
      case RECIPROCAL -> 1 / x;
      case NEGATE -> -x;
      case HARD_SIGMOID -> Math.min(Math.max(x + 3, 0), 6) / 6;
      case HARD_TANH -> Math.min(Math.max(x, -1), 1);
      case RELU6 -> Math.min(Math.max(x, 0), 6);
      case SIN -> Math.sin(x);
      case COS -> Math.cos(x);
      case GELU_ERF -> x * normalShare(x);
    };
  }

  /**
   * The share of a normal distribution below x: a series in the middle, a fraction in the tails.
   */
  private static double normalShare(double x) {
    double z = Math.abs(x);
    double bell = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    if (z < 3) { // 1/2 + bell·(z + z³/3 + z⁵/(3·5) + …)
      double term = z;
      double sum = z;
      for (int n = 3; n < 120; n += 2) {
        term *= z * z / n;
        sum += term;
      }
      return 0.5 + Math.signum(x) * bell * sum;
    }
    double fraction = z; // z + 1/(z + 2/(z + 3/(z + …)))
    for (int n = 120; n > 0; n--) {
      fraction = z + n / fraction;
    }
    return x > 0 ? 1 - bell / fraction : bell / fraction;
  }

  /** f'(x) by a central difference: wrong by about 1e-9. */
  public static double derivative(Elementwise function, double x) {
    double h = 1e-5;
    return (value(function, x + h) - value(function, x - h)) / (2 * h);
  }

  /** A function of two values; an entry without one does not compile. */
  public static double value(Binary function, double a, double b) {
    return switch (function) {
      case ADD -> a + b;
      case SUBTRACT -> a - b;
      case MULTIPLY -> a * b;
      case DIVIDE -> a / b;
      case MINIMUM -> Math.min(a, b);
      case MAXIMUM -> Math.max(a, b);
      case GREATER -> a > b ? 1 : 0;
      case GREATER_EQUAL -> a >= b ? 1 : 0;
      case LESS -> a < b ? 1 : 0;
      case LESS_EQUAL -> a <= b ? 1 : 0;
      case EQUAL -> a == b ? 1 : 0;
    };
  }

  public static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** The same values. */
  public static double[] doubles(float... values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < doubles.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }

  /** a·x for a m×k and x k×n. */
  public static double[] matmul(int m, int k, double[] a, double[] x) {
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
  public static double[] zip(double[] a, double[] b, DoubleBinaryOperator f) {
    double[] y = new double[Math.max(a.length, b.length)];
    for (int i = 0; i < y.length; i++) {
      y[i] = f.applyAsDouble(a[i % a.length], b[i % b.length]);
    }
    return y;
  }

  public static double[] map(double[] x, DoubleUnaryOperator f) {
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = f.applyAsDouble(x[i]);
    }
    return y;
  }

  public static double[] sum(double[] x, double factor) {
    double sum = 0;
    for (double value : x) {
      sum += value;
    }
    return new double[] {factor * sum};
  }

  /** Rows from … to−1 of a matrix with m rows. */
  public static double[] rows(double[] x, int m, int from, int to) {
    int height = to - from;
    double[] y = new double[x.length / m * height];
    for (int i = 0; i < y.length; i++) {
      y[i] = x[i / height * m + from + i % height];
    }
    return y;
  }

  /** a upon b, both with n columns. */
  public static double[] stack(double[] a, double[] b, int n) {
    int top = a.length / n;
    int bottom = b.length / n;
    double[] y = new double[a.length + b.length];
    for (int j = 0; j < n; j++) {
      System.arraycopy(a, j * top, y, j * (top + bottom), top);
      System.arraycopy(b, j * bottom, y, j * (top + bottom) + top, bottom);
    }
    return y;
  }

  /** The arrays in one, each after its neighbour. */
  public static double[] join(double[]... parts) {
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

  public static double[] slice(double[] x, int from, int to) {
    return Arrays.copyOfRange(x, from, to);
  }

  /** Logarithm of the softmax of columns of m values. */
  public static double[] logSoftmax(double[] x, int m) {
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
