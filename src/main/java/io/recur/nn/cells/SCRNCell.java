package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The structurally constrained network: slow context units beside fast ones (Mikolov, Joulin,
 * Chopra, Mathieu and Ranzato 2014, <i>Learning Longer Memory in Recurrent Neural Networks</i>,
 * arXiv:1412.7753, section 3).
 *
 * <pre>
 * [a; e] = Wi·x
 * s' = (1 − α)·a + α·s
 * [p; v] = Ws·s'
 * h' = σ(p + e + Wh·h)
 * y  = U·h' + v
 * </pre>
 *
 * <p>Shapes: x in × B, h s y out × B, Wi 2·out × in, Wh and U out × out, Ws 2·out × out, h0 and s0
 * out × 1. α is 0.95. The function of the output is that of the layer after this one.
 *
 * <pre>{@code
 * Recur scrn = new Recur(new SCRNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class SCRNCell extends PaperCell {
  /** α of the paper. */
  private static final float ALPHA = 0.95f;

  private final Matrix wi;
  private final Matrix wh;
  private final Matrix ws;
  private final Matrix u;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public SCRNCell(int in, int out) {
    this(
        Matrix.dense(rows("SCRNCell", 2, in, out), in),
        Matrix.dense(out, out),
        Matrix.dense(2 * out, out),
        Matrix.dense(out, out),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 2·d × N
   * @param wh d × d
   * @param ws 2·d × d
   * @param u d × d
   * @param h0 d × 1
   * @param s0 d × 1
   */
  public SCRNCell(Matrix wi, Matrix wh, Matrix ws, Matrix u, Parameter h0, Parameter s0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 2),
        recurrent("Wh", wh, 1),
        recurrent("Ws", ws, 2),
        recurrent("U", u, 1),
        state("h0", h0),
        state("s0", s0));
    this.wi = wi;
    this.wh = wh;
    this.ws = ws;
    this.u = u;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor fromInput = wi.times(x);
    Tensor s = gate(fromInput, 0).scale(1 - ALPHA).add(state.c().scale(ALPHA));
    Tensor fromContext = ws.times(s);
    Tensor h = sigmoid(gate(fromContext, 0).add(gate(fromInput, 1)).add(wh.times(state.h())));
    Tensor y = u.times(h).add(gate(fromContext, 1));
    return new Step(State.of(h, s), y);
  }
}
