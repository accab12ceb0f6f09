package io.recur.train;

import io.recur.device.OneThread;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import io.recur.nn.Parameters;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Truncated back-propagation through time. For each chunk a trainer runs forward, backward,
 * clipping and a step of the optimiser, then truncates the state, which the next chunk starts from.
 *
 * <p>The n-th step of a training depends on the model, the optimiser, the chunk, the seed and n
 * alone. A training that is saved after a step and resumed therefore gives the same losses. One
 * thread at a time may use a trainer.
 *
 * <pre>{@code
 * Trainer trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
 * trainer.onStep(step -> step.loss() > 0.1f);        // continue until the loss is small
 * trainer.pass(0, streams.chunks(), i -> crossEntropy(model.apply(streams.input(tape, i)),
 *     streams.target(tape, i)));
 * }</pre>
 */
public final class Trainer {
  private final Layer model;
  private final Optimiser optimiser;
  private final Tape tape;
  private final Parameters parameters;
  private final Measures measures;
  private final OneThread mark =
      new OneThread("trainer", "give each thread a trainer of its own, over a model of its own");
  private float clip = Float.POSITIVE_INFINITY;
  private int accumulate = 1;
  private @Nullable Schedule schedule;
  private @Nullable Average average;
  private Listener listener = step -> true;
  private long seed;

  /** The loss of a chunk. */
  @FunctionalInterface
  public interface Loss {
    /**
     * Runs the model on a chunk and returns its loss.
     *
     * @param chunk the chunk's number
     * @return a scalar on the trainer's tape
     */
    Tensor of(int chunk);
  }

  /** Receives each step. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Receives a step after it is done. The state is truncated and the tape cleared, so a
     * checkpoint may be saved now.
     *
     * @param step what happened
     * @return true to continue, false to stop the pass
     */
    boolean after(Event step);
  }

  /**
   * A step that is done.
   *
   * @param step the number of steps since the training began, this one included
   * @param chunk the chunk's number; the last one's where a step has several
   * @param loss the chunk's loss; the mean where a step has several
   * @param norm the gradient's norm before clipping
   * @param rate the learning rate
   */
  public record Event(long step, int chunk, float loss, double norm, float rate) {}

  /**
   * Makes a trainer without clipping and without a schedule.
   *
   * @param model the model, placed on the tape's device
   * @param optimiser the model's optimiser
   * @param tape the tape that records the steps; the trainer clears it after each step
   */
  public Trainer(Layer model, Optimiser optimiser, Tape tape) {
    this.model = model;
    this.optimiser = optimiser;
    this.tape = tape;
    this.parameters = model.parameters();
    this.measures = new Measures(tape.device());
  }

  /**
   * Clips the gradient's norm.
   *
   * @param limit more than 0; an infinite limit clips nothing
   * @return this
   * @throws IllegalArgumentException if the limit is not more than 0
   */
  public Trainer clipNorm(float limit) {
    if (!(limit > 0)) {
      throw new IllegalArgumentException("trainer: clipNorm=" + limit + "; need more than 0");
    }
    this.clip = limit;
    return this;
  }

  /**
   * Sets the learning rate before each step.
   *
   * @param schedule the rate as a function of the steps taken before
   * @return this
   */
  public Trainer schedule(Schedule schedule) {
    this.schedule = schedule;
    return this;
  }

  /**
   * Takes a step of the optimiser per several chunks, along the mean of their gradients: the batch
   * grows, the memory of the tape does not. The last step of a pass may have fewer chunks.
   *
   * @param chunks the chunks per step, 1 or more
   * @return this
   * @throws IllegalArgumentException if the number is less than 1
   */
  public Trainer accumulate(int chunks) {
    if (chunks < 1) {
      throw new IllegalArgumentException("trainer: accumulate=" + chunks + "; need 1 or more");
    }
    this.accumulate = chunks;
    return this;
  }

  /**
   * Updates an average of the weights after each step.
   *
   * @param average of this model's parameters
   * @return this
   */
  public Trainer average(Average average) {
    this.average = Objects.requireNonNull(average);
    return this;
  }

  /**
   * Sets the seed of dropout.
   *
   * @param seed any number
   * @return this
   */
  public Trainer seed(long seed) {
    this.seed = seed;
    return this;
  }

  /**
   * Sets the listener, which receives each step and may stop the pass.
   *
   * @param listener called after each step
   * @return this
   */
  public Trainer onStep(Listener listener) {
    this.listener = listener;
    return this;
  }

  /**
   * Trains on chunks in order. The states of the model carry over from chunk to chunk and from pass
   * to pass; call {@link Layer#reset} before a pass that begins with fresh states.
   *
   * @param from the first chunk
   * @param to the chunk after the last
   * @param loss computes the loss of a chunk
   * @return the chunk to continue with: {@code to}, or an earlier one if the listener stopped
   * @throws ArithmeticException if the loss or the gradient is not finite; the parameters are those
   *     before the step
   * @throws IllegalArgumentException if the schedule returns a rate that is negative or not finite;
   *     this step has then changed nothing
   * @throws IllegalStateException if another thread is inside this trainer, its tape or optimiser
   */
  public int pass(int from, int to, Loss loss) {
    try (var _ = mark.enter()) {
      for (int chunk = from; chunk < to; ) {
        int next = (int) Math.min(to, (long) chunk + accumulate);
        if (!listener.after(step(chunk, next, loss))) {
          return next;
        }
        chunk = next;
      }
      return to;
    }
  }

  /**
   * Prepares a training of several passes with a validation after each.
   *
   * @param train what a pass trains on
   * @param validation what is validated after each pass, on a tape without gradients; null for none
   * @return the training, to be set and run
   */
  public Fit fit(Batches train, @Nullable Batches validation) {
    return new Fit(this, train, validation);
  }

  /**
   * Prepares a training of several passes without a validation.
   *
   * @param train what a pass trains on
   * @return the training, to be set and run
   */
  public Fit fit(Batches train) {
    return fit(train, null);
  }

  /** Trains on chunks 0 … n−1; {@return whether the listener let all of them happen} */
  boolean pass(int n, Loss loss, Consumer<Event> also) {
    try (var _ = mark.enter()) {
      for (int chunk = 0; chunk < n; ) {
        int next = (int) Math.min(n, (long) chunk + accumulate);
        Event event = step(chunk, next, loss);
        also.accept(event);
        if (!listener.after(event)) {
          return false;
        }
        chunk = next;
      }
      return true;
    }
  }

  /** {@return the steps that a pass over n chunks takes} */
  int steps(int n) {
    return Math.ceilDiv(n, accumulate);
  }

  void scheduleIfNone(Schedule other) {
    schedule = schedule == null ? other : schedule;
  }

  Layer model() {
    return model;
  }

  Parameters parameters() {
    return parameters;
  }

  Optimiser optimiser() {
    return optimiser;
  }

  Tape tape() {
    return tape;
  }

  long seed() {
    return seed;
  }

  @Nullable Average average() {
    return average;
  }

  private Event step(int from, int to, Loss loss) {
    try (var _ = tape.enter()) {
      long number = optimiser.steps();
      if (schedule != null) {
        optimiser.rate(schedule.rate(number));
      }
      measures.clear();
      for (int chunk = from; chunk < to - 1; chunk++) {
        differentiate(chunk, chunk - from, loss);
        model.truncate();
        tape.clear();
      }
      differentiate(to - 1, to - 1 - from, loss);
      return update(number + 1, to - 1);
    } catch (RuntimeException | Error e) {
      if (to - from > 1) {
        parameters.zeroGradients(); // of the chunks before
      }
      throw e;
    }
  }

  /** Adds the gradients of a chunk. Each chunk of a step has a dropout of its own. */
  private void differentiate(int chunk, int ofStep, Loss loss) {
    tape.seed(seed * 0x9E3779B97F4A7C15L + optimiser.steps() + ofStep * 0xD1B54A32D192ED03L);
    Tensor value = loss.of(chunk);
    tape.backward(value);
    measures.add(value);
  }

  /** Takes a step along the gradients. The calling thread has entered the tape. */
  private Event update(long number, int chunk) {
    measures.take(parameters, clip);
    float scalar = measures.loss();
    double norm = measures.norm();
    if (!Float.isFinite(scalar) || !Double.isFinite(norm)) {
      parameters.zeroGradients();
      model.reset();
      tape.clear();
      throw new ArithmeticException(
          """
          train: loss=%s, gradient norm=%s at step=%d, chunk=%d, rate=%s; the parameters are those \
          before this step: lower the learning rate or clip the gradient"""
              .formatted(scalar, norm, number, chunk, optimiser.rate()));
    }
    optimiser.step(parameters);
    if (average != null) {
      average.update();
    }
    model.truncate();
    tape.clear();
    return new Event(number, chunk, scalar, norm, optimiser.rate());
  }
}
