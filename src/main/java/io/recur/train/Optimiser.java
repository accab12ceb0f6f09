package io.recur.train;

import io.recur.device.Buffer;
import io.recur.device.OneThread;
import io.recur.device.UpdateRule;
import io.recur.device.kernels.KernelDevice;
import io.recur.nn.Parameters;
import io.recur.nn.Parameters.Part;
import io.recur.nn.Parameters.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Changes parameters along their gradients. A step is one pass over the parameters' memory, and
 * sets the gradients to zero.
 *
 * <p>The rules and their defaults are those of PyTorch's {@code torch.optim}; {@link UpdateRule}
 * gives the formulas. Every optimiser can decay the weights and can maximise. An optimiser serves
 * one model: the first step allocates its memory. One thread at a time may use it.
 *
 * <pre>{@code
 * Optimiser adam = new Adam(0.002f, 0.9f, 0.95f, 1e-6f).decay(0.01f);
 * tape.backward(loss);
 * adam.step(model.parameters());
 * }</pre>
 */
public abstract class Optimiser {
  private static final int MOST_SETTINGS = 6;

  /** The longest array that every JVM can allocate. */
  private static final int MOST_VALUES = Integer.MAX_VALUE - 8;

  private final UpdateRule rule;
  private float rate;
  private double decay;
  private double decoupled;
  private float direction = 1;
  private long steps;
  private List<Buffer[]> slots = List.of();
  private long floats;
  private long[] lengths = {};

  /** The memory of the model's parameters; empty before the first step. */
  private List<Span> served = List.of();

  private final OneThread mark =
      new OneThread(getClass().getSimpleName(), "train a model on one thread");
  private final float[] settings = new float[MOST_SETTINGS];

  /**
   * Starts an optimiser of this package.
   *
   * @param rule the formula
   * @param rate the learning rate, more than 0
   */
  Optimiser(UpdateRule rule, float rate) {
    this.rule = rule;
    this.rate = checked("rate", rate, rate > 0 && rate < Float.POSITIVE_INFINITY);
  }

  static float checked(String name, float value, boolean valid) {
    if (!valid || !Float.isFinite(value)) {
      throw new IllegalArgumentException(
          "optimiser: %s=%s; need a finite rate > 0, factors from 0 to below 1, ε > 0"
              .formatted(name, value));
    }
    return value;
  }

  static float factor(String name, float value) {
    return checked(name, value, value >= 0 && value < 1);
  }

  /**
   * {@return the decimal number that a float was written as} 0.9999f differs from 0.9999 by 1.7e-8.
   * That is 1.7e-4 of 1 − 0.9999.
   */
  static double written(float x) {
    return Double.parseDouble(Float.toString(x));
  }

  /**
   * Takes one step, then sets the gradients to zero.
   *
   * @param parameters the parameters of the model that this optimiser serves
   * @throws IllegalStateException if the parameters are not those of the first step, or if another
   *     thread is inside this optimiser or inside a backward pass of these parameters
   */
  public void step(Parameters parameters) {
    try (var _ = mark.enter()) {
      boolean first = lengths.length == 0;
      prepare(parameters);
      if (first && steps == 0) {
        sayWithoutGradients(parameters);
      }
      steps++;
      settings(steps, settings);
      List<Span> spans = parameters.spans();
      List<Part> parts = parameters.unfrozen();
      for (int i = 0; i < parts.size(); i++) {
        Part part = parts.get(i);
        try (var _ = part.memory().slabs().enter()) {
          step(part.memory(), slots(part, spans.get(part.span()).floats()));
        }
      }
      if (floats(parts) < floats) {
        parameters.zeroGradients(); // those of frozen parameters would add up
      }
    }
  }

  private void step(Span span, Buffer[] memory) {
    Buffer w = span.values();
    Buffer g = span.gradients();
    long n = span.floats();
    float factor = direction * gradientFactor(steps);
    if (factor != 1) {
      w.device().pointwise().scale(factor, g, g, n);
    }
    if (decay > 0) {
      w.device().pointwise().addScaled((float) (decay * Math.abs(factor)), w, g, n);
    }
    if (decoupled > 0 && !decaysInTheRule()) {
      w.device().pointwise().scale(keep(), w, w, n);
    }
    KernelDevice.of(w.device()).updates().update(rule, settings, w, g, memory, n);
  }

  /** {@return the slots of a part} */
  private Buffer[] slots(Part part, long whole) {
    Buffer[] all = slots.get(part.span());
    long n = part.memory().floats();
    return n == whole
        ? all
        : Arrays.stream(all).map(slot -> slot.slice(part.offset(), n)).toArray(Buffer[]::new);
  }

  private static long floats(List<Part> parts) {
    long sum = 0;
    for (int i = 0; i < parts.size(); i++) {
      sum += parts.get(i).memory().floats();
    }
    return sum;
  }

  /** Says that no gradient reached the parameters, at the first step alone. */
  private void sayWithoutGradients(Parameters parameters) {
    if (!parameters.spans().isEmpty() && Clip.norm(parameters) == 0) {
      System.getLogger("io.recur")
          .log(
              System.Logger.Level.WARNING,
              "optimiser: every gradient is 0 at the first step of {0}; call tape.backward(loss)"
                  + " before step(parameters)",
              getClass().getSimpleName());
    }
  }

  /**
   * Adds λ times the weights to their gradients before each step: L2 regularisation, PyTorch's
   * {@code weight_decay}.
   *
   * @param decay λ, finite, 0 or more
   * @return this
   * @throws IllegalArgumentException if λ is outside its range
   */
  public Optimiser decay(float decay) {
    this.decay = written(checked("decay", decay, decay >= 0));
    return this;
  }

  /**
   * Multiplies the weights by 1 − rate·λ at each step (Loshchilov and Hutter 2019), as {@link
   * AdamW} does; PyTorch's {@code decoupled_weight_decay}.
   *
   * @param decay λ, finite, 0 or more
   * @return this
   * @throws IllegalArgumentException if λ is outside its range
   */
  public Optimiser decoupledDecay(float decay) {
    this.decoupled = written(checked("decay", decay, decay >= 0));
    return this;
  }

  /**
   * Steps along the gradients instead of against them: the loss grows.
   *
   * @return this
   */
  public Optimiser maximise() {
    this.direction = -1;
    return this;
  }

  /** {@return the factor 1 − rate·λ of the weights} */
  final float keep() {
    return (float) (1 - rate * decoupled);
  }

  /** {@return whether a setting of the rule is {@link #keep}} */
  private boolean decaysInTheRule() {
    return rule == UpdateRule.ADAM || rule == UpdateRule.LION;
  }

  /** {@return the factor of the gradient, decay included, at step t} */
  float gradientFactor(long t) {
    return 1;
  }

  /** {@return the value of every slot before the first step} */
  float initialSlot() {
    return 0;
  }

  /** Writes the settings of step t, counted from 1, in the order of the {@link UpdateRule}. */
  abstract void settings(long t, float[] s);

  private void prepare(Parameters parameters) {
    List<Span> spans = parameters.spans();
    if (lengths.length == 0) {
      List<Buffer[]> fresh = new ArrayList<>();
      for (Span span : spans) {
        Buffer[] memory = new Buffer[rule.slots()];
        for (int s = 0; s < memory.length; s++) {
          memory[s] = span.values().device().allocate(span.floats());
          if (initialSlot() != 0) {
            memory[s].device().pointwise().fill(initialSlot(), memory[s], span.floats());
          }
        }
        fresh.add(memory);
      }
      slots = fresh;
      served = spans;
      lengths = lengths(spans);
      floats = Arrays.stream(lengths).sum();
    } else if (!isLikeTheFirst(spans)) {
      long[] found = lengths(spans);
      throw new IllegalStateException(
          """
          optimiser: the model has %d values in pieces of %s, at the first step it had %d in %s; \
          one optimiser per model"""
              .formatted(
                  Arrays.stream(found).sum(),
                  Arrays.toString(found),
                  floats,
                  Arrays.toString(lengths)));
    } else if (!isServed(spans)) {
      throw new IllegalStateException(
          """
          optimiser: another model of %d values than at the first step; what it remembers belongs \
          to the first: make one optimiser per model"""
              .formatted(floats));
    }
  }

  /** {@return whether these parameters have the addresses of those of the first step} */
  private boolean isServed(List<Span> spans) {
    boolean same = true;
    for (int i = 0; i < spans.size(); i++) {
      same &= spans.get(i).values().isAt(served.get(i).values());
    }
    return same;
  }

  private static long[] lengths(List<Span> spans) {
    return spans.stream().mapToLong(Span::floats).toArray();
  }

  private boolean isLikeTheFirst(List<Span> spans) {
    boolean like = spans.size() == lengths.length;
    for (int i = 0; like && i < lengths.length; i++) {
      like = spans.get(i).floats() == lengths[i];
    }
    return like;
  }

  /** {@return the learning rate of the next step} */
  public float rate() {
    return rate;
  }

  /**
   * Sets the learning rate of all later steps. A {@link Schedule} computes one for each step.
   *
   * @param rate 0 or more, finite
   * @throws IllegalArgumentException if the rate is negative or not finite
   */
  public void rate(float rate) {
    this.rate = checked("rate", rate, rate >= 0 && rate < Float.POSITIVE_INFINITY);
  }

  /** {@return its kind, learning rate and number of steps} */
  @Override
  public String toString() {
    return "%s(rate %s, %d steps)".formatted(getClass().getSimpleName(), rate, steps);
  }

  /** {@return the number of steps taken} */
  public long steps() {
    return steps;
  }

  /**
   * Copies the optimiser's memory.
   *
   * @param parameters the parameters of its model
   * @return per slot, one value for each value of the parameters
   * @throws IllegalArgumentException if the model has more values than an array holds; {@link
   *     Checkpoint#save} has no such limit
   */
  public List<float[]> save(Parameters parameters) {
    try (var _ = mark.enter()) {
      prepare(parameters);
      List<float[]> saved = new ArrayList<>();
      for (int s = 0; s < rule.slots(); s++) {
        float[] values = new float[arrayLength(floats)];
        int at = 0;
        for (Buffer[] memory : slots) {
          float[] part = memory[s].read();
          System.arraycopy(part, 0, values, at, part.length);
          at += part.length;
        }
        saved.add(values);
      }
      return saved;
    }
  }

  /** {@return the length of an array for this number of values} */
  static int arrayLength(long floats) {
    if (floats > MOST_VALUES) {
      throw new IllegalArgumentException(
          "optimiser: %d values, an array holds %d; keep them with Checkpoint.save"
              .formatted(floats, MOST_VALUES));
    }
    return (int) floats;
  }

  /** {@return the values of memory per value of the parameters} */
  int slots() {
    return rule.slots();
  }

  /** {@return the memory of one slot, in the order of {@link #save}} */
  Buffer[] memory(Parameters parameters, int slot) {
    prepare(parameters);
    return slots.stream().map(memory -> memory[slot]).toArray(Buffer[]::new);
  }

  /** Continues after a number of steps. The caller has filled {@link #memory}. */
  void resume(long steps, float rate) {
    rate(rate);
    this.steps = steps;
  }

  /** Throws where {@link #restore} would throw. */
  void check(Parameters parameters, List<float[]> saved) {
    try (var _ = mark.enter()) {
      prepare(parameters);
    }
    if (saved.size() != rule.slots() || saved.stream().anyMatch(v -> v.length != floats)) {
      throw new IllegalArgumentException(
          "optimiser: %s remembers %d × %d values, the checkpoint holds %s; same kind, same model"
              .formatted(
                  getClass().getSimpleName(),
                  rule.slots(),
                  floats,
                  saved.stream().map(v -> v.length).toList()));
    }
  }

  /**
   * Restores the memory that {@link #save} returned.
   *
   * @param parameters the parameters of its model
   * @param steps the number of steps taken when the memory was saved
   * @param saved one array per slot
   * @throws IllegalArgumentException if steps is negative, or if the arrays do not fit this kind of
   *     optimiser and this model; nothing has then changed
   */
  public void restore(Parameters parameters, long steps, List<float[]> saved) {
    if (steps < 0) {
      throw new IllegalArgumentException("optimiser: steps=" + steps + "; need 0 or more");
    }
    try (var _ = mark.enter()) {
      check(parameters, saved);
      this.steps = steps;
      for (int s = 0; s < saved.size(); s++) {
        int at = 0;
        for (Buffer[] memory : slots) {
          int length = (int) memory[s].floats(); // fits an int, since the array holds them
          memory[s].write(Arrays.copyOfRange(saved.get(s), at, at + length));
          at += length;
        }
      }
    }
  }
}
