package io.recur.io.onnx;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.StackedCell;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The built-in cells as ONNX's operators RNN, LSTM and GRU. Their weights are row-major, with a
 * dimension for the directions in front, and with gates in another order. Recur's one bias is the
 * first of ONNX's two.
 */
final class ExportOperator {
  /** ONNX's names of the functions that an RNN may have without further settings. */
  private static final Map<Elementwise, String> FUNCTIONS =
      Map.of(Elementwise.TANH, "Tanh", Elementwise.SIGMOID, "Sigmoid", Elementwise.RELU, "Relu");

  /** For each gate of ONNX, in its order, the number of that gate here. */
  private static final List<Integer> RNN = List.of(0);

  private static final List<Integer> LSTM = List.of(0, 3, 1, 2); // input, output, forget, cell
  private static final List<Integer> GRU = List.of(1, 0, 2); // update, reset, candidate

  private final StackedCell cell;
  private final ExportGraph graph;
  private final ExportConstants constants;
  private final ExportSizes sizes;
  private final int units;
  private final List<Parameter> parameters;

  ExportOperator(
      StackedCell cell, ExportGraph graph, ExportConstants constants, ExportSizes sizes) {
    this.cell = cell;
    this.graph = graph;
    this.constants = constants;
    this.sizes = sizes;
    this.units = cell.matrices().get(1).columns();
    this.parameters = cell.parameters();
  }

  /** {@return whether ONNX has an operator for a cell} */
  static boolean fits(Cell cell) {
    if (!(cell instanceof StackedCell stacked)
        || !stacked.matrices().stream().allMatch(Matrix::isDense)) {
      return false;
    }
    return switch (stacked) {
      case RNNCell rnn -> FUNCTIONS.containsKey(rnn.function());
      case LSTMCell _, GRUCell _ -> true;
      case GRUv3Cell v3 -> v3.parameters().get(2).shape().rank() == 2; // Wh̃ is dense, too
    };
  }

  /**
   * Adds the operator.
   *
   * @param x [time, batch, in]
   * @param states before the first step, of 1 or all columns, [columns, units]
   * @param reverse whether it runs from the last step back
   */
  ExportRun run(String x, List<String> states, boolean reverse) {
    List<String> inputs = new ArrayList<>(List.of(x, input(), recurrent(), bias()));
    inputs.add(sizes.hasLengths() ? sizes.lengths32() : "");
    for (String state : states) {
      inputs.add(graph.node("Expand", List.of(state, sizes.ofDirection(units))));
    }
    List<MessageWriter> attributes = new ArrayList<>();
    attributes.add(ExportAttribute.of("hidden_size", (long) units));
    attributes.add(ExportAttribute.of("direction", reverse ? "reverse" : "forward"));
    if (cell instanceof RNNCell rnn) {
      attributes.add(ExportAttribute.texts("activations", List.of(FUNCTIONS.get(rnn.function()))));
    }
    if (isGru()) {
      long resetsProduct = cell instanceof GRUCell ? 1 : 0;
      attributes.add(ExportAttribute.of("linear_before_reset", resetsProduct));
    }
    List<String> results =
        graph.node(operator(), 1 + states.size(), inputs, attributes.toArray(MessageWriter[]::new));
    String y = graph.node("Squeeze", List.of(results.getFirst(), constants.integers(1)));
    List<String> after = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      String last = graph.node("Squeeze", List.of(results.get(1 + i), constants.integers(0)));
      after.add(kept(last, states.get(i)));
    }
    return new ExportRun(y, units, after);
  }

  /** An empty sequence keeps its state: the operators say nothing of it. */
  private String kept(String after, String before) {
    return sizes.hasLengths() ? graph.node("Where", List.of(sizes.empty(), before, after)) : after;
  }

  private String operator() {
    return cell instanceof RNNCell ? "RNN" : cell instanceof LSTMCell ? "LSTM" : "GRU";
  }

  private boolean isGru() {
    return cell instanceof GRUCell || cell instanceof GRUv3Cell;
  }

  private List<Integer> order() {
    return cell instanceof RNNCell ? RNN : cell instanceof LSTMCell ? LSTM : GRU;
  }

  // Weights.

  private String input() {
    Parameter w = parameters.get(0);
    int gates = order().size();
    int in = w.shape().columns();
    return constants.weight(
        w, operator() + " W", () -> rows(ExportConstants.values(w), gates), 1, gates * units, in);
  }

  private String recurrent() {
    Parameter w = parameters.get(1);
    int gates = order().size();
    if (cell instanceof GRUv3Cell) {
      Parameter candidate = parameters.get(2);
      String form = "GRU R with " + constants.nameOf(candidate);
      return constants.weight(w, form, () -> recurrent(w, candidate), 1, gates * units, units);
    }
    return constants.weight(
        w,
        operator() + " R",
        () -> rows(ExportConstants.values(w), gates),
        1,
        gates * units,
        units);
  }

  /** Of the third version of the GRU: the candidate's matrix below those of both gates. */
  private float[] recurrent(Parameter w, Parameter candidate) {
    float[] both = ExportConstants.values(w);
    float[] third = ExportConstants.values(candidate);
    float[] all = new float[both.length + third.length];
    for (int column = 0; column < units; column++) {
      System.arraycopy(both, column * 2 * units, all, column * 3 * units, 2 * units);
      System.arraycopy(third, column * units, all, column * 3 * units + 2 * units, units);
    }
    return rows(all, 3);
  }

  private String bias() {
    int states = cell.state0().size();
    Parameter b = parameters.get(parameters.size() - states - 1);
    boolean hasSecond = !(cell instanceof GRUv3Cell) && parameters.size() - states == 4;
    Parameter bh = hasSecond ? parameters.get(2) : null; // Wi Wh bh b, then the states
    String form = operator() + " B" + (bh == null ? "" : " with " + constants.nameOf(bh));
    return constants.weight(b, form, () -> biases(b, bh), 1, 2L * order().size() * units);
  }

  private float[] biases(Parameter b, @Nullable Parameter bh) {
    int gates = order().size();
    float[] both = new float[2 * gates * units];
    float[] first = rows(ExportConstants.values(b), gates);
    System.arraycopy(first, 0, both, 0, first.length);
    if (bh != null) {
      float[] values = ExportConstants.values(bh);
      float[] second = values.length == first.length ? rows(values, gates) : values;
      System.arraycopy(second, 0, both, both.length - second.length, second.length);
    }
    return both;
  }

  /** Column-major gates, row-major and in ONNX's order. */
  private float[] rows(float[] values, int gates) {
    int rows = gates * units;
    int columns = values.length / rows;
    float[] ordered = new float[values.length];
    for (int row = 0; row < rows; row++) {
      int from = order().get(row / units) * units + row % units;
      for (int column = 0; column < columns; column++) {
        ordered[row * columns + column] = values[column * rows + from];
      }
    }
    return ordered;
  }
}
