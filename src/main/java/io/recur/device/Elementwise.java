package io.recur.device;

import java.util.Locale;

/**
 * The table of elementwise functions: each entry is a value and a derivative. The derivative may
 * use the input x and the output y. To add a function, add an entry; the tests, the tensor
 * operations and the cells find it by itself.
 *
 * <pre>{@code
 * device.pointwise().map(Elementwise.SWISH, parameter.value(), parameter.value(), 4);
 * Tensor z = Functions.apply(Elementwise.GELU, x);
 * }</pre>
 */
public enum Elementwise {
  /** {@code y = x}. */
  IDENTITY {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 1;
      }
    }
  },

  /** Hyperbolic tangent. */
  TANH {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      Lanes.tanh(y, n);
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 1 - y[i] * y[i];
      }
    }
  },

  /** Logistic function {@code 1/(1 + e⁻ˣ)}. */
  SIGMOID {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      lanes.sigmoid(y, n);
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = y[i] * (1 - y[i]);
      }
    }
  },

  /** {@code max(x, 0)}; the derivative at 0 is 0. */
  RELU {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = Math.max(x[i], 0f);
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = Math.signum(y[i]);
      }
    }
  },

  /** {@code x} where it is positive, {@code 0.01·x} elsewhere. */
  LEAKY_RELU {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = Math.max(x[i], 0.01f * x[i]);
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = x[i] > 0 ? 1 : x[i] <= 0 ? 0.01f : x[i];
      }
    }
  },

  /** {@code x} where it is positive, {@code eˣ − 1} elsewhere. */
  ELU {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : (float) Math.expm1(x[i]);
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = Math.min(x[i], 0f); // from y it would cancel where x is far below 0
      }
      lanes.exp(d, n);
    }
  },

  /** {@code log(1 + eˣ)}. */
  SOFTPLUS {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) (Math.max(x[i], 0f) + Math.log1p(Math.exp(-Math.abs(x[i]))));
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      System.arraycopy(x, 0, d, 0, n);
      lanes.sigmoid(d, n);
    }
  },

  /** {@code x/(1 + |x|)}. */
  SOFTSIGN {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] / (1 + Math.abs(x[i]));
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        float s = 1 + Math.abs(x[i]);
        d[i] = 1 / (s * s);
      }
    }
  },

  /** {@code x·σ(x)}, also called SiLU. */
  SWISH {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      lanes.sigmoid(y, n);
      for (int i = 0; i < n; i++) {
        y[i] *= x[i];
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      System.arraycopy(x, 0, d, 0, n);
      lanes.sigmoid(d, n);
      for (int i = 0; i < n; i++) {
        d[i] *= 1 + x[i] * (1 - d[i]); // from y it would cancel where x is large
      }
    }
  },

  /**
   * {@code x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))}, the tanh form (Hendrycks and Gimpel 2016).
   */
  GELU {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      gate(lanes, x, y, n);
      for (int i = 0; i < n; i++) {
        y[i] *= x[i];
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      gate(lanes, x, d, n);
      for (int i = 0; i < n; i++) {
        float s = d[i];
        float a = Math.max(-9f, Math.min(9f, x[i])); // beyond, s(1 - s) is 0, a² might overflow
        d[i] = s + a * s * (1 - s) * (GELU_SCALE * (1 + 3 * GELU_CUBIC * a * a));
      }
    }

    /** (1 + tanh(u))/2 = σ(2u), which does not cancel. */
    private void gate(Lanes lanes, float[] x, float[] s, int n) {
      for (int i = 0; i < n; i++) {
        s[i] = GELU_SCALE * (x[i] + GELU_CUBIC * x[i] * x[i] * x[i]);
      }
      lanes.sigmoid(s, n);
    }
  },

  /** {@code eˣ}. */
  EXP {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      System.arraycopy(x, 0, y, 0, n);
      lanes.exp(y, n);
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      System.arraycopy(y, 0, d, 0, n);
    }
  },

  /** Natural logarithm; minus infinity at 0, not a number below. */
  LOG {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = (float) Math.log(x[i]);
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 1 / x[i];
      }
    }
  },

  /** {@code x²}. */
  SQUARE {
    @Override
    void value(Lanes lanes, float[] x, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = x[i] * x[i];
      }
    }

    @Override
    void slope(Lanes lanes, float[] x, float[] y, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = 2 * x[i];
      }
    }
  };

  private static final float GELU_SCALE = 1.5957691216f; // 2√(2/π)
  private static final float GELU_CUBIC = 0.044715f;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** y = f(x) for the first n values; y is another array than x. */
  abstract void value(Lanes lanes, float[] x, float[] y, int n);

  /** d = f'(x), where y = f(x), for the first n values; d is another array than x and y. */
  abstract void slope(Lanes lanes, float[] x, float[] y, float[] d, int n);

  /**
   * The name as a model prints it.
   *
   * @return such as {@code tanh} or {@code leaky_relu}
   */
  public String label() {
    return label;
  }
}
