package io.recur.nn.cells;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Objects;

/**
 * The independently recurrent cell: each unit sees itself alone (Li, Li, Cook, Zhu and Gao 2018,
 * <i>Independently Recurrent Neural Network (IndRNN)</i>, arXiv:1803.04831, section 3).
 *
 * <pre>
 * h' = σ(Wi·x + u∘h + b)
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, u and b out, h0 out × 1. σ is ReLU unless
 * given. u is uniform in 0 to 1 at first, the bias zero. The paper keeps |u| below the T-th root of
 * 2 for T steps; clip u after an optimiser's step where T is large.
 *
 * <pre>{@code
 * Recur indrnn = new Recur(new IndRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class IndRNNCell extends PaperCell {
  private final Elementwise function;
  private final Matrix wi;
  private final Parameter u;
  private final Parameter b;

  /**
   * A cell with ReLU and dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public IndRNNCell(int in, int out) {
    this(
        Elementwise.RELU,
        Matrix.dense(rows("IndRNNCell", 1, in, out), in),
        uniform(out, 0, 1),
        Parameter.zeros(Shape.of(out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param function σ
   * @param wi d × N
   * @param u d
   * @param b d
   * @param h0 d × 1
   */
  public IndRNNCell(Elementwise function, Matrix wi, Parameter u, Parameter b, Parameter h0) {
    super(
        wi.columns(),
        wi.rows(),
        input("Wi", wi, 1),
        vector("u", u, 1),
        vector("b", b, 1),
        state("h0", h0));
    this.function = Objects.requireNonNull(function, "function");
    this.wi = wi;
    this.u = u;
    this.b = b;
  }

  /** {@return σ} */
  public Elementwise function() {
    return function;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = Functions.apply(function, wi.times(x).add(u.mul(state.h())).add(b));
    return Step.step(h, h);
  }
}
