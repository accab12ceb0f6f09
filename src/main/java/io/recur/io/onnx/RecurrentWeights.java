package io.recur.io.onnx;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.RecurrentKind;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes the cell of one direction of a recurrent node whose weights are constant: W is {@code
 * [directions, gates·units, in]}, R {@code [directions, gates·units, units]}, B {@code [directions,
 * 2·gates·units]} and P {@code [directions, 3·units]}, rows contiguous; the parameters have
 * contiguous columns.
 *
 * @param setup the node
 * @param direction its number
 * @param rule what it computes
 */
record RecurrentWeights(Setup setup, int direction, EquationCell.Rule rule) {
  private static final int W = 1;
  private static final int R = 2;
  private static final int B = 3;
  private static final int P = 7;

  /** The inputs that are weights. */
  static int[] inputs(RecurrentKind kind) {
    return kind == RecurrentKind.LSTM ? new int[] {W, R, B, P} : new int[] {W, R, B};
  }

  /** Refuses weights of other sizes. */
  static void check(
      Node node, RecurrentKind kind, int input, Dims found, int directions, int units) {
    int rows = kind.gates() * units;
    Dims wanted =
        switch (input) {
          case W -> Dims.of(directions, rows, found.rank() == 3 ? found.size(2) : 1);
          case R -> Dims.of(directions, rows, units);
          case B -> Dims.of(directions, 2 * rows);
          default -> Dims.of(directions, 3 * units);
        };
    if (!found.equals(wanted) || found.count() == 0) {
      throw node.refuse(
          "%s=%s; need %s: %d direction(s), hidden_size %d"
              .formatted(
                  List.of("X", "W", "R", "B", "", "", "", "P").get(input),
                  found,
                  wanted,
                  directions,
                  units));
    }
  }

  /**
   * The cell: a built-in one where that computes the same.
   *
   * @param state0 units × 1 each
   */
  Cell cell(List<Parameter> state0) {
    Cell fast =
        hasPeepholes() || rule.isCoupled() || rule.clip() < Float.POSITIVE_INFINITY
            ? null
            : builtIn(state0);
    return fast != null ? fast : new EquationCell(rule, weights(), state0);
  }

  private boolean hasPeepholes() {
    return setup.node().hasInput(P) && rule.kind() == RecurrentKind.LSTM;
  }

  private @Nullable Cell builtIn(List<Parameter> state0) {
    int[] inputForgetCellOutput = {0, 2, 3, 1}; // of i o f c
    List<Elementwise> functions = new ArrayList<>();
    rule.functions().forEach(function -> functions.add(function.table()));
    boolean isUsual =
        functions.equals(
            rule.kind() == RecurrentKind.LSTM
                ? List.of(Elementwise.SIGMOID, Elementwise.TANH, Elementwise.TANH)
                : List.of(Elementwise.SIGMOID, Elementwise.TANH));
    return switch (rule.kind()) {
      case RNN -> {
        Elementwise function = functions.getFirst();
        yield function == null
            ? null
            : new RNNCell(function, matrix(W, 0), matrix(R, 0), sums(), state0.getFirst());
      }
      case LSTM ->
          isUsual
              ? new LSTMCell(
                  matrix(W, inputForgetCellOutput),
                  matrix(R, inputForgetCellOutput),
                  sums(inputForgetCellOutput),
                  state0.getFirst(),
                  state0.getLast())
              : null;
      case GRU -> isUsual ? gru(state0.getFirst()) : null;
    };
  }

  private Cell gru(Parameter state0) {
    int[] resetUpdateCandidate = {1, 0, 2}; // of z r h
    if (rule.isResetAfter()) {
      return new GRUCell(
          matrix(W, resetUpdateCandidate),
          matrix(R, resetUpdateCandidate),
          biasOfResetAfter(resetUpdateCandidate),
          candidateBias(),
          state0);
    }
    return new GRUv3Cell(
        matrix(W, resetUpdateCandidate),
        matrix(R, 1, 0),
        matrix(R, 2),
        sums(resetUpdateCandidate),
        state0);
  }

  /** The weights in ONNX's order. */
  private EquationCell.Weights weights() {
    int[] all = new int[rule.kind().gates()];
    Arrays.setAll(all, i -> i);
    boolean isGru = rule.kind() == RecurrentKind.GRU;
    boolean isResetBefore = isGru && !rule.isResetAfter();
    Parameter wh = isResetBefore ? rows(R, 0, 1) : rows(R, all);
    Parameter candidate = isResetBefore ? rows(R, 2) : null;
    List<Tensor> peepholes = new ArrayList<>();
    for (int k = 0; hasPeepholes() && k < 3; k++) {
      float[] values = values(P, (3 * direction + k) * rule.units(), rule.units());
      peepholes.add(setup.weight(P, Shape.of(rule.units()), values));
    }
    return new EquationCell.Weights(
        rows(W, all),
        wh,
        candidate,
        isGru && rule.isResetAfter() ? biasOfResetAfter(all) : sums(all),
        isGru && rule.isResetAfter() ? candidateBias() : null,
        List.copyOf(peepholes));
  }

  // The parts.

  private Matrix matrix(int input, int... gates) {
    return Matrix.dense(rows(input, gates));
  }

  /** Blocks of rows of W or R, one per gate. */
  private Parameter rows(int input, int... gates) {
    Value.Reals stacked = setup.constantReals(input);
    int columns = stacked.dims().size(2);
    int units = rule.units();
    int rows = gates.length * units;
    float[] from = stacked.values();
    int base = direction * rule.kind().gates() * units * columns;
    float[] values = new float[rows * columns];
    for (int g = 0; g < gates.length; g++) {
      for (int i = 0; i < units; i++) {
        int at = base + (gates[g] * units + i) * columns;
        for (int j = 0; j < columns; j++) {
          values[j * rows + g * units + i] = from[at + j];
        }
      }
    }
    return setup.weight(input, Shape.of(rows, columns), values);
  }

  /** Both biases added up, blocks in this order; in ONNX's order without one. */
  private Parameter sums(int... order) {
    int units = rule.units();
    int rows = rule.kind().gates() * units;
    if (!setup.node().hasInput(B)) {
      return Parameter.fixed(Shape.of(rows), (values, random) -> {}).named("b");
    }
    float[] both = values(B, 2 * direction * rows, 2 * rows);
    float[] values = new float[rows];
    for (int i = 0; i < rows; i++) {
      int from = (order.length == 0 ? i / units : order[i / units]) * units + i % units;
      values[i] = both[from] + both[rows + from];
    }
    return setup.weight(B, Shape.of(rows), values);
  }

  /** The biases of a GRU that resets after the product: of its candidate that of W alone. */
  private Parameter biasOfResetAfter(int... order) {
    int units = rule.units();
    if (!setup.node().hasInput(B)) {
      return sums();
    }
    float[] both = values(B, 6 * direction * units, 6 * units);
    float[] values = new float[3 * units];
    for (int i = 0; i < values.length; i++) {
      int from = order[i / units] * units + i % units;
      values[i] = both[from] + (order[i / units] == 2 ? 0 : both[3 * units + from]);
    }
    return setup.weight(B, Shape.of(3 * units), values);
  }

  private @Nullable Parameter candidateBias() {
    int units = rule.units();
    return setup.node().hasInput(B)
        ? setup.weight(B, Shape.of(units), values(B, (6 * direction + 5) * units, units))
        : null;
  }

  private float[] values(int input, int from, int count) {
    return Arrays.copyOfRange(setup.constantReals(input).values(), from, from + count);
  }
}
