package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * JANET, an LSTM with the forget gate alone (van der Westhuizen and Lasenby 2018, <i>The
 * Unreasonable Effectiveness of the Forget Gate</i>, arXiv:1804.04849, section 3).
 *
 * <pre>
 * [s; a] = Wi·x + Wh·h + b
 * h' = σ(s)∘h + (1 − σ(s − 1))∘tanh(a)
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, Wh 2·out × out, b 2·out, h0 out × 1. The
 * bias of the forget gate is 1 at first; the paper draws it for the longest dependency of the data
 * (chrono initialisation).
 *
 * <pre>{@code
 * Recur janet = new Recur(new JANETCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class JANETCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public JANETCell(int in, int out) {
    this(
        Matrix.dense(rows("JANETCell", 2, in, out), in),
        Matrix.dense(2 * out, out),
        bias(2, out, 0, 1),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 2·d × N
   * @param wh 2·d × d
   * @param b 2·d
   * @param h0 d × 1
   */
  public JANETCell(Matrix wi, Matrix wh, Parameter b, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 2),
        recurrent("Wh", wh, 2),
        vector("b", b, 2),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor sums = wi.times(x).add(wh.times(h)).add(b);
    Tensor forget = sigmoid(gate(sums, 0));
    Tensor input = sigmoid(gate(sums, 0).sub(1)).rsub(1);
    Tensor candidate = tanh(gate(sums, 1));
    Tensor next = forget.mul(h).add(input.mul(candidate));
    return Step.step(next, next);
  }
}
