package io.recur.nn.cells;

import static io.recur.grad.Functions.relu;
import static io.recur.grad.Functions.sigmoid;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The light GRU: no reset gate, ReLU, here with layer normalisation of the input's share in place
 * of batch normalisation, which no stream has (Ravanelli, Brakel, Omologo and Bengio 2018, <i>Light
 * Gated Recurrent Units for Speech Recognition</i>, arXiv:1803.10225, section on the light GRU; as
 * SpeechBrain's with layernorm).
 *
 * <pre>
 * [a; z] = LN(Wi·x)∘g + b + Wh·h
 * h' = σ(z)∘h + (1 − σ(z))∘relu(a)
 * LN(a) = (a − mean)/√(variance + 10⁻⁵), over the rows of a column
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, Wh 2·out × out, g and b 2·out, h0 out × 1.
 * The gains are 1 at first, the biases zero.
 *
 * <pre>{@code
 * Recur ligru = new Recur(new LiGRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class LiGRUCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter g;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public LiGRUCell(int in, int out) {
    this(
        Matrix.dense(rows("LiGRUCell", 2, in, out), in),
        Matrix.dense(2 * out, out),
        constant(2 * out, 1),
        Parameter.zeros(Shape.of(2 * out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 2·d × N
   * @param wh 2·d × d
   * @param g gain, 2·d
   * @param b 2·d
   * @param h0 d × 1
   */
  public LiGRUCell(Matrix wi, Matrix wh, Parameter g, Parameter b, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 2),
        recurrent("Wh", wh, 2),
        vector("g", g, 2),
        vector("b", b, 2),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.g = g;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor sums = normalised(wi.times(x)).mul(g).add(b).add(wh.times(h));
    Tensor candidate = relu(gate(sums, 0));
    Tensor update = sigmoid(gate(sums, 1));
    Tensor next = blend(update, h, candidate);
    return Step.step(next, next);
  }
}
