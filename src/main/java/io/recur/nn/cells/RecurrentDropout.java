package io.recur.nn.cells;

import io.recur.grad.Concat;
import io.recur.grad.Drop;
import io.recur.grad.DropConnect;
import io.recur.grad.Parameter;
import io.recur.grad.Repeat;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Dropout of the state around any cell, with one mask for all steps of a sequence (Gal and
 * Ghahramani 2016, <i>A Theoretically Grounded Application of Dropout in Recurrent Neural
 * Networks</i>, arXiv:1512.05287, section 4).
 *
 * <pre>
 * s', y = cell(m∘s, x), with m = 0 with probability rate, else 1/(1 − rate)
 * </pre>
 *
 * <p>A sequence is one call of {@code Recur.apply}: each call draws a mask per part of the state.
 * On a tape that does not record nothing is dropped. For an LSTM and the rates (rate, 0) this is
 * the paper's equation, as h enters in products alone. A cell that carries its state on
 * elementwise, such as a GRU or the c of an LSTM, would forget a dropped unit at each step; take
 * {@link Zoneout} there. The random numbers come from {@link Tape#seed}. While it drops, the cell
 * runs by its {@code step}.
 *
 * <pre>{@code
 * Recur lstm = new Recur(RecurrentDropout.of(new LSTMCell(10, 15), 0.25f, 0)).on(device, 42);
 * }</pre>
 */
public final class RecurrentDropout implements Cell {
  private final Cell cell;
  private final Rates rates;

  /** Per part a column of ones, from which a mask is made on the device. */
  private final List<Parameter> ones;

  private RecurrentDropout(Cell cell, Rates rates) {
    this.cell = cell;
    this.rates = rates;
    this.ones = cell.state0().stream().map(RecurrentDropout::ones).toList();
  }

  private static Parameter ones(Parameter part) {
    return Parameter.fixed(
            Shape.of(part.shape().rows(), 1), (values, random) -> Arrays.fill(values, 1))
        .named("ones");
  }

  /**
   * Dropout of the state of a cell.
   *
   * @param cell any cell, whose trainable parameters and initial state are those of the result
   * @param rates the probability that a unit is dropped, one for the whole state or one per part, 0
   *     ≤ rate &lt; 1
   * @return the cell
   * @throws IllegalArgumentException if a rate is outside of that range, or there are neither one
   *     nor as many as parts
   */
  public static RecurrentDropout of(Cell cell, float... rates) {
    return new RecurrentDropout(cell, Rates.of("RecurrentDropout", cell, rates));
  }

  /** A sequence of one step. */
  @Override
  public Step step(State state, Tensor x) {
    Tape tape = tape(state, x);
    return tape.isRecording()
        ? cell.step(masked(state, masks(tape, state)), x)
        : cell.step(state, x);
  }

  @Override
  public Step run(State state, Tensor x) {
    Tape tape = tape(state, x);
    if (!tape.isRecording()) {
      return cell.run(state, x);
    }
    try (var _ = DropConnect.on(tape, Map.of())) { // weights too have a mask per sequence
      List<Tensor> masks = masks(tape, state);
      List<Tensor> outputs = new ArrayList<>();
      State now = state;
      for (int t = 0; t < x.shape().time(); t++) {
        Step step = cell.step(masked(now, masks), x.time(t));
        outputs.add(step.y());
        now = step.state();
      }
      return new Step(now, Concat.time(outputs));
    }
  }

  private static Tape tape(State state, Tensor x) {
    Tape tape = x.tape() != null ? x.tape() : state.h().tape();
    if (tape == null) {
      throw new IllegalStateException(
          "RecurrentDropout: neither x nor the state is on a tape; use tape.input(…)");
    }
    return tape;
  }

  /** One mask per part; the part itself where nothing is dropped. */
  private List<Tensor> masks(Tape tape, State state) {
    if (state.parts().size() != ones.size()) {
      throw new ShapeException(
          "RecurrentDropout: a state of %d tensors; need %d"
              .formatted(state.parts().size(), ones.size()));
    }
    List<Tensor> masks = new ArrayList<>();
    for (int part = 0; part < ones.size(); part++) {
      Tensor whole = state.parts().get(part);
      masks.add(
          rates.of(part) == 0
              ? whole
              : Drop.dropout(Repeat.repeat(tape, ones.get(part), whole.shape()), rates.of(part)));
    }
    return masks;
  }

  private State masked(State state, List<Tensor> masks) {
    List<Tensor> parts = new ArrayList<>();
    for (int part = 0; part < masks.size(); part++) {
      Tensor whole = state.parts().get(part);
      parts.add(rates.of(part) == 0 ? whole : whole.mul(masks.get(part)));
    }
    return new State(parts);
  }

  /** {@return the cell inside} */
  public Cell cell() {
    return cell;
  }

  /** {@return a copy of the rates, one per part of the state} */
  public float[] rates() {
    return rates.ofParts().clone();
  }

  @Override
  public boolean columnsAreIndependent() {
    return cell.columnsAreIndependent();
  }

  @Override
  public List<Parameter> state0() {
    return cell.state0();
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>(cell.parameters());
    all.addAll(ones);
    return all;
  }

  @Override
  public String toString() {
    return "RecurrentDropout(" + cell + ", " + rates + ")";
  }
}
