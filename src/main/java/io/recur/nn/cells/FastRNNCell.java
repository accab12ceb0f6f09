package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The fast RNN: a residual step with two trained scalars (Kusupati et al. 2018, <i>FastGRNN: A
 * Fast, Accurate, Stable and Tiny Kilobyte Sized Gated Recurrent Neural Network</i>,
 * arXiv:1901.02358, section 3.1).
 *
 * <pre>
 * h' = σ(α)·tanh(Wi·x + Wh·h + b) + σ(β)·h
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, Wh out × out, b out, α and β 1, h0 out × 1. α
 * is −3, β 3 and b 1 at first, as in the authors' code.
 *
 * <pre>{@code
 * Recur fast = new Recur(new FastRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class FastRNNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;
  private final Parameter alpha;
  private final Parameter beta;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public FastRNNCell(int in, int out) {
    this(
        Matrix.dense(rows("FastRNNCell", 1, in, out), in),
        Matrix.dense(out, out),
        constant(out, 1),
        constant(1, -3),
        constant(1, 3),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi d × N
   * @param wh d × d
   * @param b d
   * @param alpha α, 1
   * @param beta β, 1
   * @param h0 d × 1
   */
  public FastRNNCell(
      Matrix wi, Matrix wh, Parameter b, Parameter alpha, Parameter beta, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 1),
        recurrent("Wh", wh, 1),
        vector("b", b, 1),
        vector("alpha", alpha, (in, out) -> 1),
        vector("beta", beta, (in, out) -> 1),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.b = b;
    this.alpha = alpha;
    this.beta = beta;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor candidate = tanh(wi.times(x).add(wh.times(h)).add(b));
    Tensor update = sigmoid(use(alpha, state, x));
    Tensor keep = sigmoid(use(beta, state, x));
    Tensor next = update.mul(candidate).add(keep.mul(h));
    return Step.step(next, next);
  }
}
