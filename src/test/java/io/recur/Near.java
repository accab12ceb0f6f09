package io.recur;

import static org.junit.jupiter.api.Assertions.fail;

/** Compares float results with a double-precision reference and prints the worst place. */
public final class Near {
  private Near() {}

  /** Passes where {@code |actual − expected| ≤ tolerance·max(1, |expected|)}. */
  public static void check(String what, double[] expected, float[] actual, double tolerance) {
    double[] magnitude = new double[expected.length];
    for (int i = 0; i < expected.length; i++) {
      magnitude[i] = Math.max(1, Math.abs(expected[i]));
    }
    check(what, expected, magnitude, actual, tolerance);
  }

  /**
   * Passes where {@code |actual − expected| ≤ tolerance·magnitude}. What is not finite must be the
   * same on both sides.
   */
  public static void check(
      String what, double[] expected, double[] magnitude, float[] actual, double tolerance) {
    Figures.share(what, largest(what, expected, magnitude, actual, tolerance));
  }

  /** The largest error as a share of what is allowed; fails where that is more than 1. */
  private static double largest(
      String what, double[] expected, double[] magnitude, float[] actual, double tolerance) {
    if (expected.length != actual.length) {
      fail("%s: %d values, expected %d".formatted(what, actual.length, expected.length));
    }
    int worst = 0;
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      double share = share(expected[i], actual[i], tolerance * magnitude[i]);
      if (share > largest) {
        worst = i;
        largest = share;
      }
    }
    if (largest > 1) {
      fail(
          "%s: value %d of %d is %.9g, expected %.9g; %.3g times the tolerance of %.3g"
              .formatted(
                  what,
                  worst,
                  expected.length,
                  actual[worst],
                  expected[worst],
                  largest,
                  tolerance * magnitude[worst]));
    }
    return largest;
  }

  /** Passes where {@code |actual − expected| ≤ tolerance·max(1, |expected|)}. */
  public static void check(String what, double expected, double actual, double tolerance) {
    double[] magnitude = {Math.max(1, Math.abs(expected))};
    largest(what, new double[] {expected}, magnitude, new float[] {(float) actual}, tolerance);
  }

  private static double share(double expected, double actual, double allowed) {
    if (Double.compare(expected, actual) == 0 || expected == actual) {
      return 0;
    }
    double error = Math.abs(expected - actual);
    return Double.isFinite(error) && allowed > 0 ? error / allowed : Double.POSITIVE_INFINITY;
  }
}
