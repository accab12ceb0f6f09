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
 * The minimal RNN: an update gate between the state and a latent input (Chen 2017, <i>MinimalRNN:
 * Toward More Interpretable and Trainable Recurrent Neural Networks</i>, arXiv:1711.06788, section
 * 2).
 *
 * <pre>
 * z  = tanh(Wi·x + bz)
 * u  = σ(Wh·h + Wz·z + bu)
 * h' = u∘h + (1 − u)∘z
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi out × in, Wh and Wz out × out, bz and bu out, h0 out ×
 * 1. The biases are zero at first.
 *
 * <pre>{@code
 * Recur minimal = new Recur(new MinimalRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class MinimalRNNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Matrix wz;
  private final Parameter bz;
  private final Parameter bu;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public MinimalRNNCell(int in, int out) {
    this(
        Matrix.dense(rows("MinimalRNNCell", 1, in, out), in),
        Matrix.dense(out, out),
        Matrix.dense(out, out),
        Parameter.zeros(Shape.of(out)),
        Parameter.zeros(Shape.of(out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi d × N
   * @param wh d × d
   * @param wz d × d
   * @param bz of the latent input, d
   * @param bu of the update gate, d
   * @param h0 d × 1
   */
  public MinimalRNNCell(Matrix wi, Matrix wh, Matrix wz, Parameter bz, Parameter bu, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 1),
        recurrent("Wh", wh, 1),
        recurrent("Wz", wz, 1),
        vector("bz", bz, 1),
        vector("bu", bu, 1),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.wz = wz;
    this.bz = bz;
    this.bu = bu;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor z = tanh(wi.times(x).add(bz));
    Tensor update = sigmoid(wh.times(h).add(wz.times(z)).add(bu));
    Tensor next = blend(update, h, z);
    return Step.step(next, next);
  }
}
