package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The minGRU, whose gate sees the input alone: linear in the state (Feng, Tung, Ahmed, Bengio and
 * Hajimirsadeghi 2024, <i>Were RNNs All We Needed?</i>, arXiv:2410.01201, section 3.1).
 *
 * <pre>
 * [z; h̃] = Wi·x + b
 * h' = (1 − σ(z))∘h + σ(z)∘h̃
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, b 2·out, h0 out × 1. The biases are zero at
 * first.
 *
 * <pre>{@code
 * Recur minGru = new Recur(new MinGRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class MinGRUCell extends PaperCell {
  private final Matrix wi;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public MinGRUCell(int in, int out) {
    this(
        Matrix.dense(rows("MinGRUCell", 2, in, out), in),
        Parameter.zeros(Shape.of(2 * out)),
        zeros(out));
  }

  /**
   * A cell from its parts, in the order update, candidate.
   *
   * @param wi 2·d × N
   * @param b 2·d
   * @param h0 d × 1
   */
  public MinGRUCell(Matrix wi, Parameter b, Parameter h0) {
    super(wi.columns(), h0.shape().rows(), input("Wi", wi, 2), vector("b", b, 2), state("h0", h0));
    this.wi = wi;
    this.b = b;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor sums = wi.times(x).add(b);
    Tensor update = sigmoid(gate(sums, 0));
    Tensor candidate = gate(sums, 1);
    Tensor next = blend(update, candidate, h);
    return Step.step(next, next);
  }
}
