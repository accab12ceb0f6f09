package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The update gate RNN (Collins, Sohl-Dickstein and Sussillo 2017, <i>Capacity and Trainability in
 * Recurrent Neural Networks</i>, arXiv:1611.09913, section on the architectures).
 *
 * <pre>
 * [g; c] = Wi·x + Wh·h + b
 * h' = σ(g)∘h + (1 − σ(g))∘tanh(c)
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, Wh 2·out × out, b 2·out, h0 out × 1. The
 * bias of the gate is 1 at first, as in TensorFlow's cell of that name; the paper tunes it.
 *
 * <pre>{@code
 * Recur ugrnn = new Recur(new UGRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class UGRNNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public UGRNNCell(int in, int out) {
    this(
        Matrix.dense(rows("UGRNNCell", 2, in, out), in),
        Matrix.dense(2 * out, out),
        bias(2, out, 0, 1),
        zeros(out));
  }

  /**
   * A cell from its parts, in the order gate, candidate.
   *
   * @param wi 2·d × N
   * @param wh 2·d × d
   * @param b 2·d
   * @param h0 d × 1
   */
  public UGRNNCell(Matrix wi, Matrix wh, Parameter b, Parameter h0) {
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
    Tensor gate = sigmoid(gate(sums, 0));
    Tensor candidate = tanh(gate(sums, 1));
    Tensor next = blend(gate, h, candidate);
    return Step.step(next, next);
  }
}
