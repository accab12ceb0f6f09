package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The minimal gated unit, a GRU with one gate (Zhou, Wu, Zhang and Zhou 2016, <i>Minimal Gated Unit
 * for Recurrent Neural Networks</i>, arXiv:1603.09420, section 3).
 *
 * <pre>
 * [f; a] = Wi·x + b
 * f  = σ(f + Wh·h)
 * h̃  = tanh(a + Whc·(f∘h))
 * h' = (1 − f)∘h + f∘h̃
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, Wh and Whc out × out, b 2·out, h0 out × 1.
 * The biases are zero at first.
 *
 * <pre>{@code
 * Recur mgu = new Recur(new MGUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class MGUCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Matrix whc;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public MGUCell(int in, int out) {
    this(
        Matrix.dense(rows("MGUCell", 2, in, out), in),
        Matrix.dense(out, out),
        Matrix.dense(out, out),
        Parameter.zeros(Shape.of(2 * out)),
        zeros(out));
  }

  /**
   * A cell from its parts, in the order forget, candidate.
   *
   * @param wi 2·d × N
   * @param wh of the forget gate, d × d
   * @param whc of the candidate, d × d
   * @param b 2·d
   * @param h0 d × 1
   */
  public MGUCell(Matrix wi, Matrix wh, Matrix whc, Parameter b, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 2),
        recurrent("Wh", wh, 1),
        recurrent("Whc", whc, 1),
        vector("b", b, 2),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.whc = whc;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor fromInput = wi.times(x).add(b);
    Tensor forget = sigmoid(gate(fromInput, 0).add(wh.times(h)));
    Tensor candidate = tanh(gate(fromInput, 1).add(whc.times(forget.mul(h))));
    Tensor next = blend(forget, candidate, h);
    return Step.step(next, next);
  }
}
