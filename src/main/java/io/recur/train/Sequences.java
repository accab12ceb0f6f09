package io.recur.train;

import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Makes the tensors that a model takes out of sequences of feature vectors.
 *
 * <pre>{@code
 * Tensor x = Sequences.batch(tape, List.of(first, second));    // in × 2 × T
 * Padded p = Sequences.padded(tape, List.of(first, second));   // of any two lengths
 * for (Tensor chunk : Sequences.chunks(x, 50)) { … }           // truncated back-propagation
 * }</pre>
 */
public final class Sequences {
  private Sequences() {}

  /**
   * Puts sequences of equal length side by side.
   *
   * @param tape the tape that owns the result
   * @param sequences each {@code [time][features]}
   * @return features × batch × time
   * @throws ShapeException if there is no sequence, if lengths or numbers of features differ, or if
   *     a tensor cannot hold all values
   */
  public static Tensor batch(Tape tape, List<float[][]> sequences) {
    if (sequences.isEmpty() || sequences.getFirst().length == 0) {
      throw new ShapeException("batch: no sequences, or the first is empty; need one step or more");
    }
    int batch = sequences.size();
    int time = sequences.getFirst().length;
    int features = sequences.getFirst()[0].length;
    Shape shape = Shape.of(features, batch, time); // throws if no array holds it
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
   * Puts sequences of any lengths side by side, some of them empty.
   *
   * @param tape the tape that owns the result
   * @param sequences each {@code [time][features]}
   * @return features × batch × the longest time, with the lengths
   * @throws ShapeException if there is no step, if numbers of features differ, or if a tensor
   *     cannot hold all values
   */
  public static Padded padded(Tape tape, List<float[][]> sequences) {
    int[] lengths = sequences.stream().mapToInt(sequence -> sequence.length).toArray();
    int time = longest(lengths);
    int batch = lengths.length;
    int longest = IntStream.range(0, batch).filter(b -> lengths[b] == time).findFirst().orElse(0);
    int features = sequences.get(longest)[0].length;
    Shape shape = Shape.of(features, batch, time); // throws if no array holds it
    float[] values = new float[shape.count()];
    for (int b = 0; b < batch; b++) {
      float[][] sequence = sequences.get(b);
      for (int t = 0; t < sequence.length; t++) {
        if (sequence[t].length != features) {
          throw new ShapeException(
              "padded: sequence %d, step %d has %d features; need %d"
                  .formatted(b, t, sequence[t].length, features));
        }
        System.arraycopy(sequence[t], 0, values, (t * batch + b) * features, features);
      }
    }
    return Padded.of(tape.input(shape, values), lengths);
  }

  /**
   * Puts sequences of classes, such as words, of any lengths side by side.
   *
   * @param tape the tape that owns the result
   * @param classes the number of classes
   * @param sequences each one class per step, 0 ≤ class &lt; classes
   * @return one-hot columns, classes × batch × the longest time, with the lengths
   * @throws ShapeException if there is no step, if an index is no class, or if a tensor cannot hold
   *     all values
   */
  public static Padded padded(Tape tape, int classes, List<int[]> sequences) {
    int[] lengths = sequences.stream().mapToInt(sequence -> sequence.length).toArray();
    int batch = lengths.length;
    Shape shape = Shape.of(classes, batch, longest(lengths));
    int[] indexes = new int[shape.columns()];
    for (int b = 0; b < batch; b++) {
      int[] sequence = sequences.get(b);
      for (int t = 0; t < sequence.length; t++) {
        indexes[t * batch + b] = sequence[t];
      }
    }
    return Padded.of(tape.oneHot(shape, indexes), lengths);
  }

  private static int longest(int... lengths) {
    int longest = IntStream.of(lengths).max().orElse(0);
    if (longest == 0) {
      throw new ShapeException(
          "padded: %d sequences without a step; need one step or more".formatted(lengths.length));
    }
    return longest;
  }

  /**
   * Cuts a long sequence into chunks, without a copy.
   *
   * @param x features × batch × time
   * @param steps the time steps per chunk, 1 or more
   * @return the chunks in order, as views of x; the last may be shorter
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
