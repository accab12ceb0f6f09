package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sequence of layers, each applied to the output of the one before.
 *
 * <pre>{@code
 * Chain model = chain(lstm(10, 15), dense(15, 5)).on(device, 42);
 * List<Tensor> outputs = model.over(sequence);
 * }</pre>
 */
public final class Chain implements Layer {
  private final List<Layer> layers;

  /** Every Recur inside, where each layer keeps the batch: all are then given that of x. */
  private final List<Recur> sameBatch;

  private final List<Recur> recurs;

  /** Every layer of two directions inside, where each layer keeps the steps of x. */
  private final List<Bidirectional> directions;

  private final AllOrNone states;
  private @Nullable Parameters parameters;

  /**
   * A chain.
   *
   * @param layers in the order in which they run; the same layer may occur several times
   */
  public Chain(List<? extends Layer> layers) {
    this(layers, null);
  }

  private Chain(List<? extends Layer> layers, @Nullable AllOrNone of) {
    this.states = of == null ? new AllOrNone(this) : of.of(this);
    this.layers = List.copyOf(layers);
    this.recurs = Layer.super.recurs();
    this.sameBatch = keepsBatch() ? recurs : List.of();
    List<Layer> all = all();
    this.directions =
        all.stream().anyMatch(Conv1d.class::isInstance)
            ? List.of()
            : all.stream()
                .filter(Bidirectional.class::isInstance)
                .map(Bidirectional.class::cast)
                .toList();
  }

  /**
   * {@inheritDoc}
   *
   * @throws io.recur.grad.ShapeException if x does not fit; no state has then changed
   * @throws IllegalStateException if another thread is inside a Recur of this chain or the tape
   */
  @Override
  public Tensor apply(Tensor x) {
    return states.apply(x, this::through);
  }

  private Tensor through(Tensor x) {
    check(x.shape());
    Tensor y = x;
    for (int i = 0; i < layers.size(); i++) {
      y = layers.get(i).apply(y);
    }
    return y;
  }

  /**
   * {@inheritDoc}
   *
   * @throws io.recur.grad.ShapeException if x does not fit; no state has then changed
   */
  @Override
  public Padded apply(Padded x) {
    return states.apply(x, this::through);
  }

  private Padded through(Padded x) {
    check(x.shape());
    Padded y = x;
    for (int i = 0; i < layers.size(); i++) {
      y = layers.get(i).apply(y);
    }
    return y;
  }

  /** Refuses what a layer inside would refuse after others have moved. */
  private void check(Shape x) {
    for (int i = 0; i < sameBatch.size(); i++) {
      sameBatch.get(i).checkBatch(x.batch());
    }
    for (int i = 0; i < directions.size(); i++) {
      directions.get(i).checkSteps(x.time());
    }
  }

  @Override
  public List<Recur> recurs() {
    return recurs;
  }

  @Override
  public List<Layer> layers() {
    return layers;
  }

  @Override
  public Parameters parameters() {
    Parameters known = parameters;
    if (known == null) {
      known = Parameters.of(this);
      parameters = known;
    }
    return known;
  }

  @Override
  public Chain on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public Chain fork() {
    return (Chain) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    return new Chain(layers.stream().map(fork::of).toList(), states);
  }

  /** Whether those of all its layers are. */
  @Override
  public boolean columnsAreIndependent() {
    return layers.stream().allMatch(Layer::columnsAreIndependent);
  }

  /** Whether all its layers do. */
  @Override
  public boolean keepsBatch() {
    return layers.stream().allMatch(Layer::keepsBatch);
  }

  @Override
  public String describe() {
    return "Chain";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
