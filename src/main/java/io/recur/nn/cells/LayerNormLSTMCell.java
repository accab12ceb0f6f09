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
 * The LSTM with layer normalisation (Ba, Kiros and Hinton 2016, <i>Layer Normalization</i>,
 * arXiv:1607.06450, equations 20 to 22; one bias for both sums, whose shifts add up).
 *
 * <pre>
 * [i; f; g; o] = LN(Wi·x)∘gi + LN(Wh·h)∘gh + b
 * c' = σ(f)∘c + σ(i)∘tanh(g)
 * h' = σ(o)∘tanh(LN(c')∘gc + bc)
 * LN(a) = (a − mean)/√(variance + 10⁻⁵), over the rows of a column
 * </pre>
 *
 * <p>Shapes: x in × B, h c y out × B, Wi 4·out × in, Wh 4·out × out, gi gh b 4·out, gc bc out, h0
 * and c0 out × 1. The gains are 1 at first, the bias of the forget gate is 1, all others are zero.
 *
 * <pre>{@code
 * Recur lstm = new Recur(new LayerNormLSTMCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class LayerNormLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter gi;
  private final Parameter gh;
  private final Parameter b;
  private final Parameter gc;
  private final Parameter bc;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public LayerNormLSTMCell(int in, int out) {
    this(
        Matrix.dense(rows("LayerNormLSTMCell", 4, in, out), in),
        Matrix.dense(4 * out, out),
        constant(4 * out, 1),
        constant(4 * out, 1),
        bias(4, out, 1, 1),
        constant(out, 1),
        Parameter.zeros(Shape.of(out)),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 4·d × N
   * @param wh 4·d × d
   * @param gi gain of Wi·x, 4·d
   * @param gh gain of Wh·h, 4·d
   * @param b 4·d
   * @param gc gain of c, d
   * @param bc shift of c, d
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public LayerNormLSTMCell(
      Matrix wi,
      Matrix wh,
      Parameter gi,
      Parameter gh,
      Parameter b,
      Parameter gc,
      Parameter bc,
      Parameter h0,
      Parameter c0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 4),
        recurrent("Wh", wh, 4),
        vector("gi", gi, 4),
        vector("gh", gh, 4),
        vector("b", b, 4),
        vector("gc", gc, 1),
        vector("bc", bc, 1),
        state("h0", h0),
        state("c0", c0));
    this.wi = wi;
    this.wh = wh;
    this.gi = gi;
    this.gh = gh;
    this.b = b;
    this.gc = gc;
    this.bc = bc;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor fromInput = normalised(wi.times(x)).mul(gi);
    Tensor fromState = normalised(wh.times(state.h())).mul(gh);
    Tensor sums = fromInput.add(fromState).add(b);
    Tensor input = sigmoid(gate(sums, 0));
    Tensor forget = sigmoid(gate(sums, 1));
    Tensor candidate = tanh(gate(sums, 2));
    Tensor output = sigmoid(gate(sums, 3));
    Tensor c = forget.mul(state.c()).add(input.mul(candidate));
    Tensor h = output.mul(tanh(normalised(c).mul(gc).add(bc)));
    return new Step(State.of(h, c), h);
  }
}
