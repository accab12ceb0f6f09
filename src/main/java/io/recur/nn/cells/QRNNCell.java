package io.recur.nn.cells;

import static io.recur.grad.Functions.identity;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The quasi-recurrent network with windows of two inputs and fo-pooling (Bradbury, Merity, Xiong
 * and Socher 2017, <i>Quasi-Recurrent Neural Networks</i>, arXiv:1611.01576, section 2).
 *
 * <pre>
 * [z; f; o] = Wi·x + Wp·p + b
 * c' = σ(f)∘c + (1 − σ(f))∘tanh(z)
 * p' = x
 * y  = σ(o)∘c'
 * </pre>
 *
 * <p>Shapes: x and the previous input p in × B, c y out × B, Wi and Wp 3·out × in, b 3·out, c0 out
 * × 1, p0 in × 1. The biases are zero at first.
 *
 * <pre>{@code
 * Recur qrnn = new Recur(new QRNNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class QRNNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wp;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public QRNNCell(int in, int out) {
    this(
        Matrix.dense(rows("QRNNCell", 3, in, out), in),
        Matrix.dense(3 * out, in),
        Parameter.zeros(Shape.of(3 * out)),
        zeros(out),
        zeros(in));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 3·d × N
   * @param wp of the previous input, 3·d × N
   * @param b 3·d
   * @param c0 d × 1
   * @param p0 N × 1
   */
  public QRNNCell(Matrix wi, Matrix wp, Parameter b, Parameter c0, Parameter p0) {
    super(
        wi.columns(),
        c0.shape().rows(),
        input("Wi", wi, 3),
        input("Wp", wp, 3),
        vector("b", b, 3),
        state("c0", c0),
        state("p0", p0, (in, out) -> in));
    this.wi = wi;
    this.wp = wp;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor c = state.h();
    Tensor previous = state.c();
    Tensor sums = wi.times(x).add(wp.times(previous)).add(b);
    Tensor forget = sigmoid(gate(sums, 1));
    Tensor next = blend(forget, c, tanh(gate(sums, 0)));
    Tensor y = sigmoid(gate(sums, 2)).mul(next);
    return new Step(State.of(next, identity(x)), y);
  }
}
