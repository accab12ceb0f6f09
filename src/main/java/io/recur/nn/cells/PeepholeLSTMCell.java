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
 * The LSTM whose gates also see the cell state (Gers, Schraudolph and Schmidhuber 2002, <i>Learning
 * Precise Timing with LSTM Recurrent Networks</i>; here as in Graves 2013, arXiv:1308.0850,
 * equations 7 to 11).
 *
 * <pre>
 * [i; f; g; o] = Wi·x + Wh·h + b
 * c' = σ(f + pf∘c)∘c + σ(i + pi∘c)∘tanh(g)
 * h' = σ(o + po∘c')∘tanh(c')
 * </pre>
 *
 * <p>Shapes: x in × B, h c y out × B, Wi 4·out × in, Wh 4·out × out, pi pf po out, b 4·out, h0 and
 * c0 out × 1. The peepholes are zero at first, the bias of the forget gate 1.
 *
 * <pre>{@code
 * Recur lstm = new Recur(new PeepholeLSTMCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class PeepholeLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter pi;
  private final Parameter pf;
  private final Parameter po;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public PeepholeLSTMCell(int in, int out) {
    this(
        Matrix.dense(rows("PeepholeLSTMCell", 4, in, out), in),
        Matrix.dense(4 * out, out),
        Parameter.zeros(Shape.of(out)),
        Parameter.zeros(Shape.of(out)),
        Parameter.zeros(Shape.of(out)),
        bias(4, out, 1, 1),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts, gates in the order input, forget, cell, output.
   *
   * @param wi 4·d × N
   * @param wh 4·d × d
   * @param pi peephole of the input gate, d
   * @param pf peephole of the forget gate, d
   * @param po peephole of the output gate, d
   * @param b 4·d
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public PeepholeLSTMCell(
      Matrix wi,
      Matrix wh,
      Parameter pi,
      Parameter pf,
      Parameter po,
      Parameter b,
      Parameter h0,
      Parameter c0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 4),
        recurrent("Wh", wh, 4),
        vector("pi", pi, 1),
        vector("pf", pf, 1),
        vector("po", po, 1),
        vector("b", b, 4),
        state("h0", h0),
        state("c0", c0));
    this.wi = wi;
    this.wh = wh;
    this.pi = pi;
    this.pf = pf;
    this.po = po;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor sums = wi.times(x).add(wh.times(state.h())).add(b);
    Tensor input = sigmoid(gate(sums, 0).add(pi.mul(state.c())));
    Tensor forget = sigmoid(gate(sums, 1).add(pf.mul(state.c())));
    Tensor candidate = tanh(gate(sums, 2));
    Tensor c = forget.mul(state.c()).add(input.mul(candidate));
    Tensor output = sigmoid(gate(sums, 3).add(po.mul(c)));
    Tensor h = output.mul(tanh(c));
    return new Step(State.of(h, c), h);
  }
}
