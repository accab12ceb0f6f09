package io.recur.train;

import io.recur.grad.CrossEntropyLoss;
import io.recur.grad.ShapeException;

/**
 * Weights of classes for {@link CrossEntropyLoss#weights}, so that rare classes count as much as
 * frequent ones.
 *
 * <pre>{@code
 * float[] weights = ClassWeights.balanced(3, 0, 0, 1, 0, 2, 0);    // 0.5, 2, 2
 * CrossEntropyLoss tags = new CrossEntropyLoss().weights(weights);
 * }</pre>
 */
public final class ClassWeights {
  private static final int MOST_CLASSES = 1 << 24;

  private ClassWeights() {}

  /**
   * Weights each class by n/(k·its targets), for n targets of k classes that occur: every class
   * that occurs has the same part of the loss, and the mean weight of a target is 1. scikit-learn's
   * {@code balanced} is the same where every class occurs.
   *
   * @param classes the number of classes, 1 to 2²⁴
   * @param targets the targets of the training; {@link CrossEntropyLoss#IGNORED} is left out
   * @return one weight per class, 0 for a class that does not occur
   * @throws ShapeException if the number of classes is outside its range
   * @throws IllegalArgumentException if a target is no class, or if there is none
   */
  public static float[] balanced(int classes, int... targets) {
    if (classes < 1 || classes > MOST_CLASSES) {
      throw new ShapeException(
          "classWeights: classes=%d; need 1 to %d".formatted(classes, MOST_CLASSES));
    }
    long[] counts = new long[classes];
    long n = 0;
    for (int i = 0; i < targets.length; i++) {
      if (targets[i] != CrossEntropyLoss.IGNORED) {
        if (targets[i] < 0 || targets[i] >= classes) {
          throw new IllegalArgumentException(
              "classWeights: targets[%d]=%d, classes=%d; need 0 ≤ target < classes, or %d"
                  .formatted(i, targets[i], classes, CrossEntropyLoss.IGNORED));
        }
        counts[targets[i]]++;
        n++;
      }
    }
    if (n == 0) {
      throw new IllegalArgumentException(
          "classWeights: %d targets, all ignored; need one or more".formatted(targets.length));
    }
    int occurring = 0;
    for (long count : counts) {
      occurring += count > 0 ? 1 : 0;
    }
    float[] weights = new float[classes];
    for (int c = 0; c < classes; c++) {
      weights[c] = counts[c] == 0 ? 0 : (float) ((double) n / ((double) occurring * counts[c]));
    }
    return weights;
  }
}
