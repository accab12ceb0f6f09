package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The addition-subtraction twin-gated cell (Zhang, Xiong, Su, Lin and Zhang 2018, <i>Simplifying
 * Neural Machine Translation with Addition-Subtraction Twin-Gated Recurrent Networks</i>,
 * arXiv:1810.12546, section 3).
 *
 * <pre>
 * p = Wi·x,  q = Wh·h
 * h' = σ(p + q)∘p + σ(p − q)∘h
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, Wh out × out, h0 out × 1.
 *
 * <pre>{@code
 * Recur atr = new Recur(new ATRCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class ATRCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public ATRCell(int in, int out) {
    this(Matrix.dense(rows("ATRCell", 1, in, out), in), Matrix.dense(out, out), zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi d × N
   * @param wh d × d
   * @param h0 d × 1
   */
  public ATRCell(Matrix wi, Matrix wh, Parameter h0) {
    super(wi.columns(), wh.columns(), input("Wi", wi, 1), recurrent("Wh", wh, 1), state("h0", h0));
    this.wi = wi;
    this.wh = wh;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor p = wi.times(x);
    Tensor q = wh.times(h);
    Tensor input = sigmoid(p.add(q));
    Tensor forget = sigmoid(p.sub(q));
    Tensor next = input.mul(p).add(forget.mul(h));
    return Step.step(next, next);
  }
}
