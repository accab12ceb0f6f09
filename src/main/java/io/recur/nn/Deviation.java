package io.recur.nn;

import org.jspecify.annotations.Nullable;

/**
 * Where values of a compiled cell are not those of its steps.
 *
 * @param at the value that is farthest off
 * @param expected what the step gives
 * @param actual what the compiled cell gives
 * @param largest the largest magnitude that the step gives, by which differences are measured
 */
record Deviation(int at, float expected, float actual, float largest) {
  /**
   * The difference that sums in another order may make, in units of the largest value: some steps
   * of sums of thousands of terms are off by less, a wrong graph by more.
   */
  private static final float TOLERANCE = 1e-3f;

  /** The least magnitude that a difference is measured by. */
  private static final float FLOOR = 1e-2f;

  /**
   * Compares values.
   *
   * @param turned the share of them that may differ
   * @return where they differ; null where they do not
   */
  static @Nullable Deviation of(float[] expected, float[] actual, float turned) {
    float largest = FLOOR;
    for (float value : expected) {
      largest = Float.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
    }
    int worst = 0;
    int wrong = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!isNear(expected[i], actual[i], TOLERANCE * largest)) {
        wrong++;
        worst = isNear(expected[i], actual[i], distance(expected, actual, worst)) ? worst : i;
      }
    }
    return wrong > turned * expected.length
        ? new Deviation(worst, expected[worst], actual[worst], largest)
        : null;
  }

  private static float distance(float[] expected, float[] actual, int i) {
    return Math.abs(expected[i] - actual[i]);
  }

  private static boolean isNear(float a, float b, float difference) {
    return Float.compare(a, b) == 0 || Math.abs(a - b) <= difference;
  }

  @Override
  public String toString() {
    return "value %d: step gives %g and the compiled cell %g, the largest is %g"
        .formatted(at, expected, actual, largest);
  }
}
