package io.recur.cli;

import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Npy;
import java.util.Arrays;

/**
 * The input of a model: steps of a batch, each with rows of features or with one index of a class.
 *
 * @param classes of the embedding that the indexes enter; 0 where the values are features
 * @param rows of a column, 1 of indexes
 * @param batch columns of a step
 * @param time steps
 * @param layout how the file has them
 * @param values features × batch × time, first dimension contiguous
 */
record Series(int classes, int rows, int batch, int time, Layout layout, float[] values) {
  /**
   * Which sizes a file has beside the features.
   *
   * @param hasTime whether it has steps
   * @param hasBatch whether it has a batch
   * @param batchFirst whether the batch comes before the steps
   */
  record Layout(boolean hasTime, boolean hasBatch, boolean batchFirst) {}

  /**
   * Reads an array {@code [time, batch, features]}, {@code [time, features]} or {@code [features]};
   * of indexes {@code [time, batch]} or {@code [time]}.
   *
   * @throws IllegalArgumentException if it has other sizes
   */
  static Series of(Npy array, int classes, boolean batchFirst) {
    int[] sizes = array.sizes();
    int outer = classes > 0 ? sizes.length : sizes.length - 1; // time and batch
    int least = classes > 0 ? 1 : 0;
    if (outer < least || outer > 2 || Arrays.stream(sizes).anyMatch(size -> size < 1)) {
      throw new IllegalArgumentException(
          "the input is %s; need %s"
              .formatted(
                  array,
                  classes > 0
                      ? "[time, batch] or [time] of indexes"
                      : "[time, batch, features], [time, features] or [features]"));
    }
    int rows = classes > 0 ? 1 : sizes[sizes.length - 1];
    boolean isSwapped = outer == 2 && batchFirst;
    int time = outer == 0 ? 1 : sizes[isSwapped ? 1 : 0];
    int batch = outer < 2 ? 1 : sizes[isSwapped ? 0 : 1];
    float[] values = isSwapped ? swapped(array.values(), batch, time, rows) : array.values();
    return new Series(
        classes, rows, batch, time, new Layout(outer > 0, outer == 2, isSwapped), values);
  }

  /** {@return {@code [outer, inner, rows]} as {@code [inner, outer, rows]}} */
  static float[] swapped(float[] values, int outer, int inner, int rows) {
    float[] swapped = new float[values.length];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        System.arraycopy(values, (o * inner + i) * rows, swapped, (i * outer + o) * rows, rows);
      }
    }
    return swapped;
  }

  /** {@return the same with the batch in the place of the steps, and these in that of the batch} */
  Series turned() {
    return new Series(classes, rows, time, batch, layout, swapped(values, time, batch, rows));
  }

  /** {@return the values of a step} */
  Series step(int t) {
    int length = rows * batch;
    float[] step = Arrays.copyOfRange(values, t * length, (t + 1) * length);
    return new Series(classes, rows, batch, 1, layout, step);
  }

  /**
   * Copies this to a tape.
   *
   * @throws IllegalArgumentException if an index is that of no class
   */
  Tensor on(Tape tape) {
    if (classes == 0) {
      return tape.input(Shape.of(rows, batch, time), values);
    }
    int[] indexes = Arrays.stream(integers()).mapToInt(index -> (int) index).toArray();
    return tape.oneHot(Shape.of(classes, batch, time), indexes);
  }

  /**
   * {@return the values as indexes}
   *
   * @throws IllegalArgumentException if one is that of no class
   */
  long[] integers() {
    long[] indexes = new long[values.length];
    for (int i = 0; i < indexes.length; i++) {
      indexes[i] = (long) values[i];
      if (indexes[i] != values[i] || indexes[i] < 0 || indexes[i] >= classes) {
        throw new IllegalArgumentException(
            "value %d of the input is %s; need the index of one of %d classes"
                .formatted(i, values[i], classes));
      }
    }
    return indexes;
  }

  /** {@return the answers of a model, in the sizes and the order of its input's file} */
  static Npy array(Layout layout, Shape shape, float[] values) {
    int time = shape.time();
    int batch = shape.batch();
    int rows = shape.rows();
    if (shape.rank() < 3 && layout.hasBatch()) {
      return new Npy(new int[] {batch, rows}, values); // a model that answers with one step
    }
    if (layout.batchFirst()) {
      return new Npy(new int[] {batch, time, rows}, swapped(values, time, batch, rows));
    }
    int[] whole = {time, batch, rows};
    int[] without =
        layout.hasTime() && shape.rank() == 3 ? new int[] {time, rows} : new int[] {rows};
    return new Npy(layout.hasBatch() ? whole : without, values);
  }
}
