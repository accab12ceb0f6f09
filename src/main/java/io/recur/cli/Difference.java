package io.recur.cli;

import io.recur.io.Npy;
import java.nio.file.Path;
import java.util.Arrays;

/** Compares the answers of a model with those of another program. */
final class Difference {
  private Difference() {}

  /**
   * {@return the largest difference with its place, as text}
   *
   * @param x from where the input came, for errors
   * @param y from where the expected answers came
   * @throws IllegalArgumentException if they are of other sizes
   */
  static String of(Npy found, Npy expected, Path x, Path y) {
    if (!Arrays.equals(found.sizes(), expected.sizes())) {
      throw new IllegalArgumentException(
          "%s: %s; the model answers %s with %s".formatted(y, expected, x, found));
    }
    double largest = 0;
    int place = 0;
    for (int i = 0; i < found.values().length; i++) {
      double difference = Math.abs((double) found.values()[i] - expected.values()[i]);
      boolean isSame = Float.compare(found.values()[i], expected.values()[i]) == 0;
      if (!isSame && !Double.isNaN(largest) && !(difference <= largest)) { // NaN is the largest
        largest = difference;
        place = i;
      }
    }
    return found.values().length == 0
        ? "largest difference: none of no values"
        : "largest difference: %s, at value %d of %s: %s here, %s in %s"
            .formatted(
                (float) largest, place, found, found.values()[place], expected.values()[place], y);
  }
}
