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
 * The stackable recurrent cell (Turkoglu, D'Aronco, Wegner and Schindler 2021, <i>Gating Revisited:
 * Deep Multi-layer RNNs That Can Be Trained</i>, arXiv:1911.11033, section on the STAR unit).
 *
 * <pre>
 * [k; z] = Wi·x + b
 * k  = σ(k + Wh·h)
 * h' = tanh((1 − k)∘h + k∘tanh(z))
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, Wh out × out, b 2·out, h0 out × 1. The
 * biases are zero at first.
 *
 * <pre>{@code
 * Recur star = new Recur(new STARCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class STARCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public STARCell(int in, int out) {
    this(
        Matrix.dense(rows("STARCell", 2, in, out), in),
        Matrix.dense(out, out),
        Parameter.zeros(Shape.of(2 * out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 2·d × N
   * @param wh d × d
   * @param b 2·d
   * @param h0 d × 1
   */
  public STARCell(Matrix wi, Matrix wh, Parameter b, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 2),
        recurrent("Wh", wh, 1),
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
    Tensor fromInput = wi.times(x).add(b);
    Tensor gate = sigmoid(gate(fromInput, 0).add(wh.times(h)));
    Tensor candidate = tanh(gate(fromInput, 1));
    Tensor next = tanh(blend(gate, candidate, h));
    return Step.step(next, next);
  }
}
