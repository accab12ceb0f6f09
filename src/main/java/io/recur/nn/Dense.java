package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Objects;

/**
 * {@code y = σ(W·x + b)}: W out × in, b out; x in × B or in × B × T; y out × B or out × B × T.
 *
 * <pre>{@code
 * Dense head = Layers.dense(15, 5).on(device, 42);
 * }</pre>
 */
public final class Dense implements Layer {
  private final Matrix w;
  private final Parameter b;
  private final Elementwise function;

  /**
   * A layer with Glorot uniform weights and zero bias.
   *
   * @param in length of x
   * @param out length of y
   * @param function σ
   */
  public Dense(int in, int out, Elementwise function) {
    this(function, Matrix.dense(out, in), Parameter.zeros(Shape.of(out)));
  }

  /**
   * A layer from its parts.
   *
   * @param function σ
   * @param w out × in
   * @param b out
   */
  public Dense(Elementwise function, Matrix w, Parameter b) {
    if (b.shape().count() != w.rows()) {
      throw new ShapeException("Dense: W=%s, b=%s; need b %d".formatted(w, b.shape(), w.rows()));
    }
    this.w = w;
    this.b = b;
    this.function = Objects.requireNonNull(function, "function");
    w.values().named("W");
    b.named("b");
  }

  /** {@return W} */
  public Matrix matrix() {
    return w;
  }

  /** {@return σ} */
  public Elementwise function() {
    return function;
  }

  @Override
  public Tensor apply(Tensor x) {
    Tensor sums = w.times(x).add(b);
    return function == Elementwise.IDENTITY ? sums : Functions.apply(function, sums);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(this::apply);
  }

  @Override
  public List<Parameter> own() {
    return List.of(w.values(), b);
  }

  @Override
  public Dense on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    String behind = function == Elementwise.IDENTITY ? "" : ", " + function.label();
    return "Dense(" + w.columns() + " => " + w.rows() + behind + ")";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
