package io.recur.device.cpu;

/** Both forms of gelu in Java, {@code x} times the share of a normal distribution below x. */
final class JavaGelu {
  private static final float SCALE = 1.5957691216f; // 2√(2/π)
  private static final float CUBIC = 0.044715f;

  private JavaGelu() {}

  /** y = gelu(x) in the tanh form. */
  static void value(Workspace work, float[] x, float[] y, int n) {
    gate(work, x, y, n);
    for (int i = 0; i < n; i++) {
      y[i] *= x[i];
    }
  }

  /** d = gelu'(x) in the tanh form. */
  static void derivative(Workspace work, float[] x, float[] d, int n) {
    gate(work, x, d, n);
    for (int i = 0; i < n; i++) {
      float s = d[i];
      float a = Math.max(-9f, Math.min(9f, x[i])); // beyond, s(1 - s) is 0 and a² might overflow
      d[i] = s + a * s * (1 - s) * (SCALE * (1 + 3 * CUBIC * a * a));
    }
  }

  /** (1 + tanh(u))/2 = σ(2u), which does not cancel. */
  private static void gate(Workspace work, float[] x, float[] s, int n) {
    for (int i = 0; i < n; i++) {
      s[i] = SCALE * (x[i] + CUBIC * x[i] * x[i] * x[i]);
    }
    work.sigmoid(s, n);
  }

  /** y = gelu(x) in the exact form. */
  static void erfValue(Workspace work, float[] x, float[] y, int n) {
    bell(work, x, y, n);
    for (int i = 0; i < n; i++) {
      y[i] = x[i] * share(x[i], y[i]);
    }
  }

  /** d = gelu'(x) in the exact form. */
  static void erfDerivative(Workspace work, float[] x, float[] d, int n) {
    bell(work, x, d, n);
    for (int i = 0; i < n; i++) {
      float a = Math.max(-15f, Math.min(15f, x[i])); // beyond, the bell is 0
      d[i] = share(x[i], d[i]) + 0.3989422804f * a * d[i];
    }
  }

  /** b = e^(−x²/2). */
  private static void bell(Workspace work, float[] x, float[] b, int n) {
    for (int i = 0; i < n; i++) {
      b[i] = -0.5f * x[i] * x[i];
    }
    work.exp(b, n);
  }

  /**
   * (1 + erf(x/√2))/2, given e^(−x²/2), to 2.4e-7 of the smaller tail: that is the latter times t
   * times a polynomial of u = (|x| − 3)/(|x| + 3), fitted to 6e-8; nothing cancels.
   */
  private static float share(float x, float bell) {
    float t = 1 / (Math.abs(x) + 3);
    float u = 1 - 6 * t;
    float p = -2.59309962e-4f * u - 8.92530709e-4f;
    p = p * u + 1.0732394e-3f;
    p = p * u + 6.91616932e-3f;
    p = p * u - 1.0480145e-2f;
    p = p * u - 4.7254464e-2f;
    p = p * u + 2.30019435e-1f;
    p = p * u - 5.09332373e-1f;
    p = p * u + 7.29083668e-1f;
    float tail = bell * (p * t);
    return x > 0 ? 1 - tail : tail;
  }
}
