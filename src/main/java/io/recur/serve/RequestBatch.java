package io.recur.serve;

import io.recur.device.Device;
import io.recur.grad.ColumnInput;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import io.recur.nn.StateBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Steps requests as one call of a model, each with a state that its caller keeps: the states are
 * gathered into a batch, stepped, and scattered back. For servers that keep states in memory of
 * their own; {@link Sessions} keeps them itself.
 *
 * <pre>{@code
 * RequestBatch batch = new RequestBatch(model.fork(), device, 64);
 * MemorySegment state = MemorySegment.ofArray(new byte[4 * batch.states().floats()]);
 * MemorySegment[] memory = {state};
 * batch.step(new Request[] {Request.of(1, 2)}, memory, memory, new long[1], 1);
 * float[] answer = batch.answer(0);
 * }</pre>
 *
 * <p>One thread at a time uses it.
 */
public final class RequestBatch implements AutoCloseable {
  private static final int MOST = 1 << 24;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final Layer model;
  private final Tape tape;
  private final StateBatch states;
  private final @Nullable MemorySegment[] targets;

  /** The answers of the last step, rows × steps each; none for a request that has failed. */
  private final float @Nullable [][] answers;

  private int count;
  private int answerRows;

  private final ColumnInput input;

  /** The inputs of the requests: values or indexes. */
  private final float @Nullable [][] values;

  private final int @Nullable [][] indexes;

  /**
   * Begins to use a model.
   *
   * @param model a fork that nobody else uses; {@link #close} closes it
   * @param device that of the model
   * @param most the most requests of a batch, 1 to 2²⁴
   * @throws IllegalArgumentException if most is another number, or the model is on another device,
   *     or none that {@link StateBatch} takes
   */
  public RequestBatch(Layer model, Device device, int most) {
    if (most > MOST) {
      throw new IllegalArgumentException("batch: most=%d; need 1 to %d".formatted(most, MOST));
    }
    this.model = model;
    this.states = new StateBatch(model, most);
    if (states.device() != device) {
      throw new IllegalArgumentException(
          "sessions: the model is on %s; open them for that device, not for %s"
              .formatted(states.device().nameBeside(device), device.nameBeside(states.device())));
    }
    this.tape = Tape.inference(device);
    this.targets = new MemorySegment[most];
    this.answers = new float[most][];
    this.input = new ColumnInput(tape);
    this.values = new float[most][];
    this.indexes = new int[most][];
  }

  /** {@return the states of the model: the values of a column, and those from which one begins} */
  public StateBatch states() {
    return states;
  }

  /**
   * Steps requests once. Where the model throws, no state is written.
   *
   * @param requests all of one kind, see {@link Request#isLike}
   * @param from for each request the memory that holds its state
   * @param to for each request the memory that takes its state, which may be that of {@code from},
   *     or null where nobody wants it; the state of a request that fails is not written
   * @param at for each request the first byte of its state, in both
   * @param count the number of requests, from 1 to the most
   * @throws ShapeException if requests are not of one kind, or do not fit the model
   * @throws IllegalArgumentException if there is not one place for each
   * @throws IndexOutOfBoundsException if a state is not inside its memory
   * @throws IllegalStateException if this was closed
   */
  public void step(
      Request[] requests,
      MemorySegment[] from,
      @Nullable MemorySegment[] to,
      long[] at,
      int count) {
    this.count = 0;
    check(requests, to, count);
    try {
      states.load(from, at, count);
      Tensor y = model.apply(input(requests, count));
      read(y, count);
      boolean[] failed = states.notNumbers();
      for (int j = 0; j < count; j++) {
        boolean isFailed = failed.length > 0 && failed[j] || holdsNaN(answers[j]);
        targets[j] = isFailed ? null : to[j];
        answers[j] = isFailed ? null : answers[j];
      }
      states.store(targets, at, count);
      this.count = count;
    } finally {
      tape.clear();
      Arrays.fill(values, 0, count, null);
      Arrays.fill(indexes, 0, count, null);
    }
  }

  private void check(Request[] requests, @Nullable MemorySegment[] to, int count) {
    if (count < 1 || count > targets.length || requests.length < count || to.length < count) {
      throw new IllegalArgumentException(
          "step: count=%d, requests=%d, memory for %d; need one each, for 1 to %d requests"
              .formatted(count, requests.length, to.length, targets.length));
    }
    for (int j = 1; j < count; j++) {
      if (!requests[j].isLike(requests[0])) {
        throw new ShapeException(
            "step: %s beside %s; need requests of one kind in a batch"
                .formatted(requests[j], requests[0]));
      }
    }
  }

  /**
   * The answer to a request of the last step.
   *
   * @param j its place
   * @return rows × steps values, column-major, which are the caller's; null where the state or the
   *     answer would hold a value that is not a number
   * @throws IndexOutOfBoundsException if the last step had no such request
   */
  public float @Nullable [] answer(int j) {
    if (j < 0 || j >= count) {
      throw new IndexOutOfBoundsException("answer: j=%d; the step had %d".formatted(j, count));
    }
    return answers[j];
  }

  /** {@return the rows of each answer of the last step} */
  public int answerRows() {
    return answerRows;
  }

  private Tensor input(Request[] requests, int count) {
    Request kind = requests[0];
    Shape shape =
        kind.time == 0 ? Shape.of(kind.rows, count) : Shape.of(kind.rows, count, kind.time);
    for (int j = 0; j < count; j++) {
      values[j] = requests[j].x;
      indexes[j] = requests[j].indexes;
    }
    return kind.indexes != null ? input.oneHot(shape, indexes) : input.dense(shape, values);
  }

  /** Reads the columns of the output, one array for each request. */
  private void read(Tensor y, int count) {
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

  /** Closes the model and its tape. */
  @Override
  public void close() {
    tape.close();
    model.close();
  }
}
