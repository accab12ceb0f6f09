package io.recur.grad;

import io.recur.device.Buffer;
import java.util.Arrays;

/** Operations over the steps of sequences, and over those of each sequence's own length. */
final class OverTime {
  private OverTime() {}

  /** {@code y[:,j,t] = x[:,j,T−1−t]}. */
  static Tensor reversed(Tensor x) {
    Shape shape = x.shape();
    int time = shape.time();
    if (x instanceof OneHot hot) {
      int[] all = new int[shape.batch()];
      Arrays.fill(all, time);
      return reordered(hot, reversal(shape, all));
    }
    int[] from = new int[time];
    for (int t = 0; t < time; t++) {
      from[t] = time - 1 - t;
    }
    return Rearrange.columns("reversed", x, shape.rows() * shape.batch(), from, shape);
  }

  /** The column of x for each of y: the steps of each sequence in reverse, those behind it kept. */
  private static int[] reversal(Shape shape, int[] lengths) {
    int batch = shape.batch();
    int[] from = new int[shape.columns()];
    for (int t = 0; t < shape.time(); t++) {
      for (int j = 0; j < batch; j++) {
        int step = t < lengths[j] ? lengths[j] - 1 - t : t;
        from[t * batch + j] = step * batch + j;
      }
    }
    return from;
  }

  /** Softmax over time: of the columns of the transposed, time × rows·batch. */
  static Tensor softmax(Tensor x) {
    Shape shape = x.shape();
    int step = shape.rows() * shape.batch();
    int time = shape.time();
    int[] from = new int[shape.count()];
    int[] back = new int[shape.count()];
    for (int t = 0; t < time; t++) {
      for (int i = 0; i < step; i++) {
        from[i * time + t] = t * step + i;
        back[t * step + i] = i * time + t;
      }
    }
    Tensor scores = Rearrange.columns("softmax", x, 1, from, Shape.of(time, step));
    return Rearrange.columns("softmax", Softmax.softmax(scores), 1, back, shape);
  }

  /** One-hot columns in another order, by their indexes alone. */
  private static OneHot reordered(OneHot x, int[] from) {
    Shape shape = x.shape();
    try (OpContext context = OpContext.of("reversed", x)) {
      Tape tape = context.tape();
      Buffer order = context.scratch(from.length);
      order.writeIndexes(from);
      Buffer index = context.scratch(from.length);
      context.device().columns().gather(1, from.length, x.index(), order, null, index);
      TensorData data =
          tape.values.data(tape, shape.rank(), shape.rows(), shape.batch(), shape.time());
      return new OneHot(data, index);
    }
  }
}
