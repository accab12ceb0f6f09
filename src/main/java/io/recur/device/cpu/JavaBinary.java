package io.recur.device.cpu;

import io.recur.device.kernels.Binary;
import java.util.List;
import java.util.stream.Stream;

/**
 * The functions of two values in Java: for each entry of {@link Binary} an entry of the same name,
 * with the value and what a gradient gives to each operand. Of a comparison nobody asks the latter.
 */
enum JavaBinary {
  ADD {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
      }
    }
  },

  SUBTRACT {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] - b[i];
      }
    }

    @Override
    void toB(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = -d[i];
      }
    }
  },

  MULTIPLY {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] * b[i];
      }
    }

    @Override
    void toA(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] *= b[i];
      }
    }

    @Override
    void toB(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] *= a[i];
      }
    }
  },

  DIVIDE {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] / b[i];
      }
    }

    @Override
    void toA(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] /= b[i];
      }
    }

    @Override
    void toB(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = -d[i] * (a[i] / b[i] / b[i]);
      }
    }
  },

  MINIMUM {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] < b[i] || a[i] != a[i] ? a[i] : b[i];
      }
    }

    @Override
    void toA(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = unlessAbove(a[i], b[i], d[i]);
      }
    }

    @Override
    void toB(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = unlessAbove(b[i], a[i], d[i]);
      }
    }
  },

  MAXIMUM {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] > b[i] || a[i] != a[i] ? a[i] : b[i];
      }
    }

    @Override
    void toA(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = unlessAbove(b[i], a[i], d[i]);
      }
    }

    @Override
    void toB(float[] a, float[] b, float[] d, int n) {
      for (int i = 0; i < n; i++) {
        d[i] = unlessAbove(a[i], b[i], d[i]);
      }
    }
  },

  GREATER {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] > b[i] ? 1 : 0;
      }
    }
  },

  GREATER_EQUAL {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] >= b[i] ? 1 : 0;
      }
    }
  },

  LESS {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] < b[i] ? 1 : 0;
      }
    }
  },

  LESS_EQUAL {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] <= b[i] ? 1 : 0;
      }
    }
  },

  EQUAL {
    @Override
    void value(float[] a, float[] b, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = a[i] == b[i] ? 1 : 0;
      }
    }
  };

  /** In the order of {@link Binary}. */
  private static final List<JavaBinary> TABLE =
      Stream.of(Binary.values()).map(f -> valueOf(f.name())).toList();

  /** The entry of this function. */
  static JavaBinary of(Binary f) {
    return TABLE.get(f.ordinal());
  }

  /** y = f(a, b) for the first n values; y is another array than a and b. */
  abstract void value(float[] a, float[] b, float[] y, int n);

  /** Of the first n values of a gradient d of f(a, b): what it gives to a, in its place. */
  void toA(float[] a, float[] b, float[] d, int n) {}

  /** The same for b. */
  void toB(float[] a, float[] b, float[] d, int n) {}

  /** 0 where x is above y, half of d where they are equal, else d. */
  private static float unlessAbove(float x, float y, float d) {
    return x > y ? 0 : x == y ? 0.5f * d : d;
  }
}
