package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Arrays;

/**
 * The chaos free network: without input its state decays (Laurent and von Brecht 2017, <i>A
 * Recurrent Neural Network without Chaos</i>, arXiv:1612.06212, section 2).
 *
 * <pre>
 * [θ; η; a] = Wi·x + b
 * [θ; η] = σ([θ; η] + Wh·h)
 * h' = θ∘tanh(h) + η∘tanh(a)
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 3·out × in, Wh 2·out × out, b 2·out for θ and η alone,
 * h0 out × 1. The bias of θ is 1 at first, that of η −1.
 *
 * <pre>{@code
 * Recur cfn = new Recur(new CFNCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class CFNCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public CFNCell(int in, int out) {
    this(
        Matrix.dense(rows("CFNCell", 3, in, out), in),
        Matrix.dense(2 * out, out),
        horizontalAndVertical(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 3·d × N
   * @param wh 2·d × d
   * @param b 2·d
   * @param h0 d × 1
   */
  public CFNCell(Matrix wi, Matrix wh, Parameter b, Parameter h0) {
    super(
        wi.columns(),
        wh.columns(),
        input("Wi", wi, 3),
        recurrent("Wh", wh, 2),
        vector("b", b, 2),
        state("h0", h0));
    this.wi = wi;
    this.wh = wh;
    this.b = b;
  }

  private static Parameter horizontalAndVertical(int out) {
    return Parameter.of(
        Shape.of(2 * out),
        (values, random) -> {
          Arrays.fill(values, 0, out, 1);
          Arrays.fill(values, out, 2 * out, -1);
        });
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor fromInput = wi.times(x);
    Tensor sums = fromInput.rows(0, 2 * out).add(wh.times(h)).add(b);
    Tensor horizontal = sigmoid(gate(sums, 0));
    Tensor vertical = sigmoid(gate(sums, 1));
    Tensor next = horizontal.mul(tanh(h)).add(vertical.mul(tanh(gate(fromInput, 2))));
    return Step.step(next, next);
  }
}
