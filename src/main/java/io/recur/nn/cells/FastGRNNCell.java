package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The fast gated RNN: gate and candidate share their products (Kusupati et al. 2018, <i>FastGRNN: A
 * Fast, Accurate, Stable and Tiny Kilobyte Sized Gated Recurrent Neural Network</i>,
 * arXiv:1901.02358, section 3.2; weights of full rank).
 *
 * <pre>
 * a  = Wi·x + Wh·h
 * z  = σ(a + bz)
 * h' = (σ(ζ)·(1 − z) + σ(ν))∘tanh(a + bh) + z∘h
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, Wh out × out, bz and bh out, ζ and ν 1, h0 out
 * × 1. ζ is 1, ν −4 and the biases 1 at first, as in the authors' code.
 *
 * <pre>{@code
 * Recur fast = new Recur(new FastGRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class FastGRNNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter bz;
  private final Parameter bh;
  private final Parameter zeta;
  private final Parameter nu;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public FastGRNNCell(int in, int out) {
    this(
        Matrix.dense(rows("FastGRNNCell", 1, in, out), in),
        Matrix.dense(out, out),
        constant(out, 1),
        constant(out, 1),
        constant(1, 1),
        constant(1, -4),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi d × N
   * @param wh d × d
   * @param bz of the gate, d
   * @param bh of the candidate, d
   * @param zeta ζ, 1
   * @param nu ν, 1
   * @param h0 d × 1
   */
  public FastGRNNCell(
      Matrix wi,
      Matrix wh,
      Parameter bz,
      Parameter bh,
      Parameter zeta,
      Parameter nu,
      Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 1),
        recurrent("Wh", wh, 1),
        vector("bz", bz, 1),
        vector("bh", bh, 1),
        vector("zeta", zeta, (in, out) -> 1),
        vector("nu", nu, (in, out) -> 1),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.bz = bz;
    this.bh = bh;
    this.zeta = zeta;
    this.nu = nu;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor sums = wi.times(x).add(wh.times(h));
    Tensor gate = sigmoid(sums.add(bz));
    Tensor candidate = tanh(sums.add(bh));
    Tensor scale = sigmoid(use(zeta, state, x));
    Tensor shift = sigmoid(use(nu, state, x));
    Tensor next = scale.mul(gate.rsub(1)).add(shift).mul(candidate).add(gate.mul(h));
    return Step.step(next, next);
  }
}
