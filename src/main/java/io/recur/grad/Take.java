package io.recur.grad;

import io.recur.device.Buffer;
import java.util.BitSet;

/**
 * Columns of a tensor in any order: {@code y[:,j] = x[:,index[j]]}; {@code dx[:,index[j]] +=
 * dy[:,j]}. A column may be taken several times. Columns that are not taken are not read.
 */
final class Take implements Op {
  private Tensor x;
  private Tensor y;
  private Buffer index;

  static Tensor take(Tensor x, int... columns) {
    Shape shape = x.shape();
    if (columns.length == 0) {
      throw new ShapeException("take: no columns of x=%s; need one or more".formatted(shape));
    }
    for (int column : columns) {
      if (column < 0 || column >= shape.columns()) {
        throw new IndexOutOfBoundsException(
            "take: x=%s, column=%d; need 0 ≤ column < %d"
                .formatted(shape, column, shape.columns()));
      }
    }
    Shape.check(2, shape.rows(), columns.length, 1);
    if (x instanceof OneHot || isEachOnce(shape.columns(), columns)) {
      return each(x, columns, columns.length);
    }
    try (OpContext context = OpContext.of("take", x)) {
      Buffer index = context.scratch(columns.length);
      index.writeIndexes(columns);
      return context.reuse(Take.class, Take::new).of(context, x, index, columns.length);
    }
  }

  /** The first n columns of a list that x has, each at most once where x is not one-hot. */
  static Tensor each(Tensor x, int[] columns, int n) {
    if (!(x instanceof OneHot hot)) {
      int rows = x.shape().rows();
      return Rearrange.columns("take", x, rows, columns, n, 0, Shape.of(rows, n));
    }
    try (OpContext context = OpContext.of("take", x)) {
      Buffer index = context.scratch(n);
      index.writeIndexes(columns, n);
      return hot.columns(context, index, n);
    }
  }

  /** Whether no column is taken twice: its gradient is then a gather too. */
  private static boolean isEachOnce(int all, int... columns) {
    BitSet taken = new BitSet(all);
    for (int column : columns) {
      taken.set(column);
    }
    return taken.cardinality() == columns.length;
  }

  private Tensor of(OpContext context, Tensor x, Buffer index, int n) {
    int m = x.shape().rows();
    this.x = x;
    this.index = index;
    y = context.output(2, m, n, x.isDifferentiable());
    context.device().columns().gather(m, n, x.value(), index, null, y.value());
    return context.record(this, y);
  }

  @Override
  public void trace(Trace trace) {
    trace.refuse("it takes some columns; leave the columns of x whole");
  }

  @Override
  public void backward() {
    Shape shape = y.shape();
    y.device()
        .columns()
        .scatterAdd(shape.rows(), shape.columns(), y.gradient(), index, x.accumulator());
  }
}
