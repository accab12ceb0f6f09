package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.kernels.Places;
import io.recur.device.kernels.ScheduledExecution;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Some columns of the batch at a step, all rows of a section: where its instructions work. Each
 * value is a heap array, one column after the other.
 */
final class JavaTile {
  Workspace work;
  ScheduledExecution execution;
  private Places places;

  /** The heap arrays of the values, by their number. */
  float[][] values = {};

  /** One value per column, and the classes of the columns. */
  float[] heads = {};

  int[] classes = {};

  int rows;

  /** The first column, and the number of columns. */
  int first;

  int columns;

  /** Rows × columns. */
  int n;

  int t;

  void begin(ScheduledExecution execution, Workspace work, int rows, int t) {
    this.execution = execution;
    this.places = execution.places();
    this.work = work;
    this.rows = rows;
    this.t = t;
  }

  /** Takes arrays of the thread's for at most this many columns. */
  void take(int arrays, int most) {
    if (values.length < arrays) {
      values = new float[arrays][];
    }
    for (int i = 0; i < arrays; i++) {
      values[i] = work.array(i, rows * most);
    }
    if (heads.length < most) {
      heads = new float[most];
      classes = new int[most];
    }
  }

  /** Moves to columns of the batch. */
  void at(int first, int columns) {
    this.first = first;
    this.columns = columns;
    this.n = columns * rows;
  }

  /** Copies rows from {@code row} on of an array at step {@code t + lag}; zeros beyond its rows. */
  void load(float[] to, int array, int row, int lag) {
    Buffer buffer = places.buffer(array);
    int height = places.rows(array);
    long at = places.offset(array, t + lag) + (long) first * height;
    if (height == rows && row == 0) {
      Workspace.load(buffer, at, to, 0, n);
      return;
    }
    int from = begin(row);
    int end = end(row, height);
    if (end - from < rows) {
      Arrays.fill(to, 0, n, 0);
    }
    for (int j = 0; j < columns && from < end; j++) {
      Workspace.load(buffer, at + (long) j * height + row + from, to, j * rows + from, end - from);
    }
  }

  /** The first row that there is, of those from {@code row} on. */
  private int begin(int row) {
    return Math.min(rows, Math.max(0, -row));
  }

  /** The row after the last one that there is. */
  private int end(int row, long height) {
    return (int) Math.max(begin(row), Math.min(rows, height - row));
  }

  /** Copies rows to those from {@code row} on of an array at step {@code t + lag} that it has. */
  void store(float[] from, int array, int row, int lag) {
    @Nullable Buffer buffer = places.buffer(array);
    if (buffer == null) {
      return;
    }
    int height = places.rows(array);
    long at = places.offset(array, t + lag) + (long) first * height + row;
    if (height == rows && row == 0) {
      Workspace.store(from, 0, buffer, at, n);
      return;
    }
    int begin = begin(row);
    int length = end(row, height) - begin;
    for (int j = 0; j < columns && length > 0; j++) {
      Workspace.store(from, j * rows + begin, buffer, at + (long) j * height + begin, length);
    }
  }

  /** Repeats row {@code row} of an array at step {@code t + lag} over all rows. */
  void loadRow(float[] to, float[] heads, int array, int row, int lag) {
    Buffer buffer = places.buffer(array);
    int height = places.rows(array);
    long at = places.offset(array, t + lag) + (long) first * height + row;
    if (height == 1) {
      Workspace.load(buffer, at, heads, 0, columns);
    } else {
      for (int j = 0; j < columns; j++) {
        Workspace.load(buffer, at + (long) j * height, heads, j, 1);
      }
    }
    for (int j = 0; j < columns; j++) {
      Arrays.fill(to, j * rows, (j + 1) * rows, heads[j]);
    }
  }

  /** Repeats a vector from {@code row} on over all columns; zeros beyond its length. */
  void loadVector(float[] to, int vector, int row) {
    Buffer buffer = execution.vector(vector);
    int from = begin(row);
    int end = end(row, buffer.floats());
    if (end - from < rows) {
      Arrays.fill(to, 0, rows, 0);
    }
    if (from < end) {
      Workspace.load(buffer, row + from, to, from, end - from);
    }
    for (int j = 1; j < columns; j++) {
      System.arraycopy(to, 0, to, j * rows, rows);
    }
  }

  /** Fills a value with one value of a vector. */
  void loadScalar(float[] to, int vector, int row) {
    Workspace.load(execution.vector(vector), row, to, 0, 1);
    Arrays.fill(to, 0, n, to[0]);
  }

  /** Copies the columns of a matrix that the classes of this step name. */
  void gather(float[] to, int[] classes, int matrix, int height, int row, int column) {
    Buffer weights = execution.matrix(matrix);
    long at = (long) t * places.batch() + first;
    Workspace.load(execution.index(), at, classes, columns);
    for (int j = 0; j < columns; j++) {
      long from = (long) (column + classes[j]) * height + row;
      Workspace.load(weights, from, to, j * rows, rows);
    }
  }

  /** Writes one value per column to a space of one row. */
  void reduced(float[] heads, int array) {
    Workspace.store(heads, 0, places.buffer(array), places.offset(array, t) + first, columns);
  }

  /** {@return the seed of a random operation at this step} */
  long seed(int draws, int draw) {
    return execution.seeds()[t * draws + draw];
  }
}
