package io.recur.nn;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000): {@code
 * c' = σ(f)∘c + σ(i)∘tanh(g)}, {@code h' = σ(o)∘tanh(c')}, with {@code [i; f; g; o] = Wi·x + Wh·h +
 * b}.
 *
 * <p>Shapes: x in × B, h c y out × B, Wi 4·out × in, Wh 4·out × out, b 4·out, h0 and c0 out × 1.
 * The bias of the forget gate is 1 at first (Jozefowicz et al. 2015).
 *
 * <pre>{@code
 * Recur lstm = new Recur(new LSTMCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class LSTMCell extends StackedCell {
  private final @Nullable Parameter bh;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public LSTMCell(int in, int out) {
    this(
        Matrix.dense(stacked("LSTMCell", 4, in, out), in),
        Matrix.dense(4 * out, out),
        forgetBias(out),
        zeroState(out, "h0"),
        zeroState(out, "c0"));
  }

  /**
   * A cell from its parts, gates in the order input, forget, cell, output.
   *
   * @param wi 4·d × N
   * @param wh 4·d × d
   * @param b 4·d
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public LSTMCell(Matrix wi, Matrix wh, Parameter b, Parameter h0, Parameter c0) {
    this(wi, wh, b, null, h0, c0);
  }

  /**
   * A cell from its parts with a second bias, {@code Wi·x + (Wh·h + bh) + b}, as PyTorch has it.
   *
   * @param wi 4·d × N
   * @param wh 4·d × d
   * @param b 4·d
   * @param bh 4·d, or null for none
   * @param h0 d × 1
   * @param c0 d × 1
   */
  public LSTMCell(
      Matrix wi, Matrix wh, Parameter b, @Nullable Parameter bh, Parameter h0, Parameter c0) {
    super(4, 4, wi, wh, optional(bh), b, h0.named("h0"), c0.named("c0"));
    this.bh = bh;
    checkRecurrentBias(bh, 4 * units);
  }

  private static Parameter forgetBias(int out) {
    return Parameter.of(
        Shape.of(4 * out), (values, random) -> Arrays.fill(values, out, 2 * out, 1f));
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor sums = sums(x, state.h(), bh);
    Tensor input = sigmoid(gate(sums, 0));
    Tensor forget = sigmoid(gate(sums, 1));
    Tensor candidate = tanh(gate(sums, 2));
    Tensor output = sigmoid(gate(sums, 3));
    Tensor c = forget.mul(state.c()).add(input.mul(candidate));
    Tensor h = output.mul(tanh(c));
    return new Step(State.of(h, c), h);
  }

  @Override
  String label() {
    return "LSTMCell";
  }
}
