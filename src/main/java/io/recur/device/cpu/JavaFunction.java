package io.recur.device.cpu;

import io.recur.device.Elementwise;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * The elementwise functions in Java: for each entry of {@link Elementwise} an entry of the same
 * name, with the value and the derivative.
 */
enum JavaFunction {
  IDENTITY {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      Arrays.fill(d, 0, n, 1);
    }
  },

  TANH {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      Workspace.tanh(y, n);
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 1 - y[i] * y[i];
      }
    }
  },

  SIGMOID {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      work.sigmoid(y, n);
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = y[i] * (1 - y[i]);
      }
    }
  },

  RELU {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = Math.max(x[i], 0f);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = Math.signum(Math.max(x[i], 0f));
      }
    }
  },

  LEAKY_RELU {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = Math.max(x[i], 0.01f * x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = x[i] > 0 ? 1 : x[i] <= 0 ? 0.01f : x[i];
      }
    }
  },

  ELU {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : (float) Math.expm1(x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = Math.min(x[i], 0f); // computed from y, it would cancel where x is far below 0
      }
      work.exp(d, n);
    }
  },

  SOFTPLUS {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) (Math.max(x[i], 0f) + Math.log1p(Math.exp(-Math.abs(x[i]))));
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      System.arraycopy(x, 0, d, 0, n);
      work.sigmoid(d, n);
    }
  },

  SOFTSIGN {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] / (1 + Math.abs(x[i]));
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        float s = 1 + Math.abs(x[i]);
        d[i] = 1 / (s * s);
      }
    }
  },

  SWISH {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      work.sigmoid(y, n);
      for (int i = 0; i < n; i++) {
        y[i] *= x[i];
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      System.arraycopy(x, 0, d, 0, n);
      work.sigmoid(d, n);
      for (int i = 0; i < n; i++) {
        d[i] *= 1 + x[i] * (1 - d[i]); // computed from y, it would cancel where x is large
      }
    }
  },

  GELU {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      JavaGelu.value(work, x, y, n);
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      JavaGelu.derivative(work, x, d, n);
    }
  },

  EXP {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      work.exp(y, n);
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      System.arraycopy(y, 0, d, 0, n);
    }
  },

  LOG {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) Math.log(x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 1 / x[i];
      }
    }
  },

  SQUARE {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] * x[i];
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 2 * x[i];
      }
    }
  },

  ABS {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = Math.abs(x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = Math.signum(x[i]);
      }
    }
  },

  SQRT {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) Math.sqrt(x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 0.5f / y[i];
      }
    }
  },

  RECIPROCAL {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = 1 / x[i];
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = -(y[i] * y[i]);
      }
    }
  },

  NEGATE {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = -x[i];
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      Arrays.fill(d, 0, n, -1);
    }
  },

  HARD_SIGMOID {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = within(x[i] + 3, 0, 6) / 6;
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = slopeBetween(x[i], -3, 3, 1f / 6);
      }
    }
  },

  HARD_TANH {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = within(x[i], -1, 1);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = slopeBetween(x[i], -1, 1, 1);
      }
    }
  },

  RELU6 {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = within(x[i], 0, 6);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = slopeBetween(x[i], 0, 6, 1);
      }
    }
  },

  SIN {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) Math.sin(x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = (float) Math.cos(x[i]);
      }
    }
  },

  COS {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) Math.cos(x[i]);
      }
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = (float) -Math.sin(x[i]);
      }
    }
  },

  GELU_ERF {
    @Override
    void value(Workspace work, float[] x, float[] y, int n) {
      JavaGelu.erfValue(work, x, y, n);
    }

    @Override
    void derivative(Workspace work, float[] x, float[] y, float[] d, int n) {
      JavaGelu.erfDerivative(work, x, d, n);
    }
  };

  /** In the order of {@link Elementwise}. */
  private static final List<JavaFunction> TABLE =
      Stream.of(Elementwise.values()).map(f -> valueOf(f.name())).toList();

  /** The entry of this function. */
  static JavaFunction of(Elementwise f) {
    return TABLE.get(f.ordinal());
  }

  /** x, or the bound beyond which it is; a not-a-number stays one. */
  private static float within(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
  }

  /** c between low and high, 0 elsewhere and at both; a not-a-number has a derivative of none. */
  private static float slopeBetween(float x, float low, float high, float c) {
    return x > low && x < high ? c : x <= low || x >= high ? 0 : x;
  }

  /** y = f(x) for the first n values; y is another array than x. */
  abstract void value(Workspace work, float[] x, float[] y, int n);

  /** d = f'(x), where y = f(x), for the first n values; d is another array than x and y. */
  abstract void derivative(Workspace work, float[] x, float[] y, float[] d, int n);
}
