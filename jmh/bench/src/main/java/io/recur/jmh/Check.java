package io.recur.jmh;

/** A benchmark whose answer is wrong measures nothing: these throw before the first measurement. */
final class Check {
  private Check() {}

  /** Compares with a reference, relative to its largest magnitude. */
  static void close(String what, float[] actual, double[] expected, double tolerance) {
    double largest = 1e-30;
    double apart = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      apart = Math.max(apart, Math.abs(actual[i] - expected[i]));
    }
    if (actual.length != expected.length || !(apart <= tolerance * largest)) {
      throw new IllegalStateException(
          "%s: largest difference %.3g of %.3g, allowed %.1g of it; %d values for %d"
              .formatted(what, apart, largest, tolerance, actual.length, expected.length));
    }
  }

  static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  static float[] random(int n, long seed) {
    java.util.Random random = new java.util.Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return values;
  }
}
