package io.recur.grad;

import io.recur.device.Buffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Makes an input of one array per sequence of the batch, such as requests that a server steps
 * together. On a CPU each value is copied once, from its array to the memory of the tape. For a GPU
 * the values are first gathered in one array.
 *
 * <pre>{@code
 * ColumnInput columns = new ColumnInput(tape);
 * float[][] requests = {{1, 2, 3}, {4, 5, 6}};
 * Tensor y = model.apply(columns.dense(Shape.of(3, 2), requests));   // a batch of two
 * }</pre>
 *
 * <p>It keeps nothing of an input but the array for a GPU. Use it on one thread at a time, like its
 * tape.
 */
public final class ColumnInput {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final Tape tape;

  /** The arrays for a GPU, which the next input of the same size uses again. */
  private float[] values = {};

  private int[] indexes = {};

  /**
   * Makes inputs for a tape.
   *
   * @param tape owns their memory
   */
  public ColumnInput(Tape tape) {
    this.tape = tape;
  }

  /**
   * A dense input.
   *
   * @param shape features × batch × time
   * @param columns per sequence its values, features × time; they are copied, and arrays beyond the
   *     batch are ignored
   * @return a tensor that takes no gradient
   * @throws ShapeException if an array has another length, or there are too few; the tape has not
   *     changed
   */
  public Tensor dense(Shape shape, float[]... columns) {
    check("dense", shape, columns.length);
    for (int j = 0; j < shape.batch(); j++) {
      checkLength("dense", shape, j, columns[j].length, shape.rows() * shape.time());
    }
    try (var _ = tape.enter()) {
      tape.checkOpen();
      Tensor tensor =
          tape.values.tensor(tape, shape.rank(), shape.rows(), shape.batch(), shape.time());
      MemorySegment target = tensor.value().target();
      if (target.byteSize() > 0) {
        write(shape, target, columns);
      } else {
        values = values.length == shape.count() ? values : new float[shape.count()];
        write(shape, MemorySegment.ofArray(values), columns);
        tensor.value().write(values);
      }
      return tensor;
    }
  }

  private static void write(Shape shape, MemorySegment to, float[][] columns) {
    int rows = shape.rows();
    for (int j = 0; j < shape.batch(); j++) {
      for (int t = 0; t < shape.time(); t++) {
        long at = (long) Float.BYTES * rows * (shape.batch() * t + j);
        MemorySegment.copy(columns[j], rows * t, to, FLOAT, at, rows);
      }
    }
  }

  /**
   * A one-hot input.
   *
   * @param shape classes × batch × time
   * @param columns per sequence the index of each step, 0 ≤ index &lt; classes; they are copied,
   *     and arrays beyond the batch are ignored
   * @return an input that takes no gradient, see {@link Tape#oneHot}
   * @throws ShapeException if an array has another length or an index is no row, or there are too
   *     few arrays; the tape has not changed
   */
  public OneHot oneHot(Shape shape, int[]... columns) {
    check("oneHot", shape, columns.length);
    for (int j = 0; j < shape.batch(); j++) {
      checkLength("oneHot", shape, j, columns[j].length, shape.time());
      for (int t = 0; t < shape.time(); t++) {
        OneHot.checkIndex(shape, shape.batch() * t + j, columns[j][t]);
      }
    }
    try (var _ = tape.enter()) {
      tape.checkOpen();
      Buffer index = tape.values.take(shape.columns());
      MemorySegment target = index.target();
      if (target.byteSize() > 0) {
        write(shape, target, columns);
      } else {
        indexes = indexes.length == shape.columns() ? indexes : new int[shape.columns()];
        write(shape, MemorySegment.ofArray(indexes), columns);
        index.writeIndexes(indexes);
      }
      return new OneHot(
          tape.values.data(tape, shape.rank(), shape.rows(), shape.batch(), shape.time()), index);
    }
  }

  private static void write(Shape shape, MemorySegment to, int[][] columns) {
    for (int j = 0; j < shape.batch(); j++) {
      for (int t = 0; t < shape.time(); t++) {
        to.set(INT, (long) Integer.BYTES * (shape.batch() * t + j), columns[j][t]);
      }
    }
  }

  private void check(String where, Shape shape, int columns) {
    if (columns < shape.batch()) {
      throw new ShapeException(
          "%s: shape=%s, %d arrays; need one for each of the batch, %d"
              .formatted(where, shape, columns, shape.batch()));
    }
    Trace trace = tape.trace();
    if (trace != null) {
      trace.refuse(where, "its values may differ from call to call; make it a Parameter.fixed");
    }
  }

  private static void checkLength(String where, Shape shape, int column, int length, int needed) {
    if (length != needed) {
      throw new ShapeException(
          "%s: shape=%s, array %d has %d values; need %d"
              .formatted(where, shape, column, length, needed));
    }
  }
}
