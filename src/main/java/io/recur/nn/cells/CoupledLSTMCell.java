package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The LSTM whose forget gate is one minus its input gate (CIFG in Greff, Srivastava, Koutník,
 * Steunebrink and Schmidhuber 2017, <i>LSTM: A Search Space Odyssey</i>, arXiv:1503.04069, section
 * on the variants; here without peepholes).
 *
 * <pre>
 * [i; g; o] = Wi·x + Wh·h + b
 * c' = (1 − σ(i))∘c + σ(i)∘tanh(g)
 * h' = σ(o)∘tanh(c')
 * </pre>
 *
 * <p>Shapes: x in × B, h c y out × B, Wi 3·out × in, Wh 3·out × out, b 3·out, h0 and c0 out × 1.
 * The bias of the input gate is −1 at first, so that the forget gate is that of a bias of 1.
 *
 * <pre>{@code
 * Recur lstm = new Recur(new CoupledLSTMCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class CoupledLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public CoupledLSTMCell(int in, int out) {
    this(
        Matrix.dense(rows("CoupledLSTMCell", 3, in, out), in),
        Matrix.dense(3 * out, out),
        bias(3, out, 0, -1),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 3·d × N
   * @param wh 3·d × d
   * @param b 3·d
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public CoupledLSTMCell(Matrix wi, Matrix wh, Parameter b, Parameter h0, Parameter c0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 3),
        recurrent("Wh", wh, 3),
        vector("b", b, 3),
        state("h0", h0),
        state("c0", c0));
    this.wi = wi;
    this.wh = wh;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor sums = wi.times(x).add(wh.times(state.h())).add(b);
    Tensor input = sigmoid(gate(sums, 0));
    Tensor candidate = tanh(gate(sums, 1));
    Tensor output = sigmoid(gate(sums, 2));
    Tensor c = blend(input, candidate, state.c());
    Tensor h = output.mul(tanh(c));
    return new Step(State.of(h, c), h);
  }
}
