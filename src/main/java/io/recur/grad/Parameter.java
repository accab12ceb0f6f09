package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Device;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Values that a model owns. A trainable parameter has a gradient that adds up over backward passes
 * until it is zeroed; a fixed one has none. A parameter is on no tape and may be used on any tape
 * of its device.
 *
 * <p>A parameter begins as a shape with an initial value. It gets its memory by {@code on}, as a
 * rule together with all others of its model in one slab. Matrices are out × in, column-major.
 *
 * <pre>{@code
 * Parameter w = Parameter.glorot(5, 10).named("W");
 * Parameter b = Parameter.zeros(Shape.of(5));
 * Parameter h = Parameter.of(Shape.of(1, 1), 7f).on(device);
 * }</pre>
 */
public final class Parameter extends Tensor {
  /** The value before training. */
  @FunctionalInterface
  public interface Initialiser {
    /**
     * Fills an array.
     *
     * @param values zeros, first dimension contiguous; to be overwritten
     * @param random of the model's seed and the parameter's place in the model
     */
    void fill(float[] values, Random random);
  }

  /** The values that an initialiser fills at once, where it need not see them all. */
  private static final int MOST_AT_ONCE = 1 << 16;

  private final Initialiser initialiser;

  /** Whether the initialiser fills a part in the same way wherever it is. */
  private final boolean inParts;

  private final boolean trainable;
  private @Nullable String name;
  private @Nullable Placement placement;

  /**
   * Where a parameter is: the same range of a slab of values and of a slab of gradients.
   *
   * @param slabs both slabs
   * @param offset its first value in both
   * @param length values, padding included
   */
  public record Placement(Slabs slabs, long offset, long length) {}

  private @Nullable Buffer value;
  private @Nullable Buffer gradient;

  private Parameter(Shape shape, Initialiser initialiser, boolean trainable) {
    this(shape, initialiser, trainable, false);
  }

  private Parameter(Shape shape, Initialiser initialiser, boolean trainable, boolean inParts) {
    super(new TensorData(null, shape));
    data.differentiable = trainable;
    this.initialiser = initialiser;
    this.inParts = inParts;
    this.trainable = trainable;
  }

  /**
   * A trainable parameter.
   *
   * @param shape its shape
   * @param initialiser its value before training
   * @return a parameter without memory
   */
  public static Parameter of(Shape shape, Initialiser initialiser) {
    return new Parameter(shape, initialiser, true);
  }

  /**
   * A trainable parameter with a given value.
   *
   * @param shape its shape
   * @param values first dimension contiguous (column-major), copied
   * @return a parameter without memory
   */
  public static Parameter of(Shape shape, float... values) {
    return new Parameter(shape, given(shape, values), true);
  }

  /**
   * A value that is not trained, such as an initial state that stays as it is.
   *
   * @param shape its shape
   * @param values first dimension contiguous (column-major), copied
   * @return a parameter without memory
   */
  public static Parameter fixed(Shape shape, float... values) {
    return new Parameter(shape, given(shape, values), false);
  }

  /**
   * A value that is not trained.
   *
   * @param shape its shape
   * @param initialiser its value until it is written
   * @return a parameter without memory
   */
  public static Parameter fixed(Shape shape, Initialiser initialiser) {
    return new Parameter(shape, initialiser, false);
  }

  /**
   * A trainable matrix, Glorot uniform: ±√(6/(rows + columns)) (Glorot and Bengio 2010, eq. 16).
   *
   * @param rows outputs
   * @param columns inputs
   * @return a parameter without memory
   */
  public static Parameter glorot(int rows, int columns) {
    float limit = (float) Math.sqrt(6.0 / ((double) rows + columns));
    return new Parameter(
        Shape.of(rows, columns),
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] = (2 * random.nextFloat() - 1) * limit;
          }
        },
        true,
        true);
  }

  /**
   * A trainable parameter of zeros.
   *
   * @param shape its shape
   * @return a parameter without memory
   */
  public static Parameter zeros(Shape shape) {
    return new Parameter(shape, (values, random) -> {}, true, true);
  }

  private static Initialiser given(Shape shape, float[] values) {
    if (values.length != shape.count()) {
      throw new ShapeException(
          "parameter: shape=%s, %d values; need %d".formatted(shape, values.length, shape.count()));
    }
    float[] copy = values.clone();
    return (target, random) -> System.arraycopy(copy, 0, target, 0, copy.length);
  }

  /**
   * Makes a parameter of the same shape and name that begins with zeros. It is trainable if this
   * one is.
   *
   * @return a parameter without memory
   */
  public Parameter alike() {
    return new Parameter(shape(), (values, random) -> {}, trainable, true).named(name);
  }

  /**
   * Names this parameter for errors, printing and checkpoints.
   *
   * @param name such as {@code Wi}
   * @return this
   */
  public Parameter named(String name) {
    this.name = name;
    return this;
  }

  /**
   * {@return the name within its layer, such as {@code Wi}; {@code parameter} where it has none}
   */
  public String name() {
    return name == null ? "parameter" : name;
  }

  /** {@return whether it was given a name} */
  public boolean isNamed() {
    return name != null;
  }

  /** {@return whether an optimiser changes it: true unless {@link #fixed}} */
  public boolean isTrainable() {
    return trainable;
  }

  /**
   * Keeps the value as it is: until {@link #unfreeze} an optimiser changes neither this parameter
   * nor what it remembers of it, and no gradient of it is computed. What operations compute from
   * frozen parameters and inputs alone is not differentiable, and no backward pass enters it.
   *
   * <p>Freeze and unfreeze before the forward pass: an operation that has run may add the gradient
   * or leave it out. An optimiser's step zeroes what was added.
   *
   * @return this
   */
  public Parameter freeze() {
    data.frozen = true;
    return this;
  }

  /**
   * Lets optimisers change this parameter again.
   *
   * @return this
   */
  public Parameter unfreeze() {
    data.frozen = false;
    return this;
  }

  /** {@return whether {@link #freeze} holds} */
  public boolean isFrozen() {
    return data.frozen;
  }

  /** {@return whether this parameter has memory: true after {@code on}} */
  public boolean isPlaced() {
    return placement != null;
  }

  /**
   * Gives this parameter memory of its own and its initial value, with seed 0.
   *
   * @param device where the memory is allocated
   * @return this
   */
  public Parameter on(Device device) {
    int count = shape().count();
    int learned = trainable ? count : 1;
    Slabs alone = new Slabs(device.allocate(count), device.allocate(learned), OptionalLong.empty());
    place(new Placement(alone, 0, count), new Random(0));
    return this;
  }

  /**
   * Gives this parameter its place in a slab, and its initial value.
   *
   * @param placement where; a fixed parameter does not use the slab of gradients
   * @param random for the initial value; null leaves the slab's zeros
   * @throws IllegalStateException if it has memory already
   */
  synchronized void place(Placement placement, @Nullable Random random) {
    if (this.placement != null) {
      throw new IllegalStateException(
          "parameter %s %s: it is on %s already; a parameter stays where it is"
              .formatted(name(), shape(), this.placement.slabs().values().device()));
    }
    int count = shape().count();
    // without the padding: an index into it must be refused
    Buffer values = placement.slabs().values().slice(placement.offset(), count);
    int part = inParts ? Math.min(MOST_AT_ONCE, count) : count;
    for (long at = 0; random != null && at < count; at += part) {
      float[] initial = new float[(int) Math.min(part, count - at)];
      initialiser.fill(initial, random);
      values.slice(at, initial.length).write(initial);
    }
    this.placement = placement;
    this.value = values;
    this.gradient =
        trainable ? placement.slabs().gradients().slice(placement.offset(), count) : null;
  }

  /**
   * Where this parameter is.
   *
   * @return its place in both slabs
   * @throws IllegalStateException if it has no memory yet
   */
  public Placement placement() {
    value();
    return Objects.requireNonNull(placement);
  }

  @Override
  public Buffer value() {
    Buffer buffer = value;
    if (buffer == null) {
      throw new IllegalStateException(
          """
          parameter %s %s: it has no memory yet; call on(device, seed) on its model, and list the \
          parameters of a cell of your own in new Recur(cell, state0, …)"""
              .formatted(name(), shape()));
    }
    return buffer;
  }

  @Override
  public Buffer accumulator() {
    Buffer buffer = gradient;
    if (buffer == null || !trainable) {
      value();
      throw new IllegalStateException(
          "parameter %s %s: it is fixed and takes no gradient".formatted(name(), shape()));
    }
    return buffer;
  }

  @Override
  public String toString() {
    return "Parameter(" + name() + " " + shape() + ")";
  }
}
