package io.recur.nn.cells;

import io.recur.grad.DropConnect;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Weight drop around any cell: dropout of its recurrent matrices, with one mask for all steps of a
 * sequence (Merity, Keskar and Socher 2018, <i>Regularizing and Optimizing LSTM Language
 * Models</i>, arXiv:1708.02182, section 2; the AWD-LSTM).
 *
 * <pre>
 * s', y = cell(s, x) with M∘Wh for Wh, M = 0 with probability rate, else 1/(1 − rate)
 * </pre>
 *
 * <p>A sequence is one call of {@code Recur.apply}: each call draws a mask per matrix, which all
 * columns of the batch share. On a tape that does not record nothing is dropped. It may be put
 * around other regularisers or inside of them. The random numbers come from {@link Tape#seed}. It
 * is compiled like the cell itself. A cell of your own that overrides {@link Cell#run} and calls
 * the step of this one holds the masks by {@link DropConnect#on}; else each step draws others.
 *
 * <pre>{@code
 * Recur lstm = new Recur(WeightDrop.of(new LSTMCell(10, 15), 0.5f, "Wh")).on(device, 42);
 * }</pre>
 */
public final class WeightDrop implements Cell {
  private final Cell cell;
  private final Map<Parameter, Float> rates;
  private final String description;

  private WeightDrop(Cell cell, Map<Parameter, Float> rates, String description) {
    this.cell = cell;
    this.rates = rates;
    this.description = description;
  }

  /**
   * Weight drop around a cell.
   *
   * @param cell any cell, whose parameters and initial state are those of the result
   * @param rate the probability that a weight is dropped, 0 ≤ rate &lt; 1
   * @param matrices the names of its matrices of which values are dropped, such as {@code Wh}: each
   *     a left factor of products and nothing else
   * @return the cell
   * @throws IllegalArgumentException if the rate is outside of that range, or there is no name, or
   *     the cell has no matrix of a name, or several
   */
  public static WeightDrop of(Cell cell, float rate, String... matrices) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("WeightDrop: rate=" + rate + "; need 0 ≤ rate < 1");
    }
    if (matrices.length == 0) {
      throw new IllegalArgumentException(
          "WeightDrop: no matrix of %s is named; need one or more of %s"
              .formatted(cell, names(weights(cell))));
    }
    Map<Parameter, Float> rates = new LinkedHashMap<>(); // masks are drawn in its order
    for (String name : matrices) {
      rates.put(matrix(cell, name), rate);
    }
    String description =
        "WeightDrop(%s, %s, %s)".formatted(cell, rate, String.join(", ", matrices));
    return new WeightDrop(cell, Collections.unmodifiableMap(rates), description);
  }

  private static Parameter matrix(Cell cell, String name) {
    List<Parameter> weights = weights(cell);
    List<Parameter> found = weights.stream().filter(p -> p.name().equals(name)).toList();
    if (found.size() != 1) {
      throw new IllegalArgumentException(
          "WeightDrop: %d weights of %s are named %s; need the name of one of %s"
              .formatted(found.size(), cell, name, names(weights)));
    }
    return found.getFirst();
  }

  private static List<Parameter> weights(Cell cell) {
    return cell.parameters().stream().filter(p -> !cell.state0().contains(p)).toList();
  }

  private static String names(List<Parameter> weights) {
    return weights.stream().map(Parameter::name).collect(Collectors.joining(", "));
  }

  /** One step; a sequence of its own unless a {@link DropConnect.Scope} is open on the tape. */
  @Override
  public Step step(State state, Tensor x) {
    Tape tape = x.tape() != null ? x.tape() : state.h().tape();
    if (tape == null) {
      throw new IllegalStateException(
          "WeightDrop: neither x nor the state is on a tape; use tape.input(…)");
    }
    try (var _ = DropConnect.on(tape, rates)) {
      return cell.step(state, x);
    }
  }

  /** {@return the cell inside} */
  public Cell cell() {
    return cell;
  }

  /** {@return the probability that a weight is dropped} */
  public float rate() {
    return rates.values().iterator().next();
  }

  /** {@return the names of the matrices of which values are dropped} */
  public List<String> dropped() {
    return rates.keySet().stream().map(Parameter::name).toList();
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
    return description;
  }
}
