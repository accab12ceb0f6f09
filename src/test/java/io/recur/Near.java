package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import java.util.Map;

/**
 * Compares float results with expected values, prints the worst place and notes the largest error.
 * {@code check} divides each error by the magnitude of its own value; values that are not finite
 * must be the same on both sides. {@code near} divides all errors by the largest expected
 * magnitude, which is finite.
 */
public final class Near {
  /**
   * Two float32 runs of the same few products and functions in another order: each sum of n terms
   * is off by at most n·2⁻²⁴ of its largest term, and no test sums more than some hundred.
   */
  public static final double FLOAT = 1e-5;

  /**
   * The least magnitude that {@code near} measures errors by: the numbers of its tests are around
   * 1, and a small result is a difference of such.
   */
  private static final double FLOOR = 0.1;

  private Near() {}

  /** Passes where {@code |actual − expected| ≤ tolerance·max(1, |expected|)}. */
  public static void check(String what, double[] expected, float[] actual, double tolerance) {
    double[] magnitude = new double[expected.length];
    for (int i = 0; i < expected.length; i++) {
      magnitude[i] = Math.max(1, Math.abs(expected[i]));
    }
    check(what, expected, magnitude, actual, tolerance);
  }

  /** Passes where {@code |actual − expected| ≤ tolerance·magnitude}. */
  public static void check(
      String what, double[] expected, double[] magnitude, float[] actual, double tolerance) {
    Figures.share(what, largest(what, expected, magnitude, actual, tolerance));
  }

  /** Passes where {@code |actual − expected| ≤ tolerance·max(1, |expected|)}. */
  public static void check(String what, double expected, double actual, double tolerance) {
    double[] magnitude = {Math.max(1, Math.abs(expected))};
    largest(what, new double[] {expected}, magnitude, new float[] {(float) actual}, tolerance);
  }

  /** Passes where {@code |actual − expected| ≤ tolerance·max(0.1, |expected| …)}. */
  public static void near(String what, double[] expected, float[] actual, double tolerance) {
    near(what, expected, actual, tolerance, FLOOR);
  }

  /** Passes where {@code |actual − expected| ≤ tolerance·max(floor, |expected| …)}. */
  public static void near(
      String what, double[] expected, float[] actual, double tolerance, double floor) {
    double largest = Arrays.stream(expected).map(Math::abs).reduce(floor, Math::max);
    assertTrue(Double.isFinite(largest), () -> what + ": expected " + Arrays.toString(expected));
    double[] magnitude = new double[expected.length];
    Arrays.fill(magnitude, largest);
    check(what, expected, magnitude, actual, tolerance);
  }

  /** Passes where {@code |actual − expected| ≤ tolerance·max(0.1, |expected| …)}. */
  public static void near(String what, float[] expected, float[] actual, double tolerance) {
    near(what, Reference.doubles(expected), actual, tolerance);
  }

  /** The same names with near values. */
  public static void near(
      String what, Map<String, float[]> expected, Map<String, float[]> actual, double tolerance) {
    assertEquals(expected.keySet(), actual.keySet(), what);
    expected.forEach(
        (name, values) -> near(what + " " + name, values, actual.get(name), tolerance));
  }

  /** {@return the largest error as a share of the allowed one} Fails if it is more than 1. */
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

  private static double share(double expected, double actual, double allowed) {
    if (Double.compare(expected, actual) == 0 || expected == actual) {
      return 0;
    }
    double error = Math.abs(expected - actual);
    return Double.isFinite(error) && allowed > 0 ? error / allowed : Double.POSITIVE_INFINITY;
  }
}
