package io.recur.train;

import io.recur.grad.CrossEntropyLoss;
import io.recur.grad.OneHot;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.Arrays;

/**
 * Counts which classes a model predicts for which: accuracy, precision, recall and F1, per step and
 * per sequence. The prediction is the class of the largest score, the first one of equals.
 *
 * <pre>{@code
 * Confusion confusion = new Confusion(classes);
 * confusion.add(model.apply(x), 0, 2, Confusion.IGNORED);   // of 3 columns the last is not counted
 * Padded words = Padded.of(x, 3, 1);                        // sequences of different lengths
 * confusion.add(model.apply(words), 0, 2, 1, Confusion.IGNORED, 1, Confusion.IGNORED);
 * double accuracy = confusion.accuracy();
 * }</pre>
 */
public final class Confusion {
  /** The target of a column that is not counted, such as one behind the end of its sequence. */
  public static final int IGNORED = CrossEntropyLoss.IGNORED;

  private final int classes;
  private final long[] counts;
  private long sequences;
  private long right;

  /**
   * Begins with no predictions.
   *
   * @param classes the number of classes, 1 or more
   * @throws ShapeException if there is no class, or if an array cannot hold the table
   */
  public Confusion(int classes) {
    if (classes < 1 || (long) classes * classes > Integer.MAX_VALUE - 8) {
      throw new ShapeException(
          "confusion: classes=" + classes + "; need 1 to 46340, for a table of all pairs");
    }
    this.classes = classes;
    this.counts = new long[classes * classes];
  }

  /**
   * Counts the predictions of a batch.
   *
   * @param scores classes × batch × time; classes × batch counts as one step of each sequence
   * @param targets the class of each column, the batch of the first step first, or {@link #IGNORED}
   * @throws ShapeException if the scores have other classes or the targets another number
   * @throws IllegalArgumentException if a target is no class, or if a score that counts is NaN;
   *     nothing has then changed
   */
  public void add(Tensor scores, int... targets) {
    check(scores.shape(), targets);
    float[] values = scores.toArray();
    int[] predicted = new int[targets.length];
    for (int j = 0; j < targets.length; j++) {
      predicted[j] = predicted(values, j, j, targets[j]);
    }
    count(scores.shape().batch(), targets, predicted);
  }

  /**
   * Counts the predictions of sequences of different lengths; a sequence is right where all its
   * valid steps are.
   *
   * @param scores classes × batch × time
   * @param targets the class of each column of {@link Padded#data}, the batch of the first step
   *     first, or {@link #IGNORED}; those behind the end of a sequence are not read
   * @throws ShapeException if the scores have other classes or the targets another number
   * @throws IllegalArgumentException if a target is no class, or if a score that counts is NaN;
   *     nothing has then changed
   */
  public void add(Padded scores, int... targets) {
    check(scores.shape(), targets);
    int[] valid = new int[scores.steps()];
    int[] places = scores.places();
    for (int k = 0; k < valid.length; k++) {
      valid[k] = targets[places[k]];
    }
    add(scores, places, valid);
  }

  /**
   * Counts the predictions of sequences of different lengths.
   *
   * @param scores classes × batch × time
   * @param targets one-hot columns of the same shape and lengths
   * @throws ShapeException if the targets have other sizes or lengths, or are not one-hot
   * @throws IllegalArgumentException if a score is NaN; nothing has then changed
   */
  public void add(Padded scores, Padded targets) {
    Shape shape = scores.shape();
    if (shape.rows() != classes
        || !shape.equals(targets.shape())
        || !Arrays.equals(scores.lengths(), targets.lengths())
        || !(targets.valid() instanceof OneHot hot)) {
      throw new ShapeException(
          "confusion: scores=%s, targets=%s, classes=%d; need one-hot targets of the same lengths"
              .formatted(scores, targets, classes));
    }
    add(scores, scores.places(), hot.indexes());
  }

  /** Counts valid columns, given where each is among all. */
  private void add(Padded scores, int[] places, int[] valid) {
    Shape shape = scores.shape();
    float[] values = scores.valid().toArray();
    int[] targets = new int[shape.columns()];
    int[] predicted = new int[targets.length];
    Arrays.fill(targets, IGNORED);
    for (int k = 0; k < valid.length; k++) {
      targets[places[k]] = valid[k];
      predicted[places[k]] = predicted(values, k, places[k], valid[k]);
    }
    count(shape.batch(), targets, predicted);
  }

  private void check(Shape shape, int[] targets) {
    if (shape.rows() != classes || targets.length != shape.columns()) {
      throw new ShapeException(
          "confusion: scores=%s, %d targets, classes=%d; need a row per class, a target per column"
              .formatted(shape, targets.length, classes));
    }
  }

  /** The class that a column of values predicts, which is called by its place in the batch. */
  private int predicted(float[] values, int column, int place, int target) {
    if (target != IGNORED && (target < 0 || target >= classes)) {
      throw new IllegalArgumentException(
          "confusion: targets[%d]=%d, classes=%d; need 0 ≤ target < classes, or %d"
              .formatted(place, target, classes, IGNORED));
    }
    int best = 0;
    for (int i = 0; target != IGNORED && i < classes; i++) {
      float value = values[column * classes + i];
      if (Float.isNaN(value)) {
        throw new IllegalArgumentException(
            "confusion: the score of class %d in column %d is NaN; need scores that can be compared"
                .formatted(i, place));
      }
      best = value > values[column * classes + best] ? i : best;
    }
    return best;
  }

  private void count(int batch, int[] targets, int[] predicted) {
    for (int b = 0; b < batch; b++) {
      boolean counted = false;
      boolean allRight = true;
      for (int j = b; j < targets.length; j += batch) {
        if (targets[j] != IGNORED) {
          counts[targets[j] * classes + predicted[j]]++;
          counted = true;
          allRight &= targets[j] == predicted[j];
        }
      }
      sequences += counted ? 1 : 0;
      right += counted && allRight ? 1 : 0;
    }
  }

  /** Forgets all predictions. */
  public void clear() {
    Arrays.fill(counts, 0);
    sequences = 0;
    right = 0;
  }

  /**
   * The number of predictions of a pair.
   *
   * @param target the class that is right
   * @param predicted the class that was predicted
   * @return their number
   * @throws IllegalArgumentException if one is no class
   */
  public long count(int target, int predicted) {
    return counts[checked(target) * classes + checked(predicted)];
  }

  private int checked(int c) {
    if (c < 0 || c >= classes) {
      throw new IllegalArgumentException(
          "confusion: class=%d, classes=%d; need 0 ≤ class < classes".formatted(c, classes));
    }
    return c;
  }

  /** {@return the number of columns that were counted} */
  public long total() {
    return Arrays.stream(counts).sum();
  }

  /** {@return the share of the columns that are right; NaN of none} */
  public double accuracy() {
    long hits = 0;
    for (int c = 0; c < classes; c++) {
      hits += count(c, c);
    }
    return (double) hits / total();
  }

  /** {@return the share of the sequences that are right at every counted step; NaN of none} */
  public double sequenceAccuracy() {
    return (double) right / sequences;
  }

  /**
   * The share of the predictions of a class that are right.
   *
   * @param c the class
   * @return NaN where it was never predicted
   * @throws IllegalArgumentException if c is no class
   */
  public double precision(int c) {
    return (double) count(c, c) / predictions(c);
  }

  /**
   * The share of the columns of a class that were predicted as it.
   *
   * @param c the class
   * @return NaN where no column is of this class
   * @throws IllegalArgumentException if c is no class
   */
  public double recall(int c) {
    return (double) count(c, c) / targets(c);
  }

  /**
   * The harmonic mean of precision and recall of a class: 2TP/(2TP + FP + FN).
   *
   * @param c the class
   * @return NaN where the class is neither a target nor a prediction
   * @throws IllegalArgumentException if c is no class
   */
  public double f1(int c) {
    return 2.0 * count(c, c) / (predictions(c) + targets(c));
  }

  /** {@return the mean of {@link #f1(int)} over the classes that occur (macro); NaN of none} */
  public double f1() {
    double sum = 0;
    int occurring = 0;
    for (int c = 0; c < classes; c++) {
      if (predictions(c) + targets(c) > 0) {
        sum += f1(c);
        occurring++;
      }
    }
    return sum / occurring;
  }

  private long predictions(int c) {
    long sum = 0;
    for (int t = 0; t < classes; t++) {
      sum += count(t, c);
    }
    return sum;
  }

  private long targets(int c) {
    long sum = 0;
    for (int p = 0; p < classes; p++) {
      sum += count(c, p);
    }
    return sum;
  }
}
