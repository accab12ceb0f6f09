package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.grad.Concat;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The columns of a result, each a column of one of several sources: column j is column {@code
 * column[j]} of source {@code source[j]}. Taking, putting, swapping, joining and splitting columns
 * are selections.
 */
record Selection(int[] source, int[] column) {
  /** Columns of one source. */
  static Selection take(int batch, int... columns) {
    if (columns.length == 0) {
      throw new ShapeException("take: no columns of " + batch + "; need one or more");
    }
    check("take", batch, columns);
    return new Selection(new int[columns.length], columns.clone());
  }

  /** All columns of one source, two of them exchanged. */
  static Selection swap(int batch, int a, int b) {
    check("swap", batch, a, b);
    Selection swapped = range(0, batch);
    swapped.column[a] = b;
    swapped.column[b] = a;
    return swapped;
  }

  /** All columns of source 0, but at these places those of source 1 in order. */
  static Selection put(int batch, int its, int... at) {
    check("put", batch, at);
    if (its != at.length) {
      throw new ShapeException(
          "put: %d columns to %s; need one place for each".formatted(its, Arrays.toString(at)));
    }
    Selection all = range(0, batch);
    for (int j = 0; j < at.length; j++) {
      if (all.source[at[j]] != 0) {
        throw new ShapeException(
            "put: columns %s; need each place once".formatted(Arrays.toString(at)));
      }
      all.source[at[j]] = 1;
      all.column[at[j]] = j;
    }
    return all;
  }

  /** All columns of all sources. */
  static Selection join(int... batches) {
    long sum = Arrays.stream(batches).asLongStream().sum();
    if (sum > Integer.MAX_VALUE) {
      throw new ShapeException("join: %d columns; need %d or less".formatted(sum, 1L << 31));
    }
    int[] source = new int[(int) sum];
    int[] column = new int[(int) sum];
    int at = 0;
    for (int s = 0; s < batches.length; s++) {
      for (int j = 0; j < batches[s]; j++, at++) {
        source[at] = s;
        column[at] = j;
      }
    }
    return new Selection(source, column);
  }

  /** One selection of adjacent columns for each width. */
  static List<Selection> split(int batch, int... widths) {
    long sum = Arrays.stream(widths).asLongStream().sum();
    if (sum != batch || Arrays.stream(widths).anyMatch(width -> width < 1)) {
      throw new ShapeException(
          "split: %d columns into %s; need widths of 1 or more with this sum"
              .formatted(batch, Arrays.toString(widths)));
    }
    List<Selection> parts = new ArrayList<>();
    int from = 0;
    for (int width : widths) {
      parts.add(range(from, from + width));
      from += width;
    }
    return parts;
  }

  /** Adjacent columns of one source. */
  private static Selection range(int from, int to) {
    int[] column = new int[to - from];
    for (int j = 0; j < column.length; j++) {
      column[j] = from + j;
    }
    return new Selection(new int[column.length], column);
  }

  /** Refuses columns that a batch does not have. */
  static void check(String where, int batch, int... columns) {
    for (int column : columns) {
      if (column < 0 || column >= batch) {
        throw new IndexOutOfBoundsException(
            "%s: column=%d; need 0 ≤ column < %d".formatted(where, column, batch));
      }
    }
  }

  private interface Run {
    void accept(int source, int from, int to);
  }

  /** Visits the longest runs of adjacent columns of one source, in order. */
  private void runs(Run run) {
    for (int j = 0; j < column.length; ) {
      int end = j + 1;
      while (end < column.length
          && source[end] == source[j]
          && column[end] == column[j] + end - j) {
        end++;
      }
      run.accept(source[j], column[j], column[j] + end - j);
      j = end;
    }
  }

  /** Selects of matrices: with their gradient where one is on a tape, else as a copy. */
  Tensor of(List<Tensor> from) {
    for (Tensor one : from) {
      Tape tape = one.tape();
      if (tape != null) {
        List<Tensor> parts = new ArrayList<>();
        runs((s, first, end) -> parts.add(from.get(s).columns(first, end)));
        Tensor only = parts.getFirst();
        return parts.size() > 1
            ? Concat.columns(parts.toArray(Tensor[]::new))
            : only.tape() == null ? tape.use(only) : only;
      }
    }
    Shape shape = Shape.of(from.getFirst().shape().rows(), column.length);
    Buffer memory = from.getFirst().device().allocate(shape.count());
    Tensor copy = Tensor.constant(shape, memory);
    copy(from, copy);
    return copy;
  }

  /** Copies the values to a matrix of as many columns, which is none of the sources. */
  void copy(List<Tensor> from, Tensor to) {
    int rows = to.shape().rows();
    long[] at = {0};
    runs(
        (s, first, end) -> {
          int count = (end - first) * rows;
          Buffer source = from.get(s).value().slice((long) first * rows, count);
          to.device().pointwise().copy(source, to.value().slice(at[0], count), count);
          at[0] += count;
        });
  }

  /** Selects of values on the heap, column-major. */
  float[] of(int rows, List<float[]> from) {
    float[] values = new float[Math.multiplyExact(rows, column.length)];
    int[] at = {0};
    runs(
        (s, first, end) -> {
          int count = (end - first) * rows;
          System.arraycopy(from.get(s), first * rows, values, at[0], count);
          at[0] += count;
        });
    return values;
  }
}
