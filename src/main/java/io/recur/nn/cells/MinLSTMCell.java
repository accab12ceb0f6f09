package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The minLSTM, whose gates see the input alone and add up to one: linear in the state (Feng, Tung,
 * Ahmed, Bengio and Hajimirsadeghi 2024, <i>Were RNNs All We Needed?</i>, arXiv:2410.01201, section
 * 3.2).
 *
 * <pre>
 * [f; i; h̃] = Wi·x + b
 * f' = σ(f)/(σ(f) + σ(i))
 * h' = f'∘h + (1 − f')∘h̃
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 3·out × in, b 3·out, h0 out × 1. 1 − f' is the paper's
 * i' = σ(i)/(σ(f) + σ(i)). The biases are zero at first.
 *
 * <pre>{@code
 * Recur minLstm = new Recur(new MinLSTMCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class MinLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public MinLSTMCell(int in, int out) {
    this(
        Matrix.dense(rows("MinLSTMCell", 3, in, out), in),
        Parameter.zeros(Shape.of(3 * out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 3·d × N
   * @param b 3·d
   * @param h0 d × 1
   */
  public MinLSTMCell(Matrix wi, Parameter b, Parameter h0) {
    super(wi.columns(), h0.shape().rows(), input("Wi", wi, 3), vector("b", b, 3), state("h0", h0));
    this.wi = wi;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor sums = wi.times(x).add(b);
    Tensor forget = sigmoid(gate(sums, 0));
    Tensor input = sigmoid(gate(sums, 1));
    Tensor share = forget.div(forget.add(input));
    Tensor next = blend(share, state.h(), gate(sums, 2));
    return Step.step(next, next);
  }
}
