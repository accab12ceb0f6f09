package io.recur.nn;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Objects;

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
    super(1, 1, wi, wh, List.of(), b, state0.named("h0"));
    this.function = Objects.requireNonNull(function, "function");
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = Functions.apply(function, sums(x, state.h()));
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
