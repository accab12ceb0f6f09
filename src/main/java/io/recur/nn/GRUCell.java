package io.recur.nn;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Gated recurrent unit, first version (Cho et al. 2014, arXiv:1406.1078v1; as cuDNN, PyTorch and
 * Keras compute it): {@code [r; z] = σ(Wi₁₂·x + Wh₁₂·h + b₁₂)}, {@code h̃ = tanh(Wi₃·x + r∘(Wh₃·h)
 * + b₃)}, {@code h' = (1−z)∘h̃ + z∘h}.
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 3·out × in, Wh 3·out × out, b 3·out, state0 out × 1.
 * PyTorch and Keras have a further bias inside {@code r∘(Wh₃·h + bh)}; here it is optional and
 * absent by default. One of 3·out is added to the whole of {@code Wh·h}.
 *
 * <pre>{@code
 * Recur gru = new Recur(new GRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class GRUCell extends StackedCell {
  private final @Nullable Parameter bh;

  /**
   * A cell with dense weights, Glorot uniform, and no recurrent bias.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public GRUCell(int in, int out) {
    this(
        Matrix.dense(stacked("GRUCell", 3, in, out), in),
        Matrix.dense(3 * out, out),
        Parameter.zeros(Shape.of(3 * out)),
        null,
        zeroState(out, "h0"));
  }

  /**
   * A cell from its parts, gates in the order reset, update, candidate.
   *
   * @param wi 3·d × N
   * @param wh 3·d × d
   * @param b 3·d
   * @param bh the recurrent bias of the candidate, d, or of all gates, 3·d; null for none
   * @param state0 d × 1
   */
  public GRUCell(Matrix wi, Matrix wh, Parameter b, @Nullable Parameter bh, Parameter state0) {
    super(3, 3, wi, wh, optional(bh), b, state0.named("h0"));
    this.bh = bh;
    checkRecurrentBias(bh, units, 3 * units);
  }

  /** Wh·h, with bh where that has a value for each of its rows. */
  private Tensor fromState(Tensor h) {
    Tensor product = wh.times(h);
    return bh == null || bh.shape().count() == units ? product : product.add(bh);
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor fromInput = wi.times(x).add(b);
    Tensor fromState = fromState(h);
    Tensor reset = sigmoid(gate(fromInput, 0).add(gate(fromState, 0)));
    Tensor update = sigmoid(gate(fromInput, 1).add(gate(fromState, 1)));
    Tensor recurrent = gate(fromState, 2);
    boolean isAdded = bh == null || bh.shape().count() > units;
    Tensor biased = isAdded ? recurrent : recurrent.add(bh);
    Tensor candidate = tanh(gate(fromInput, 2).add(reset.mul(biased)));
    Tensor next = candidate.sub(update.mul(candidate)).add(update.mul(h));
    return Step.step(next, next);
  }

  @Override
  String label() {
    return "GRUCell";
  }
}
