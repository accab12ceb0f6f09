package io.recur.train;

import io.recur.device.OneThread;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import io.recur.nn.Parameters;
import org.jspecify.annotations.Nullable;

/**
 * Truncated back-propagation through time: for each chunk forward, backward, clipping, a step of
 * the optimiser, and the state carried to the next chunk without its history.
 *
 * <p>The n-th step of a training depends on the model, the optimiser, the seed and n alone: a
 * training that is saved after a step and goes on from there gives the same losses. A trainer is
 * used by one thread at a time.
 *
 * <pre>{@code
 * Trainer trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
 * trainer.onStep(step -> step.loss() > 0.1f);        // go on until it is learnt
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
  private @Nullable Schedule schedule;
  private Listener listener = step -> true;
  private long seed;

  /** The loss of a chunk. */
  @FunctionalInterface
  public interface Loss {
    /**
     * Runs the model on a chunk.
     *
     * @param chunk its number within the pass
     * @return a scalar on the trainer's tape
     */
    Tensor of(int chunk);
  }

  /** Is told of each step. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Called after a step, when the state has been truncated and the tape cleared: the moment for a
     * checkpoint.
     *
     * @param step what happened
     * @return whether to go on
     */
    boolean after(Event step);
  }

  /**
   * A step.
   *
   * @param step its number since the training began, from 1
   * @param chunk its number within the pass, from 0
   * @param loss of the chunk
   * @param norm of the gradient before clipping
   * @param rate learning rate
   */
  public record Event(long step, int chunk, float loss, double norm, float rate) {}

  /**
   * A trainer.
   *
   * @param model placed on the tape's device
   * @param optimiser of this model
   * @param tape to record on; cleared after each step
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
   * @param limit more than zero; infinite clips nothing
   * @return this
   * @throws IllegalArgumentException if the limit is not more than zero
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
   * @param schedule of the step's number, from 0
   * @return this
   */
  public Trainer schedule(Schedule schedule) {
    this.schedule = schedule;
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
   * Is told of each step and may stop the pass.
   *
   * @param listener called after each step
   * @return this
   */
  public Trainer onStep(Listener listener) {
    this.listener = listener;
    return this;
  }

  /**
   * Runs over chunks in order. The states of the model are carried; call {@link Layer#reset} before
   * a pass that starts anew.
   *
   * @param from first chunk
   * @param to one after the last
   * @param loss of a chunk
   * @return the chunk to go on with: {@code to}, or earlier if the listener stopped
   * @throws ArithmeticException if the loss or the gradient is not finite; the parameters are those
   *     before the step
   * @throws IllegalArgumentException if the schedule gives a rate that is negative or not finite;
   *     nothing has then changed
   * @throws IllegalStateException if another thread is inside this trainer, its tape or optimiser
   */
  public int pass(int from, int to, Loss loss) {
    try (var _ = mark.enter()) {
      for (int chunk = from; chunk < to; chunk++) {
        if (!listener.after(step(chunk, loss))) {
          return chunk + 1;
        }
      }
      return to;
    }
  }

  private Event step(int chunk, Loss loss) {
    try (var _ = tape.enter()) {
      return stepInside(chunk, loss);
    }
  }

  /** A step on the tape, which the calling thread holds. */
  private Event stepInside(int chunk, Loss loss) {
    long number = optimiser.steps();
    tape.seed(seed * 0x9E3779B97F4A7C15L + number);
    if (schedule != null) {
      optimiser.rate(schedule.rate(number));
    }
    Tensor value = loss.of(chunk);
    tape.backward(value);
    measures.take(value, parameters, clip);
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
              .formatted(scalar, norm, number + 1, chunk, optimiser.rate()));
    }
    optimiser.step(parameters);
    model.truncate();
    tape.clear();
    return new Event(number + 1, chunk, scalar, norm, optimiser.rate());
  }
}
