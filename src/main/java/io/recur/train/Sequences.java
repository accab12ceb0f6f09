package io.recur.train;

import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Sequences of feature vectors as the tensors that a model takes.
 *
 * <pre>{@code
 * Tensor x = Sequences.batch(tape, List.of(first, second));    // in × 2 × T
 * for (Tensor chunk : Sequences.chunks(x, 50)) { … }           // truncated back-propagation
 * }</pre>
 */
public final class Sequences {
  private Sequences() {}

  /**
   * Sequences of equal length side by side.
   *
   * @param tape where to
   * @param sequences for each the feature vector of each time step, {@code [time][features]}
   * @return features × batch × time
   * @throws ShapeException if there are none, their lengths or numbers of features differ, or they
   *     are more values than a tensor holds
   */
  public static Tensor batch(Tape tape, List<float[][]> sequences) {
    if (sequences.isEmpty() || sequences.getFirst().length == 0) {
      throw new ShapeException("batch: no sequences, or the first is empty; need one step or more");
    }
    int batch = sequences.size();
    int time = sequences.getFirst().length;
    int features = sequences.getFirst()[0].length;
    Shape shape = Shape.of(features, batch, time); // refuses what no array holds
    float[] values = new float[shape.count()];
    for (int b = 0; b < batch; b++) {
      float[][] sequence = sequences.get(b);
      if (sequence.length != time) {
        throw new ShapeException(
            "batch: sequence 0 has %d steps, sequence %d has %d; need equal lengths"
                .formatted(time, b, sequence.length));
      }
      for (int t = 0; t < time; t++) {
        if (sequence[t].length != features) {
          throw new ShapeException(
              "batch: sequence %d, step %d has %d features; need %d"
                  .formatted(b, t, sequence[t].length, features));
        }
        System.arraycopy(sequence[t], 0, values, (t * batch + b) * features, features);
      }
    }
    return tape.input(shape, values);
  }

  /**
   * A long sequence in pieces of at most that many steps; no copy.
   *
   * @param x features × batch × time
   * @param steps of a piece, 1 or more
   * @return views in order; the last may be shorter
   * @throws ShapeException if steps is less than 1
   */
  public static List<Tensor> chunks(Tensor x, int steps) {
    if (steps < 1) {
      throw new ShapeException("chunks: steps=" + steps + "; need 1 or more");
    }
    List<Tensor> chunks = new ArrayList<>();
    for (int from = 0; from < x.shape().time(); from += steps) {
      chunks.add(x.times(from, Math.min(from + steps, x.shape().time())));
    }
    return chunks;
  }
}
