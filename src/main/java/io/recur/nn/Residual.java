package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A residual connection around a layer: {@code y = inner(x) + x}, or {@code y = inner(x) +
 * shortcut(x)} where the sizes differ, with a projection as the shortcut. He et al. 2016, equations
 * 1 and 2.
 *
 * <p>x is in × B or in × B × T; y is of the shape of inner(x).
 *
 * <pre>{@code
 * Chain deep = chain(dense(10, 15), residual(lstm(15, 15)), residual(lstm(15, 15)));
 * Residual wider = residual(gru(10, 15), dense(10, 15));
 * }</pre>
 */
public final class Residual implements Layer {
  private final Layer inner;
  private final @Nullable Layer shortcut;
  private final AllOrNone states;
  private final List<Recur> recurs;

  /**
   * A layer with x added to it.
   *
   * @param inner gives an output of its input's size
   */
  public Residual(Layer inner) {
    this(inner, null);
  }

  /**
   * A layer with a function of x added to it.
   *
   * @param inner a layer
   * @param shortcut gives an output of the same size, such as {@code dense(in, out)}; x itself
   *     where there is none
   */
  public Residual(Layer inner, @Nullable Layer shortcut) {
    this(inner, shortcut, null);
  }

  private Residual(Layer inner, @Nullable Layer shortcut, @Nullable AllOrNone of) {
    inner.describe(); // not null
    this.inner = inner;
    this.shortcut = shortcut;
    this.states = of == null ? new AllOrNone(this) : of.of(this);
    this.recurs = Layer.super.recurs();
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x does not fit, or both outputs are not of one size; no state has
   *     then changed
   */
  @Override
  public Tensor apply(Tensor x) {
    return states.apply(x, this::sum);
  }

  private Tensor sum(Tensor x) {
    Tensor past = shortcut == null ? x : shortcut.apply(x);
    Tensor y = inner.apply(x);
    checkSizes("residual", y, past);
    return y.add(past);
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x does not fit, or both outputs are not of one size; no state has
   *     then changed
   */
  @Override
  public Padded apply(Padded x) {
    return states.apply(x, this::sum);
  }

  private Padded sum(Padded x) {
    Padded past = shortcut == null ? x : shortcut.apply(x);
    return inner
        .apply(x)
        .map(
            y -> {
              checkSizes("residual", y, past.valid());
              return y.add(past.valid());
            });
  }

  /** Refuses outputs of two sizes, one of which would be repeated. */
  static void checkSizes(String where, Tensor y, Tensor past) {
    if (!y.shape().equals(past.shape())) {
      throw new ShapeException(
          "%s: the layer gives %s, what passes it is %s; need equal shapes, or a projection"
              .formatted(where, y.shape(), past.shape()));
    }
  }

  @Override
  public List<Recur> recurs() {
    return recurs;
  }

  @Override
  public List<Layer> layers() {
    return shortcut == null ? List.of(inner) : List.of(inner, shortcut);
  }

  @Override
  public Residual on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public Residual fork() {
    return (Residual) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    return new Residual(fork.of(inner), shortcut == null ? null : fork.of(shortcut), states);
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
    return "Residual";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
