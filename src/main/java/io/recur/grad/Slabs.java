package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.OneThread;
import io.recur.device.memory.Slab;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;

/**
 * The memory of parameters that were placed together: their values in one slab, their gradients in
 * a second one that mirrors it.
 *
 * <pre>{@code
 * Parameter w = Parameter.glorot(5, 10);
 * Parameter b = Parameter.zeros(Shape.of(5));
 * Slabs.place(device, OptionalLong.of(42), List.of(w, b));
 * boolean together = w.placement().slabs() == b.placement().slabs();   // true
 * }</pre>
 */
public final class Slabs {
  private final Buffer values;
  private final Buffer gradients;
  private final OptionalLong seed;
  private final OneThread mark =
      new OneThread(
          "gradients of a model",
          "run one backward pass or optimiser's step at a time, or train a model per thread");

  Slabs(Buffer values, Buffer gradients, OptionalLong seed) {
    this.values = values;
    this.gradients = gradients;
    this.seed = seed;
  }

  /**
   * Gives parameters without memory their places in two new slabs and their initial values.
   *
   * @param device where the slabs are allocated
   * @param seed of the initial values; zeros take their place without one
   * @param parameters in order, the trainable ones first
   */
  public static void place(Device device, OptionalLong seed, List<Parameter> parameters) {
    long floats = 0;
    long learned = 0;
    for (Parameter parameter : parameters) {
      floats += Slab.padded(parameter.shape().count());
      learned = parameter.isTrainable() ? floats : learned;
    }
    Slabs slabs = new Slabs(device.allocate(floats), device.allocate(Math.max(learned, 1)), seed);
    long at = 0;
    for (int i = 0; i < parameters.size(); i++) {
      long length = Slab.padded(parameters.get(i).shape().count());
      Random random = seed.isPresent() ? new Random(mixed(seed.getAsLong(), i)) : null;
      parameters.get(i).place(new Parameter.Placement(slabs, at, length), random);
      at += length;
    }
  }

  /** The seed of parameter i: a further parameter does not change the values of those before. */
  private static long mixed(long seed, int i) {
    long z = seed * 0x9E3779B97F4A7C15L + (i + 1) * 0xD1B54A32D192ED03L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** {@return the values of all parameters with their padding: the whole slab} */
  public Buffer values() {
    return values;
  }

  /** {@return the gradients of all parameters with their padding: the whole slab} */
  public Buffer gradients() {
    return gradients;
  }

  /**
   * The seed of the initial values.
   *
   * @return none where a parameter was placed alone, by {@link Parameter#on}
   */
  public OptionalLong seed() {
    return seed;
  }

  /**
   * Holds the gradients for the calling thread, as a backward pass and an optimiser's step do.
   *
   * @return to be closed by the same thread
   * @throws IllegalStateException if another thread is inside
   */
  public OneThread enter() {
    return mark.enter();
  }

  /** Leaves the gradients to other threads. */
  void leave() {
    mark.close();
  }
}
