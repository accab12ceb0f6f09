package io.recur.nn.cells;

import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The coupled oscillatory network: a second-order differential equation in steps of Δt (Rusch and
 * Mishra 2021, <i>Coupled Oscillatory Recurrent Neural Network (coRNN)</i>, arXiv:2010.00951,
 * equation 3, explicit damping).
 *
 * <pre>
 * z' = z + Δt·(tanh(Wh·h + Wz·z + Wi·x + b) − γ·h − ε·z)
 * h' = h + Δt·z'
 * </pre>
 *
 * <p>Shapes: x in × B, h z y out × B, Wi out × in, Wh and Wz out × out, b out, h0 and z0 out × 1.
 * Δt = 0.042, γ = 2.7 and ε = 4.7 unless given: those of the authors for sequential MNIST.
 *
 * <pre>{@code
 * Recur corn = new Recur(new CoRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class CoRNNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Matrix wz;
  private final Parameter b;
  private final float dt;
  private final float gamma;
  private final float epsilon;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public CoRNNCell(int in, int out) {
    this(
        Matrix.dense(rows("CoRNNCell", 1, in, out), in),
        Matrix.dense(out, out),
        Matrix.dense(out, out),
        Parameter.zeros(Shape.of(out)),
        zeros(out),
        zeros(out),
        0.042f,
        2.7f,
        4.7f);
  }

  /**
   * A cell from its parts.
   *
   * @param wi d × N
   * @param wh d × d
   * @param wz d × d
   * @param b d
   * @param h0 d × 1
   * @param z0 d × 1
   * @param dt Δt
   * @param gamma γ
   * @param epsilon ε
   */
  public CoRNNCell(
      Matrix wi,
      Matrix wh,
      Matrix wz,
      Parameter b,
      Parameter h0,
      Parameter z0,
      float dt,
      float gamma,
      float epsilon) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 1),
        recurrent("Wh", wh, 1),
        recurrent("Wz", wz, 1),
        vector("b", b, 1),
        state("h0", h0),
        state("z0", z0));
    this.wi = wi;
    this.wh = wh;
    this.wz = wz;
    this.b = b;
    this.dt = dt;
    this.gamma = gamma;
    this.epsilon = epsilon;
  }

  /** {@return Δt} */
  public float dt() {
    return dt;
  }

  /** {@return γ} */
  public float gamma() {
    return gamma;
  }

  /** {@return ε} */
  public float epsilon() {
    return epsilon;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor z = state.c();
    Tensor force = tanh(wh.times(h).add(wz.times(z)).add(wi.times(x)).add(b));
    Tensor pull = h.scale(gamma).add(z.scale(epsilon));
    Tensor nextZ = z.add(force.sub(pull).scale(dt));
    Tensor next = h.add(nextZ.scale(dt));
    return new Step(State.of(next, nextZ), next);
  }
}
