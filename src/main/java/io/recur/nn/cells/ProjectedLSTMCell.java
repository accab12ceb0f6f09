package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The LSTM whose output is a projection of its units (Sak, Senior and Beaufays 2014, <i>Long
 * Short-Term Memory Based Recurrent Neural Network Architectures for Large Vocabulary Speech
 * Recognition</i>, arXiv:1402.1128; without peepholes, as PyTorch's proj_size).
 *
 * <pre>
 * [i; f; g; o] = Wi·x + Wh·h + b
 * c' = σ(f)∘c + σ(i)∘tanh(g)
 * h' = Wr·(σ(o)∘tanh(c'))
 * </pre>
 *
 * <p>Shapes, with d units: x in × B, h y out × B, c d × B, Wi 4·d × in, Wh 4·d × out, Wr out × d, b
 * 4·d, h0 out × 1, c0 d × 1. There are twice as many units as outputs unless given. The bias of the
 * forget gate is 1 at first.
 *
 * <pre>{@code
 * Recur lstm = new Recur(new ProjectedLSTMCell(10, 64, 15)).on(device, 42);
 * }</pre>
 */
public final class ProjectedLSTMCell extends PaperCell {
  private final Matrix wi;
  private final Matrix wh;
  private final Matrix wr;
  private final Parameter b;
  private final @Nullable Parameter bh;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public ProjectedLSTMCell(int in, int out) {
    this(in, rows("ProjectedLSTMCell", 2, in, out), out);
  }

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param units length of c
   * @param out length of h and y
   */
  public ProjectedLSTMCell(int in, int units, int out) {
    this(
        Matrix.dense(rows("ProjectedLSTMCell", 4, in, units), in),
        Matrix.dense(4 * units, out),
        Matrix.dense(out, units),
        bias(4, units, 1, 1),
        zeros(out),
        zeros(units));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 4·d × N
   * @param wh 4·d × out
   * @param wr out × d
   * @param b 4·d
   * @param h0 out × 1
   * @param c0 d × 1
   */
  public ProjectedLSTMCell(
      Matrix wi, Matrix wh, Matrix wr, Parameter b, Parameter h0, Parameter c0) {
    this(wi, wh, wr, b, null, h0, c0);
  }

  /**
   * A cell from its parts with a second bias, {@code Wi·x + (Wh·h + bh) + b}, as PyTorch has it.
   *
   * @param wi 4·d × N
   * @param wh 4·d × out
   * @param wr out × d
   * @param b 4·d
   * @param bh 4·d, or null for none
   * @param h0 out × 1
   * @param c0 d × 1
   */
  public ProjectedLSTMCell(
      Matrix wi,
      Matrix wh,
      Matrix wr,
      Parameter b,
      @Nullable Parameter bh,
      Parameter h0,
      Parameter c0) {
    super(wi.columns(), wr.rows(), parts(wi, wh, wr, b, bh, h0, c0));
    this.wi = wi;
    this.wh = wh;
    this.wr = wr;
    this.b = b;
    this.bh = bh;
  }

  private static Part[] parts(
      Matrix wi,
      Matrix wh,
      Matrix wr,
      Parameter b,
      @Nullable Parameter bh,
      Parameter h0,
      Parameter c0) {
    Size units = (in, out) -> wr.columns();
    Size gates = (in, out) -> 4L * wr.columns();
    List<Part> parts = new ArrayList<>();
    parts.add(matrix("Wi", wi, gates, (in, out) -> in));
    parts.add(matrix("Wh", wh, gates, (in, out) -> out));
    parts.add(matrix("Wr", wr, (in, out) -> out, units));
    parts.add(vector("b", b, gates));
    if (bh != null) {
      parts.add(vector("bh", bh, gates));
    }
    parts.add(state("h0", h0));
    parts.add(state("c0", c0, units));
    return parts.toArray(Part[]::new);
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    int units = wr.columns();
    Tensor fromInput = wi.times(x);
    Tensor fromState = wh.times(state.h());
    Tensor sums = fromInput.add(bh == null ? fromState : fromState.add(bh)).add(b);
    Tensor input = sigmoid(sums.rows(0, units));
    Tensor forget = sigmoid(sums.rows(units, 2 * units));
    Tensor candidate = tanh(sums.rows(2 * units, 3 * units));
    Tensor output = sigmoid(sums.rows(3 * units, 4 * units));
    Tensor c = forget.mul(state.c()).add(input.mul(candidate));
    Tensor h = wr.times(output.mul(tanh(c)));
    return new Step(State.of(h, c), h);
  }
}
