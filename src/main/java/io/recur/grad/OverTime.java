package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * Operations over the steps of sequences, and over those of each sequence's own length. Those of
 * {@link Padded} read its valid columns.
 */
final class OverTime {
  private OverTime() {}

  /** {@code y[:,j,t] = x[:,j,T−1−t]}. */
  static Tensor reversed(Tensor x) {
    Shape shape = x.shape();
    int time = shape.time();
    if (x instanceof OneHot hot) {
      int batch = shape.batch();
      int[] from = filled(shape.columns(), j -> (time - 1 - j / batch) * batch + j % batch);
      return reordered(hot, from, shape);
    }
    int[] from = filled(time, t -> time - 1 - t);
    return Rearrange.exchanged("reversed", x, shape.rows() * shape.batch(), from);
  }

  /** The steps of each sequence in reverse. */
  static Padded reversed(Padded x, Packing packing) {
    int[] from = packing.reversed();
    return x.map(
        valid ->
            valid instanceof OneHot hot
                ? reordered(hot, from, valid.shape())
                : Rearrange.exchanged("reversed", valid, valid.shape().rows(), from));
  }

  /** One-hot columns in another order, by their indexes alone. */
  private static OneHot reordered(OneHot x, int[] from, Shape shape) {
    try (OpContext context = OpContext.of("reversed", x)) {
      int n = shape.columns();
      Buffer order = context.scratch(n);
      order.writeIndexes(from, n);
      OneHot columns = x.columns(context, order, n);
      return (OneHot) columns.view(shape.rank(), shape.rows(), shape.batch(), shape.time(), 0);
    }
  }

  /** The last valid step of each sequence; zeros of an empty one. */
  static Tensor last(Tensor valid, Packing packing) {
    int rows = valid.shape().rows();
    Shape shape = Shape.of(rows, packing.batch());
    return Rearrange.columns("last", valid, rows, packing.last(), 0, shape);
  }

  /** The mean of each sequence; zeros of an empty one. */
  static Tensor mean(Padded x, Packing packing) {
    if (packing.isWhole()) {
      return x.data().mean(Dimension.TIME);
    }
    float[] shares = new float[packing.batch()];
    for (int b = 0; b < shares.length; b++) {
      shares[b] = packing.lengths[b] == 0 ? 0 : 1f / packing.lengths[b];
    }
    return x.data().sum(Dimension.TIME).mul(x.tape().input(Shape.of(1, shares.length), shares));
  }

  /** The largest values of each sequence; zeros of an empty one. */
  static Tensor max(Padded x, Packing packing) {
    if (packing.isWhole()) {
      return x.data().max(Dimension.TIME);
    }
    Shape shape = x.shape();
    int rows = shape.rows();
    int[] columns = packing.sources();
    Tensor steps =
        Rearrange.columns("max", x.valid(), rows, columns, Float.NEGATIVE_INFINITY, shape);
    Tensor largest = steps.max(Dimension.TIME);
    int[] from = filled(packing.batch(), b -> packing.lengths[b] == 0 ? Rearrange.NONE : b);
    return Arrays.stream(from).noneMatch(b -> b == Rearrange.NONE)
        ? largest
        : Rearrange.columns("max", largest, rows, from, 0, largest.shape());
  }

  /**
   * Softmax over time, of the columns of the transposed: time × rows·batch. Behind the end of a
   * sequence, −∞ has no share. An empty sequence has no step to take one, and gets zeros.
   *
   * @param lengths of each sequence
   */
  static Tensor softmax(Tensor x, int[] lengths) {
    Shape shape = x.shape();
    int rows = shape.rows();
    int step = rows * shape.batch();
    int time = shape.time();
    int[] from = new int[shape.count()];
    int[] back = new int[shape.count()];
    for (int t = 0; t < time; t++) {
      for (int i = 0; i < step; i++) {
        boolean isValid = t < lengths[i / rows];
        from[i * time + t] = isValid ? t * step + i : Rearrange.NONE;
        back[t * step + i] = isValid ? i * time + t : Rearrange.NONE;
      }
    }
    float none = Float.NEGATIVE_INFINITY;
    Tensor scores = Rearrange.columns("softmax", x, 1, from, none, Shape.of(time, step));
    return Rearrange.columns("softmax", Softmax.softmax(scores), 1, back, 0, shape);
  }

  private static int[] filled(int n, IntUnaryOperator of) {
    int[] values = new int[n];
    Arrays.setAll(values, of);
    return values;
  }
}
