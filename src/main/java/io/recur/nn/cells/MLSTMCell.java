package io.recur.nn.cells;

import static io.recur.grad.Functions.abs;
import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.negate;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.softplus;

import io.recur.device.Dimension;
import io.recur.grad.HeadProduct;
import io.recur.grad.Outer;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The mLSTM of the xLSTM: a matrix of memory C per head, exponential gates with a normaliser n and
 * a stabiliser m (Beck et al. 2024, <i>xLSTM: Extended Long Short-Term Memory</i>,
 * arXiv:2405.04517, equations 19 to 27, with σ in the forget gate).
 *
 * <pre>
 * [q; k; v; o] = Wi·x + b
 * [i; f] = Wg·x + bg
 * m' = max(i, log σ(f) + m)
 * i' = exp(i − m'),  f' = exp(log σ(f) + m − m')
 * C' = f'·C + i'·v·kᵀ/√d
 * n' = f'·n + i'·k/√d
 * y  = σ(o)∘(C'·q)/max(|n'ᵀ·q|, exp(−m'))
 * </pre>
 *
 * <p>Shapes: x in × B, y out × B, Wi 4·out × in, b 4·out. With k heads of d = out/k units each head
 * has its part of q, k, v and o, numbers i, f and m, a vector n and a d × d matrix C: Wg 2·k × in,
 * bg 2·k, C0 out·d × 1, n0 out × 1, m0 k × 1. There is one head unless given; the paper has 4. C
 * and n are kept divided by exp(m), which changes no y. As in the authors' code Wg is zero at
 * first, i has biases of deviation 0.1, the biases of f rise from 3 to 6 over the heads, and b and
 * C0 are zero; n0 = m0 = 0 are not trained. What the paper puts around it, the normalisation of
 * each head and a projection, is left to other layers. It runs step by step: a matrix per column
 * has no compiled form.
 *
 * <pre>{@code
 * Recur mlstm = new Recur(new MLSTMCell(10, 16, 4)).on(device, 42);
 * }</pre>
 */
public final class MLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Parameter b;
  private final Matrix wg;
  private final Parameter bg;
  private final Heads heads;

  /**
   * A cell of one head with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of y
   */
  public MLSTMCell(int in, int out) {
    this(in, out, 1);
  }

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of y, a multiple of heads
   * @param heads k
   * @throws ShapeException if a size is not positive or too large, or out is no multiple of heads
   */
  public MLSTMCell(int in, int out, int heads) {
    this(
        Matrix.dense(rows("MLSTMCell", 4, in, out), in),
        Parameter.zeros(Shape.of(4 * out)),
        Matrix.dense(Parameter.zeros(Shape.of(2 * Heads.of("MLSTMCell", heads, out).count(), in))),
        biases(heads),
        zeros(out * (out / heads)),
        Parameter.fixed(Shape.of(out, 1), new float[out]),
        Parameter.fixed(Shape.of(heads, 1), new float[heads]));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 4·out × N, in the order q, k, v, output
   * @param b 4·out
   * @param wg 2·k × N, in the order input, forget
   * @param bg 2·k
   * @param c0 out·d × 1: the matrices of the heads one after the other, each by its columns
   * @param n0 out × 1
   * @param m0 k × 1
   * @throws ShapeException if out is no multiple of the heads
   */
  public MLSTMCell(
      Matrix wi, Parameter b, Matrix wg, Parameter bg, Parameter c0, Parameter n0, Parameter m0) {
    this(wi, b, wg, bg, c0, n0, m0, Heads.of("MLSTMCell", m0.shape().rows(), n0.shape().rows()));
  }

  private MLSTMCell(
      Matrix wi,
      Parameter b,
      Matrix wg,
      Parameter bg,
      Parameter c0,
      Parameter n0,
      Parameter m0,
      Heads heads) {
    super(
        wi.columns(),
        n0.shape().rows(),
        input("Wi", wi, 4),
        vector("b", b, 4),
        matrix("Wg", wg, (in, out) -> 2L * heads.count(), (in, out) -> in),
        vector("bg", bg, (in, out) -> 2L * heads.count()),
        state("C0", c0, (in, out) -> heads.matrixRows()),
        state("n0", n0),
        state("m0", m0, (in, out) -> heads.count()));
    this.wi = wi;
    this.b = b;
    this.wg = wg;
    this.bg = bg;
    this.heads = heads;
  }

  private static Parameter biases(int heads) {
    return filled(
        2 * heads,
        (i, random) ->
            i < heads
                ? 0.1 * random.nextGaussian()
                : 3 + 3.0 * (i - heads) / Math.max(1, heads - 1));
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor projected = wi.times(x).add(b);
    Tensor q = heads.vectors(gate(projected, 0));
    Tensor k = heads.vectors(gate(projected, 1)).scale((float) (1 / Math.sqrt(heads.size())));
    Tensor v = heads.vectors(gate(projected, 2));
    Tensor gates = wg.times(x).add(bg);
    Tensor input = heads.numbers(gates.rows(0, heads.count()));
    Tensor forget = heads.numbers(gates.rows(heads.count(), 2 * heads.count()));
    Tensor m = heads.numbers(state.parts().get(2));
    Tensor kept = m.sub(softplus(negate(forget))); // log σ(f) + m
    Tensor nextM = input.maximum(kept);
    Tensor inputShare = exp(input.sub(nextM));
    Tensor forgetShare = exp(kept.sub(nextM));
    Tensor memory = heads.matrices(state.parts().get(0));
    Tensor nextC = memory.mul(forgetShare).add(Outer.outer(v.mul(inputShare), k));
    Tensor n = heads.vectors(state.parts().get(1));
    Tensor nextN = n.mul(forgetShare).add(k.mul(inputShare));
    Tensor found = abs(nextN.mul(q).sum(Dimension.ROWS)).maximum(exp(negate(nextM)));
    Tensor h = heads.whole(HeadProduct.product(nextC, q).div(found));
    return new Step(
        State.of(heads.whole(nextC), heads.whole(nextN), heads.whole(nextM)),
        sigmoid(gate(projected, 3)).mul(h));
  }
}
