package io.recur.nn;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The simple recurrent cell {@code h' = σ(Wi·x + Wh·h + b)}, whose output is its state (Elman
 * 1990).
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, Wh out × out, b out, state0 out × 1.
 *
 * <pre>{@code
 * Cell cell = new RNNCell(10, 5, Elementwise.TANH);
 * Recur recur = new Recur(cell).on(device, 42);
 * }</pre>
 */
public final class RNNCell extends StackedCell {
  private final Elementwise function;
  private final @Nullable Parameter bh;

  /**
   * A cell with dense weights, Glorot uniform, zero bias and zero initial state.
   *
   * @param in length of x
   * @param out length of h and y
   * @param function σ
   */
  public RNNCell(int in, int out, Elementwise function) {
    this(
        function,
        Matrix.dense(stacked("RNNCell", 1, in, out), in),
        Matrix.dense(out, out),
        Parameter.zeros(Shape.of(out)),
        zeroState(out, "h0"));
  }

  /**
   * A cell from its parts.
   *
   * @param function σ
   * @param wi d × N
   * @param wh d × d
   * @param b d
   * @param state0 d × 1
   */
  public RNNCell(Elementwise function, Matrix wi, Matrix wh, Parameter b, Parameter state0) {
    this(function, wi, wh, b, null, state0);
  }

  /**
   * A cell from its parts with a second bias, {@code σ(Wi·x + (Wh·h + bh) + b)}, as PyTorch has it.
   *
   * @param function σ
   * @param wi d × N
   * @param wh d × d
   * @param b d
   * @param bh d, or null for none
   * @param state0 d × 1
   */
  public RNNCell(
      Elementwise function,
      Matrix wi,
      Matrix wh,
      Parameter b,
      @Nullable Parameter bh,
      Parameter state0) {
    super(1, 1, wi, wh, optional(bh), b, state0.named("h0"));
    this.function = Objects.requireNonNull(function, "function");
    this.bh = bh;
    checkRecurrentBias(bh, units);
  }

  /** {@return σ} */
  public Elementwise function() {
    return function;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = Functions.apply(function, sums(x, state.h(), bh));
    return Step.step(h, h);
  }

  @Override
  String label() {
    return "RNNCell";
  }

  @Override
  String details() {
    return ", " + function.label() + super.details();
  }
}
