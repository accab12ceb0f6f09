package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The multiplicative LSTM, whose transition depends on the input (Krause, Lu, Murray and Renals
 * 2016, <i>Multiplicative LSTM for Sequence Modelling</i>, arXiv:1609.07959, section 3).
 *
 * <pre>
 * m = (Wm·x)∘(Wmh·h)
 * [i; f; g; o] = Wi·x + Wh·m + b
 * c' = σ(f)∘c + σ(i)∘tanh(g)
 * h' = σ(o)∘tanh(c')
 * </pre>
 *
 * <p>Shapes: x in × B, h c y out × B, Wi 4·out × in, Wm out × in, Wmh out × out, Wh 4·out × out, b
 * 4·out, h0 and c0 out × 1. The bias of the forget gate is 1 at first.
 *
 * <pre>{@code
 * Recur lstm = new Recur(new MultiplicativeLSTMCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class MultiplicativeLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wm;
  private final Matrix wmh;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public MultiplicativeLSTMCell(int in, int out) {
    this(
        Matrix.dense(rows("MultiplicativeLSTMCell", 4, in, out), in),
        Matrix.dense(out, in),
        Matrix.dense(out, out),
        Matrix.dense(4 * out, out),
        bias(4, out, 1, 1),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 4·d × N
   * @param wm d × N
   * @param wmh d × d
   * @param wh 4·d × d
   * @param b 4·d
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public MultiplicativeLSTMCell(
      Matrix wi, Matrix wm, Matrix wmh, Matrix wh, Parameter b, Parameter h0, Parameter c0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 4),
        input("Wm", wm, 1),
        recurrent("Wmh", wmh, 1),
        recurrent("Wh", wh, 4),
        vector("b", b, 4),
        state("h0", h0),
        state("c0", c0));
    this.wi = wi;
    this.wm = wm;
    this.wmh = wmh;
    this.wh = wh;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor m = wm.times(x).mul(wmh.times(state.h()));
    Tensor sums = wi.times(x).add(wh.times(m)).add(b);
    Tensor input = sigmoid(gate(sums, 0));
    Tensor forget = sigmoid(gate(sums, 1));
    Tensor candidate = tanh(gate(sums, 2));
    Tensor output = sigmoid(gate(sums, 3));
    Tensor c = forget.mul(state.c()).add(input.mul(candidate));
    Tensor h = output.mul(tanh(c));
    return new Step(State.of(h, c), h);
  }
}
