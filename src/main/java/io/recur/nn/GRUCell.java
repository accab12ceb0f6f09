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
import org.jspecify.annotations.Nullable;

/**
 * Gated recurrent unit, first version (Cho et al. 2014, arXiv:1406.1078v1; as cuDNN, PyTorch and
 * Keras compute it): {@code [r; z] = σ(Wi₁₂·x + Wh₁₂·h + b₁₂)}, {@code h̃ = tanh(Wi₃·x + r∘(Wh₃·h)
 * + b₃)}, {@code h' = (1−z)∘h̃ + z∘h}.
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 3·out × in, Wh 3·out × out, b 3·out, state0 out × 1.
 * PyTorch and Keras have a further bias inside {@code r∘(Wh₃·h + bh)}; here it is optional and
 * absent by default.
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
   * @param bh the recurrent bias of the candidate, d, or null for none
   * @param state0 d × 1
   */
  public GRUCell(Matrix wi, Matrix wh, Parameter b, @Nullable Parameter bh, Parameter state0) {
    super(3, 3, wi, wh, bh == null ? List.of() : List.of(bh), b, state0.named("h0"));
    this.bh = bh;
    if (bh != null) {
      if (bh.shape().count() != units) {
        throw new ShapeException(
            "GRUCell: bh=%s, Wh=%s; need bh %d".formatted(bh.shape(), wh, units));
      }
      bh.named("bh");
    }
  }

  @Override
  public Step step(State state, Tensor x) {
    check(state, x);
    Tensor h = state.h();
    Tensor fromInput = wi.times(x).add(b);
    Tensor fromState = wh.times(h);
    Tensor reset = sigmoid(gate(fromInput, 0).add(gate(fromState, 0)));
    Tensor update = sigmoid(gate(fromInput, 1).add(gate(fromState, 1)));
    Tensor recurrent = gate(fromState, 2);
    Tensor biased = bh == null ? recurrent : recurrent.add(bh);
    Tensor candidate = tanh(gate(fromInput, 2).add(reset.mul(biased)));
    Tensor next = candidate.sub(update.mul(candidate)).add(update.mul(h));
    return Step.step(next, next);
  }

  @Override
  Step run(OpContext context, State state, Tensor x) {
    return context.reuse(Run.class, Run::new).run(context, this, state, x);
  }

  @Override
  String label() {
    return "GRUCell";
  }

  @Override
  Recurrences.Cell kind() {
    return Recurrences.Cell.GRU;
  }

  private static final class Run extends Sweep<GRUCell> {
    /** Wh·h of every step, step by step. */
    private final Slices recurrent = new Slices();

    private final Slices drecurrent = new Slices();
    private final Slices third = new Slices();

    @Override
    void prepare() {
      if (!isWhole()) {
        recurrent.of(context.scratch(3 * size() * time), 3 * size());
      }
    }

    @Override
    void name(Sequence sequence) {
      sequence.with(Array.BH, cell.bh == null ? null : cell.bh.value());
    }

    @Override
    void nameBackward(Sequence sequence) {
      sequence
          .with(Array.DRECURRENT, drecurrent.whole())
          .with(Array.DBH, cell.bh == null ? null : gradient(cell.bh));
    }

    @Override
    void step(Buffer gates, int t) {
      Buffer products = recurrent.at(t);
      Buffer bh = cell.bh == null ? null : cell.bh.value();
      cell.wh.multiply(kernels, alone(), h.at(t), batch, 0, products, 3 * units);
      kernels.gates().gru(units, batch, gates, bias, products, bh, h.at(t), h.at(t + 1));
    }

    @Override
    void prepareBackward() {
      drecurrent.of(context.backwardScratch(3 * size() * gradientSteps()), 3 * size());
    }

    @Override
    void slope(int t, Buffer dy, Buffer dh, Buffer dgates) {
      Buffer dproducts = drecurrent.at(t);
      kernels
          .gates()
          .gruSlope(units, batch, gates.at(t), recurrent.at(t), h.at(t), dy, dh, dgates, dproducts);
      cell.wh.multiplyTransposed(kernels, false, dproducts, 3 * units, batch, 1, dh);
    }

    @Override
    void addRecurrentGradient(Buffer dgates) {
      super.addRecurrentGradient(drecurrent.whole());
      if (!isWhole() && cell.bh != null && cell.bh.isTrainable()) {
        Buffer packed = context.backwardScratch(size() * time);
        long span = 3 * size() * time - 2L * units;
        Buffer candidate = third.of(drecurrent.whole(), 2L * units, span, span).at(0);
        device.columns().block(units, batch * time, candidate, 3 * units, false, packed, units);
        device.columns().addSum(units, batch * time, packed, cell.bh.accumulator());
      }
    }
  }
}
