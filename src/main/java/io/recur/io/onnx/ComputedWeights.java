package io.recur.io.onnx;

import io.recur.grad.Concat;
import io.recur.grad.Tensor;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.RecurrentKind;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the cell of one direction of a recurrent node whose weights the graph computes, or takes as
 * inputs: tensors of the tape, for one call.
 *
 * @param call gives them
 * @param kind the operator
 * @param directions 1 or 2
 * @param direction its number
 */
record ComputedWeights(Call call, RecurrentKind kind, int directions, int direction) {
  /** The cell; its state0 has no memory. */
  EquationCell cell(EquationCell.Rule named, int units) {
    for (int input : RecurrentWeights.inputs(kind)) {
      if (call.has(input)) {
        RecurrentWeights.check(call.node(), kind, input, call.dims(input), directions, units);
      }
    }
    EquationCell.Rule rule =
        new EquationCell.Rule(
            kind, units, named.functions(), named.clip(), named.isCoupled(), named.isResetAfter());
    return new EquationCell(rule, weights(rule), RecurrentNode.zeros(kind, units));
  }

  private EquationCell.Weights weights(EquationCell.Rule rule) {
    int units = rule.units();
    int rows = kind.gates() * units;
    boolean isGru = kind == RecurrentKind.GRU;
    Tensor wi = turned(1);
    Tensor wh = turned(2);
    Tensor b = null;
    Tensor bh = null;
    if (call.has(3)) {
      Tensor both = call.onTape(3).column(direction);
      Tensor fromInput = both.rows(0, rows);
      Tensor fromState = both.rows(rows, 2 * rows);
      if (isGru && rule.isResetAfter()) {
        Tensor gates = fromInput.rows(0, 2 * units).add(fromState.rows(0, 2 * units));
        b = Concat.rows(gates, fromInput.rows(2 * units, rows));
        bh = fromState.rows(2 * units, rows);
      } else {
        b = fromInput.add(fromState);
      }
    }
    List<Tensor> peepholes = new ArrayList<>();
    for (int k = 0; kind == RecurrentKind.LSTM && call.has(7) && k < 3; k++) {
      peepholes.add(call.onTape(7).column(direction).rows(k * units, (k + 1) * units));
    }
    boolean isResetBefore = isGru && !rule.isResetAfter();
    return new EquationCell.Weights(
        wi,
        isResetBefore ? wh.rows(0, 2 * units) : wh,
        isResetBefore ? wh.rows(2 * units, rows) : null,
        b,
        bh,
        List.copyOf(peepholes));
  }

  /** The weights of the direction with contiguous columns. */
  private Tensor turned(int input) {
    return Order.arranged(RecurrentNode.onTape(call, input), 0, 2, 1).time(direction);
  }
}
