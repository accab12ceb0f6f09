package io.recur.nn.cells;

import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.negate;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.softplus;
import static io.recur.grad.Functions.sqrt;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The real-gated linear recurrent unit of Griffin, with the linear layer before it (De et al. 2024,
 * <i>Griffin: Mixing Gated Linear Recurrences with Local Attention for Efficient Language
 * Models</i>, arXiv:2402.19427, equations 1 to 4).
 *
 * <pre>
 * u  = Wi·x
 * [r; i] = σ(Wg·u + b)
 * a  = exp(−8·r∘softplus(Λ))
 * h' = a∘h + √(1 − a²)∘(i∘u)
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, Wg 2·out × out, b 2·out, Λ out, h0 out × 1.
 * With r = 1/8, a is uniform in area on the ring between the radii 0.9 and 0.999 at first, as in
 * the authors' code; the biases are zero. The authors' Wg is block-diagonal, here it is dense.
 *
 * <pre>{@code
 * Recur rglru = new Recur(new RGLRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class RGLRUCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wg;
  private final Parameter b;
  private final Parameter lambda;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public RGLRUCell(int in, int out) {
    this(
        Matrix.dense(rows("RGLRUCell", 1, in, out), in),
        Matrix.dense(2 * out, out),
        Parameter.zeros(Shape.of(2 * out)),
        ring(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi d × N
   * @param wg 2·d × d
   * @param b 2·d
   * @param lambda Λ, d
   * @param h0 d × 1
   */
  public RGLRUCell(Matrix wi, Matrix wg, Parameter b, Parameter lambda, Parameter h0) {
    super(
        wi.columns(),
        wi.rows(),
        input("Wi", wi, 1),
        recurrent("Wg", wg, 2),
        vector("b", b, 2),
        vector("lambda", lambda, 1),
        state("h0", h0));
    this.wi = wi;
    this.wg = wg;
    this.b = b;
    this.lambda = lambda;
  }

  /** softplus(Λ) is −log of a radius whose square is uniform. */
  private static Parameter ring(int out) {
    return Parameter.of(
        Shape.of(out),
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            double square = 0.81 + random.nextDouble() * (0.998001 - 0.81);
            values[i] = (float) Math.log(1 / Math.sqrt(square) - 1);
          }
        });
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor u = wi.times(x);
    Tensor gates = sigmoid(wg.times(u).add(b));
    Tensor decay = gate(gates, 0).mul(softplus(use(lambda, state, x))).scale(8); // −log a
    Tensor rest = tanh(decay).div(sigmoid(decay.scale(2))); // 1 − a², which would cancel
    Tensor input = sqrt(rest).mul(gate(gates, 1)).mul(u);
    Tensor h = exp(negate(decay)).mul(state.h()).add(input);
    return Step.step(h, h);
  }
}
