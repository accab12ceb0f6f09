package io.recur.grad;

import io.recur.device.Buffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Columns in another order, each once or not at all: {@code y[:,j] = x[:,from[j]]}, and a number
 * where {@code from[j]} is {@link #NONE}; {@code dx[:,from[j]] += dy[:,j]}. What is not taken, of x
 * and of dy, may be NaN: it is passed over, never multiplied.
 *
 * <p>A column is any number of values that follow each other: a whole time step, or one value.
 */
final class Rearrange implements Op {
  /** In place of a column of x. */
  static final int NONE = -1;

  private int m;
  private Tensor x;
  private Tensor y;

  /** The columns of x in those of y, and whether one is nowhere; none without a gradient. */
  private @Nullable Buffer inverse;

  private boolean isPartial;

  /** Where the inverse is computed, kept for calls of the same size. */
  private int[] back = {};

  /**
   * Rearranges columns.
   *
   * @param where for errors
   * @param x count a multiple of m
   * @param m values per column
   * @param from the column of x for each of y, each at most once, or {@link #NONE}
   * @param other the values where there is none
   * @param shape of y
   */
  static Tensor columns(String where, Tensor x, int m, int[] from, float other, Shape shape) {
    return columns(where, x, m, from, from.length, other, shape);
  }

  /** The same of the first n columns of {@code from}. */
  static Tensor columns(
      String where, Tensor x, int m, int[] from, int n, float other, Shape shape) {
    return columns(where, x, m, from, n, false, other, shape);
  }

  /**
   * Exchanges columns in pairs, or leaves them: {@code from[from[j]] = j}.
   *
   * @param where for errors
   * @param x count a multiple of m
   * @param m values per column
   * @param from the column of x for each of y; what the array has beyond those is not read
   */
  static Tensor exchanged(String where, Tensor x, int m, int[] from) {
    return columns(where, x, m, from, x.shape().count() / m, true, 0, x.shape());
  }

  private static Tensor columns(
      String where, Tensor x, int m, int[] from, int n, boolean inPairs, float other, Shape shape) {
    try (OpContext context = OpContext.of(where, x)) {
      Rearrange op = context.reuse(Rearrange.class, Rearrange::new);
      int columns = x.shape().count() / m;
      op.m = m;
      op.x = x;
      op.y = context.output(shape, x.isDifferentiable());
      boolean isPartial = !inPairs && hasNone(from, n);
      Buffer source = x.value();
      if (isPartial) {
        source = extended(m, columns, source, other, context.scratch((long) m * (columns + 1)));
      }
      Buffer index = index(context, from, n, columns);
      context.device().columns().gather(m, n, source, index, null, op.y.value());
      op.invert(context, from, n, inPairs ? index : null, columns);
      return context.record(op, op.y);
    }
  }

  private static boolean hasNone(int[] from, int n) {
    for (int j = 0; j < n; j++) {
      if (from[j] == NONE) {
        return true;
      }
    }
    return false;
  }

  /** The indexes on the device; none is the column behind the last one. */
  private static Buffer index(OpContext context, int[] from, int n, int columns) {
    int[] index = hasNone(from, n) ? Arrays.copyOf(from, n) : from;
    for (int j = 0; index != from && j < n; j++) {
      index[j] = index[j] == NONE ? columns : index[j];
    }
    Buffer buffer = context.scratch(n);
    buffer.writeIndexes(index, n);
    return buffer;
  }

  /** Finds the column of y that each column of x became, unless the index is its own inverse. */
  private void invert(OpContext context, int[] from, int n, @Nullable Buffer own, int columns) {
    inverse = own;
    isPartial = false;
    if (own != null || !y.isDifferentiable()) {
      return;
    }
    if (back.length != columns) {
      back = new int[columns];
    }
    Arrays.fill(back, NONE);
    for (int j = 0; j < n; j++) {
      if (from[j] != NONE) {
        back[from[j]] = j;
      }
    }
    isPartial = hasNone(back, columns);
    inverse = index(context, back, columns, n);
  }

  /** A copy with a column of one number behind the last one. */
  private static Buffer extended(int m, int columns, Buffer from, float other, Buffer copy) {
    long count = (long) m * columns;
    copy.device().pointwise().copy(from, copy, count);
    copy.device().pointwise().fill(other, copy.slice(count, m), m);
    return copy;
  }

  @Override
  public void trace(Trace trace) {
    trace.refuse("it takes columns or steps in another order; keep those of x");
  }

  @Override
  public void backward() {
    OpContext context = y.tape().context;
    int count = x.shape().count();
    int columns = y.shape().count() / m;
    Buffer dy = y.gradient();
    if (isPartial) {
      dy = extended(m, columns, dy, 0, context.backwardScratch((long) m * (columns + 1)));
    }
    Buffer whole = x.unreached();
    Buffer terms = whole == null ? context.backwardScratch(count) : whole;
    y.device().columns().gather(m, count / m, dy, inverse, null, terms);
    if (whole == null) {
      y.device().pointwise().addScaled(1, terms, x.accumulator(), count);
    }
  }
}
