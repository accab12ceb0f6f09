package io.recur.nn;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.List;

/**
 * Gated recurrent unit, third version (Cho et al. 2014, arXiv:1406.1078v3): {@code [r; z] =
 * σ(Wi₁₂·x + Wh·h + b₁₂)}, {@code h̃ = tanh(Wi₃·x + Wh̃·(r∘h) + b₃)}, {@code h' = (1−z)∘h̃ + z∘h}.
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 3·out × in, Wh 2·out × out, Wh̃ out × out, b 3·out,
 * state0 out × 1.
 *
 * <pre>{@code
 * Recur gru = new Recur(new GRUv3Cell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class GRUv3Cell extends StackedCell {
  private final Matrix whCandidate;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public GRUv3Cell(int in, int out) {
    this(
        Matrix.dense(stacked("GRUv3Cell", 3, in, out), in),
        Matrix.dense(2 * out, out),
        Matrix.dense(out, out),
        Parameter.zeros(Shape.of(3 * out)),
        zeroState(out, "h0"));
  }

  /**
   * A cell from its parts, gates in the order reset, update, candidate.
   *
   * @param wi 3·d × N
   * @param wh 2·d × d
   * @param whCandidate Wh̃, d × d
   * @param b 3·d
   * @param state0 d × 1
   */
  public GRUv3Cell(Matrix wi, Matrix wh, Matrix whCandidate, Parameter b, Parameter state0) {
    super(3, 2, wi, wh, List.of(whCandidate.values()), b, state0.named("h0"));
    this.whCandidate = whCandidate;
    if (whCandidate.rows() != units || whCandidate.columns() != units) {
      throw new ShapeException(
          "GRUv3Cell: Wh̃=%s, Wh=%s; need Wh̃ %d×%d".formatted(whCandidate, wh, units, units));
    }
    whCandidate.values().named("Whc");
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    Tensor fromInput = wi.times(x).add(b);
    Tensor fromState = wh.times(h);
    Tensor reset = sigmoid(gate(fromInput, 0).add(gate(fromState, 0)));
    Tensor update = sigmoid(gate(fromInput, 1).add(gate(fromState, 1)));
    Tensor candidate = tanh(gate(fromInput, 2).add(whCandidate.times(reset.mul(h))));
    Tensor next = candidate.sub(update.mul(candidate)).add(update.mul(h));
    return Step.step(next, next);
  }

  @Override
  String label() {
    return "GRUv3Cell";
  }
}
