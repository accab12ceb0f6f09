package io.recur.serve;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import io.recur.nn.StateBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * One step of the model for several sessions: their states are gathered into a batch, stepped, and
 * scattered back. Nothing in the table changes where the model throws.
 */
final class Batch implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final Layer model;
  private final Tape tape;
  private final StateBatch states;
  private final @Nullable MemorySegment[] slabs;
  private final long[] at;

  /** The answers of the last step, rows × steps each; none for a session that has failed. */
  private final float @Nullable [][] answers;

  private int answerRows;

  /** The input of the last batch, to be used again for one of the same size. */
  private float[] values = {};

  private int[] indexes = {};

  /**
   * Begins to use a model, which is a fork that nobody else uses.
   *
   * @param most the most sessions of a batch
   */
  Batch(Layer model, Device device, int most) {
    this.model = model;
    this.states = new StateBatch(model, most);
    if (states.device() != device) {
      throw new IllegalArgumentException(
          "sessions: the model is on %s; open them for that device, not for %s"
              .formatted(states.device().nameBeside(device), device.nameBeside(states.device())));
    }
    this.tape = Tape.inference(device);
    this.slabs = new MemorySegment[most];
    this.at = new long[most];
    this.answers = new float[most][];
  }

  StateBatch states() {
    return states;
  }

  /**
   * Steps sessions once.
   *
   * @param table holds their states; those of sessions that fail stay as they are
   * @param steps one for each session, all of one kind
   * @param count their number
   */
  void run(Table table, Waiting[] steps, int count) {
    for (int j = 0; j < count; j++) {
      slabs[j] = table.stateSlab(steps[j].row);
      at[j] = table.stateAt(steps[j].row);
    }
    try {
      states.load(slabs, at, count);
      Request kind = steps[0].request;
      Tensor y = model.apply(input(kind, steps, count));
      read(kind, y, count);
      boolean[] failed = states.notNumbers();
      for (int j = 0; j < count; j++) {
        boolean isFailed = failed.length > 0 && failed[j] || holdsNaN(answers[j]);
        slabs[j] = isFailed ? null : slabs[j];
        answers[j] = isFailed ? null : answers[j];
      }
      states.store(slabs, at, count);
    } finally {
      tape.clear();
    }
  }

  /** The answer of the session with this place in the batch; none where it has failed. */
  float @Nullable [] answer(int j) {
    return answers[j];
  }

  /** The rows of each answer. */
  int answerRows() {
    return answerRows;
  }

  private Tensor input(Request kind, Waiting[] steps, int count) {
    int times = Math.max(1, kind.time);
    Shape shape =
        kind.time == 0 ? Shape.of(kind.rows, count) : Shape.of(kind.rows, count, kind.time);
    return kind.indexes != null
        ? tape.oneHot(shape, indexes(steps, count, times))
        : tape.input(shape, values(kind.rows, steps, count, times));
  }

  private float[] values(int rows, Waiting[] steps, int count, int times) {
    int length = Math.multiplyExact(rows * times, count);
    float[] all = values.length == length ? values : new float[length];
    for (int j = 0; j < count; j++) {
      float[] x = steps[j].request.x;
      for (int t = 0; t < times; t++) {
        System.arraycopy(x, rows * t, all, rows * (count * t + j), rows);
      }
    }
    values = all;
    return all;
  }

  private int[] indexes(Waiting[] steps, int count, int times) {
    int length = Math.multiplyExact(times, count);
    int[] all = indexes.length == length ? indexes : new int[length];
    for (int j = 0; j < count; j++) {
      int[] its = steps[j].request.indexes;
      for (int t = 0; t < times; t++) {
        all[count * t + j] = its[t];
      }
    }
    indexes = all;
    return all;
  }

  /** Reads the columns of the output, one array for each session. */
  private void read(Request kind, Tensor y, int count) {
    Shape shape = y.shape();
    if (shape.batch() != count) {
      throw new ShapeException(
          "sessions: the model gives %s for %d sessions; need a column for each"
              .formatted(shape, count));
    }
    int rows = shape.rows();
    int times = shape.time();
    MemorySegment here = y.value().segment();
    long bytes = (long) shape.count() * Float.BYTES;
    float[] copy = here.byteSize() >= bytes ? new float[0] : y.toArray();
    MemorySegment source = here.byteSize() >= bytes ? here : MemorySegment.ofArray(copy);
    for (int j = 0; j < count; j++) {
      float[] answer = new float[rows * times];
      for (int t = 0; t < times; t++) {
        long from = (long) rows * (count * t + j) * Float.BYTES;
        MemorySegment.copy(source, FLOAT, from, answer, rows * t, rows);
      }
      answers[j] = answer;
    }
    answerRows = rows;
  }

  private static boolean holdsNaN(float... values) {
    int found = 0;
    for (float value : values) {
      found |= value != value ? 1 : 0; // no branch: the compiler makes vectors of it
    }
    return found != 0;
  }

  @Override
  public void close() {
    tape.close();
    model.close();
  }
}
