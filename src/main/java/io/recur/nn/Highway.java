package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A highway connection around a layer: {@code y = t∘inner(x) + (1 − t)∘x} with the transform gate
 * {@code t = sigmoid(W·x + b)}. Srivastava, Greff and Schmidhuber 2015, equation 3.
 *
 * <p>x and y are size × B or size × B × T, W size × size, b size. b is −1 at first, so that most of
 * x passes.
 *
 * <pre>{@code
 * Chain deep = chain(dense(10, 15), highway(15, lstm(15, 15)), highway(15, lstm(15, 15)));
 * }</pre>
 */
public final class Highway implements Layer {
  private final Layer inner;
  private final Layer gate;
  private final AllOrNone states;
  private final List<Recur> recurs;

  /**
   * A layer with a gate of Glorot uniform weights and a bias of −1.
   *
   * @param size length of x and y
   * @param inner gives an output of its input's size
   */
  public Highway(int size, Layer inner) {
    this(
        inner,
        new Dense(
            Elementwise.SIGMOID,
            Matrix.dense(size, size),
            Parameter.of(Shape.of(size), (values, random) -> Arrays.fill(values, -1))));
  }

  /**
   * A layer from its parts.
   *
   * @param inner gives an output of its input's size
   * @param gate t, of the same size, as a function of x
   */
  public Highway(Layer inner, Layer gate) {
    this(inner, gate, null);
  }

  private Highway(Layer inner, Layer gate, @Nullable AllOrNone of) {
    this.inner = inner;
    this.gate = gate;
    this.states = of == null ? new AllOrNone(this) : of.of(this);
    this.recurs = Layer.super.recurs(); // neither is null
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x does not fit, or x, t and the output of the layer are not of one
   *     size; no state has then changed
   */
  @Override
  public Tensor apply(Tensor x) {
    return states.apply(x, this::gated);
  }

  private Tensor gated(Tensor x) {
    Tensor t = gate.apply(x);
    Residual.checkSizes("highway", t, x);
    return gated(t, inner.apply(x), x);
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x does not fit, or x, t and the output of the layer are not of one
   *     size; no state has then changed
   */
  @Override
  public Padded apply(Padded x) {
    return states.apply(x, this::gated);
  }

  private Padded gated(Padded x) {
    Tensor t = gate.apply(x).valid();
    Residual.checkSizes("highway", t, x.valid());
    return inner.apply(x).map(y -> gated(t, y, x.valid()));
  }

  /** t∘y + (1 − t)∘x. */
  private static Tensor gated(Tensor t, Tensor y, Tensor x) {
    Residual.checkSizes("highway", y, x);
    return y.sub(x).mul(t).add(x);
  }

  @Override
  public List<Recur> recurs() {
    return recurs;
  }

  @Override
  public List<Layer> layers() {
    return List.of(inner, gate);
  }

  @Override
  public Highway on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public Highway fork() {
    return (Highway) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    return new Highway(fork.of(inner), fork.of(gate), states);
  }

  /** Whether those of its layers are. */
  @Override
  public boolean columnsAreIndependent() {
    return layers().stream().allMatch(Layer::columnsAreIndependent);
  }

  /** Whether its layers do. */
  @Override
  public boolean keepsBatch() {
    return layers().stream().allMatch(Layer::keepsBatch);
  }

  @Override
  public String describe() {
    return "Highway";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
