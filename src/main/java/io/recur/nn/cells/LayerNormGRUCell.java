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
 * The GRU with layer normalisation (Ba, Kiros and Hinton 2016, <i>Layer Normalization</i>,
 * arXiv:1607.06450, supplementary material; the products of all gates are normalised together, as
 * in Haste).
 *
 * <pre>
 * [ri; zi; ai] = LN(Wi·x)∘gi + b
 * [rh; zh; ah] = LN(Wh·h)∘gh + bh
 * h̃  = tanh(ai + σ(ri + rh)∘ah)
 * h' = (1 − σ(zi + zh))∘h̃ + σ(zi + zh)∘h
 * LN(a) = (a − mean)/√(variance + 10⁻⁵), over the rows of a column
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 3·out × in, Wh 3·out × out, gi gh b bh 3·out, h0 out ×
 * 1. The gains are 1 at first, the biases zero.
 *
 * <pre>{@code
 * Recur gru = new Recur(new LayerNormGRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class LayerNormGRUCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter gi;
  private final Parameter gh;
  private final Parameter b;
  private final Parameter bh;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public LayerNormGRUCell(int in, int out) {
    this(
        Matrix.dense(rows("LayerNormGRUCell", 3, in, out), in),
        Matrix.dense(3 * out, out),
        constant(3 * out, 1),
        constant(3 * out, 1),
        Parameter.zeros(Shape.of(3 * out)),
        Parameter.zeros(Shape.of(3 * out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 3·d × N
   * @param wh 3·d × d
   * @param gi gain of Wi·x, 3·d
   * @param gh gain of Wh·h, 3·d
   * @param b 3·d
   * @param bh bias of Wh·h, 3·d
   * @param h0 d × 1
   */
  public LayerNormGRUCell(
      Matrix wi, Matrix wh, Parameter gi, Parameter gh, Parameter b, Parameter bh, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 3),
        recurrent("Wh", wh, 3),
        vector("gi", gi, 3),
        vector("gh", gh, 3),
        vector("b", b, 3),
        vector("bh", bh, 3),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.gi = gi;
    this.gh = gh;
    this.b = b;
    this.bh = bh;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor fromInput = normalised(wi.times(x)).mul(gi).add(b);
    Tensor fromState = normalised(wh.times(h)).mul(gh).add(bh);
    Tensor reset = sigmoid(gate(fromInput, 0).add(gate(fromState, 0)));
    Tensor update = sigmoid(gate(fromInput, 1).add(gate(fromState, 1)));
    Tensor candidate = tanh(gate(fromInput, 2).add(reset.mul(gate(fromState, 2))));
    Tensor next = blend(update, h, candidate);
    return Step.step(next, next);
  }
}
