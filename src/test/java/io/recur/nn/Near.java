package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.recur.Figures;
import java.util.Map;

/** Comparison of arrays relative to the largest magnitude expected. */
final class Near {
  /**
   * Two float32 runs of the same few products and functions in another order: each sum of n terms
   * is off by at most n·2⁻²⁴ of its largest term, and no test sums more than some hundred.
   */
  static final double FLOAT = 1e-5;

  /**
   * The least magnitude that errors are measured by: the numbers of these tests are around 1, and a
   * small result is a difference of such.
   */
  private static final double FLOOR = 0.1;

  private Near() {}

  static void near(String what, double tolerance, float[] expected, float[] actual) {
    double[] wide = new double[expected.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = expected[i];
    }
    near(what, tolerance, wide, actual);
  }

  static void near(String what, double tolerance, double[] expected, float[] actual) {
    near(what, tolerance, FLOOR, expected, actual);
  }

  static void near(String what, double tolerance, double floor, double[] expected, float[] actual) {
    assertEquals(expected.length, actual.length, what + ": length");
    double largest = floor;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(expected[i] - actual[i]);
      worst = Math.max(worst, error);
      if (!(error <= tolerance * largest)) {
        fail(
            "%s[%d]: expected %.9g, got %.9g; of %.3g, tolerance %.1g"
                .formatted(what, i, expected[i], actual[i], largest, tolerance));
      }
    }
    Figures.share(what, worst / (tolerance * largest));
  }

  /** The same names with near values. */
  static void near(
      String what, double tolerance, Map<String, float[]> expected, Map<String, float[]> actual) {
    assertEquals(expected.keySet(), actual.keySet(), what);
    expected.forEach(
        (name, values) -> near(what + " " + name, tolerance, values, actual.get(name)));
  }
}
