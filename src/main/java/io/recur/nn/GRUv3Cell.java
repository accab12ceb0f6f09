package io.recur.nn;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.device.Buffer;
import io.recur.device.kernels.Recurrences;
import io.recur.device.kernels.Recurrences.Array;
import io.recur.device.kernels.Recurrences.Sequence;
import io.recur.device.memory.Slices;
import io.recur.grad.OpContext;
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
    check(state, x);
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
  Step run(OpContext context, State state, Tensor x) {
    return context.reuse(Run.class, Run::new).run(context, this, state, x);
  }

  @Override
  String label() {
    return "GRUv3Cell";
  }

  @Override
  Recurrences.Cell kind() {
    return Recurrences.Cell.GRU_V3;
  }

  @Override
  boolean isDense() {
    return super.isDense() && whCandidate.isDense();
  }

  private static final class Run extends Sweep<GRUv3Cell> {
    /** r∘h of every step. */
    private final Slices q = new Slices();

    private final Slices candidates = new Slices();
    private final Slices dcandidates = new Slices();
    private final Slices dcandidate = new Slices();
    private Buffer dq;

    @Override
    void prepare() {
      q.of(context.scratch(size() * time), size());
      if (!isWhole()) {
        candidates(candidates, gates);
      }
    }

    @Override
    void name(Sequence sequence) {
      sequence.with(Array.Q, q.whole()).with(Array.WC, packed(cell.whCandidate, 1, false));
    }

    @Override
    void nameBackward(Sequence sequence) {
      sequence
          .with(Array.WCT, packed(cell.whCandidate, 1, true))
          .with(Array.DWC, gradient(cell.whCandidate.values()));
    }

    /** The candidate's third of stacked gates, a matrix of 3H rows that begins at row 2H. */
    private void candidates(Slices thirds, Slices stacked) {
      long length = 3 * size();
      thirds.of(stacked.whole(), 2L * units, length, length - 2L * units);
    }

    @Override
    void step(Buffer gates, int t) {
      cell.wh.multiply(kernels, alone(), h.at(t), batch, 1, gates, 3 * units);
      kernels.gates().gruV3Reset(units, batch, gates, bias, h.at(t), q.at(t));
      cell.whCandidate.multiply(kernels, alone(), q.at(t), batch, 1, candidates.at(t), 3 * units);
      kernels.gates().gruV3Candidate(units, batch, gates, bias, h.at(t), h.at(t + 1));
    }

    @Override
    void prepareBackward() {
      if (!isWhole()) {
        dq = context.backwardScratch(size());
        candidates(dcandidates, dgates);
      }
    }

    @Override
    void slope(int t, Buffer dy, Buffer dh, Buffer dgates) {
      Buffer here = gates.at(t);
      kernels.gates().gruV3CandidateSlope(units, batch, here, h.at(t), dy, dh, dgates);
      cell.whCandidate.multiplyTransposed(
          kernels, false, dcandidates.at(t), 3 * units, batch, 0, dq);
      kernels.gates().gruV3ResetSlope(units, batch, here, h.at(t), dq, dh, dgates);
      cell.wh.multiplyTransposed(kernels, false, dgates, 3 * units, batch, 1, dh);
    }

    @Override
    void addRecurrentGradient(Buffer dgates) {
      cell.wh.addGradient(kernels, dgates, 3 * units, h.whole(), batch * time);
      long span = dgates.floats() - 2L * units;
      Buffer third = dcandidate.of(dgates, 2L * units, span, span).at(0);
      cell.whCandidate.addGradient(kernels, third, 3 * units, q.whole(), batch * time);
    }
  }
}
