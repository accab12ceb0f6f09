package io.recur.nn.cells;

import io.recur.grad.Drop;
import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.List;

/**
 * Zoneout around any cell: at each step each unit of the state keeps its value with a probability
 * (Krueger et al. 2017, <i>Zoneout: Regularizing RNNs by Randomly Preserving Hidden
 * Activations</i>, arXiv:1606.01305, section 3).
 *
 * <pre>
 * s' = d∘s + (1 − d)∘s̃, with s̃ the cell's own new state and d = 1 with probability rate
 * </pre>
 *
 * <p>On a tape that does not record d is its expectation: {@code s' = rate·s + (1 − rate)·s̃}. An
 * output that is a part of the state is that part after zoneout. The random numbers come from
 * {@link io.recur.grad.Tape#seed}. The cell runs by its {@code step}.
 *
 * <pre>{@code
 * Recur lstm = new Recur(Zoneout.of(new LSTMCell(10, 15), 0.05f, 0.5f)).on(device, 42); // h, c
 * }</pre>
 */
public final class Zoneout implements Cell {
  private final Cell cell;
  private final Rates rates;

  private Zoneout(Cell cell, Rates rates) {
    this.cell = cell;
    this.rates = rates;
  }

  /**
   * Zoneout around a cell.
   *
   * @param cell any cell, whose parameters and initial state are those of the result
   * @param rates the probability that a unit keeps its value, one for the whole state or one per
   *     part, 0 ≤ rate &lt; 1
   * @return the cell
   * @throws IllegalArgumentException if a rate is outside of that range, or there are neither one
   *     nor as many as parts
   */
  public static Zoneout of(Cell cell, float... rates) {
    return new Zoneout(cell, Rates.of("Zoneout", cell, rates));
  }

  @Override
  public Step step(State state, Tensor x) {
    Step next = cell.step(state, x);
    List<Tensor> parts = new ArrayList<>();
    Tensor y = next.y();
    for (int part = 0; part < state.parts().size(); part++) {
      Tensor own = next.state().parts().get(part);
      Tensor zoned = zoneout(state.parts().get(part), own, rates.of(part));
      parts.add(zoned);
      y = next.y() == own ? zoned : y;
    }
    return new Step(new State(parts), y);
  }

  /** Where nothing is recorded, dropout is the identity, and this the expectation. */
  private static Tensor zoneout(Tensor before, Tensor own, float rate) {
    if (rate == 0) {
      return own;
    }
    return before.add(Drop.dropout(own.sub(before), rate).scale(1 - rate));
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
    return cell.parameters();
  }

  @Override
  public String toString() {
    return "Zoneout(" + cell + ", " + rates + ")";
  }
}
