package io.recur.nn.cells;

import static io.recur.grad.Functions.relu;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The cell that a search found (Zoph and Le 2017, <i>Neural Architecture Search with Reinforcement
 * Learning</i>, arXiv:1611.01578, appendix; in the order of TensorFlow's cell of that name).
 *
 * <pre>
 * [u0 … u7] = Wi·x,  [v0 … v7] = Wh·h + b
 * a = tanh(σ(u0 + v0)∘relu(u1 + v1))
 * e = tanh(σ(u2 + v2) + relu(u3∘v3))
 * p = tanh(tanh(u4 + v4)∘σ(u5 + v5))
 * q = σ(tanh(u6 + v6) + σ(u7 + v7))
 * c' = tanh(a + c)∘e
 * h' = tanh(c'∘tanh(p + q))
 * </pre>
 *
 * <p>Shapes: x in × B, h c y out × B, Wi 8·out × in, Wh 8·out × out, b 8·out, h0 and c0 out × 1.
 * The biases are zero at first.
 *
 * <pre>{@code
 * Recur nas = new Recur(new NASCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class NASCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public NASCell(int in, int out) {
    this(
        Matrix.dense(rows("NASCell", 8, in, out), in),
        Matrix.dense(8 * out, out),
        Parameter.zeros(Shape.of(8 * out)),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 8·d × N
   * @param wh 8·d × d
   * @param b 8·d
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public NASCell(Matrix wi, Matrix wh, Parameter b, Parameter h0, Parameter c0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 8),
        recurrent("Wh", wh, 8),
        vector("b", b, 8),
        state("h0", h0),
        state("c0", c0));
    this.wi = wi;
    this.wh = wh;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor u = wi.times(x);
    Tensor v = wh.times(state.h()).add(b);
    Tensor sums = u.add(v);
    Tensor a = tanh(sigmoid(gate(sums, 0)).mul(relu(gate(sums, 1))));
    Tensor e = tanh(sigmoid(gate(sums, 2)).add(relu(gate(u, 3).mul(gate(v, 3)))));
    Tensor p = tanh(tanh(gate(sums, 4)).mul(sigmoid(gate(sums, 5))));
    Tensor q = sigmoid(tanh(gate(sums, 6)).add(sigmoid(gate(sums, 7))));
    Tensor c = tanh(a.add(state.c())).mul(e);
    Tensor h = tanh(c.mul(tanh(p.add(q))));
    return new Step(State.of(h, c), h);
  }
}
