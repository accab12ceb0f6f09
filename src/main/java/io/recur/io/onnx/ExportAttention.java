package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.nn.Attention;
import java.util.List;

/** Attention of each step over all steps of its sequence. Within, values begin with the batch. */
final class ExportAttention {
  private final ExportGraph graph;
  private final ExportConstants constants;
  private final ExportSizes sizes;
  private final ExportFunctions functions;

  ExportAttention(ExportGraph graph, ExportConstants constants, ExportSizes sizes) {
    this.graph = graph;
    this.constants = constants;
    this.sizes = sizes;
    this.functions = new ExportFunctions(graph, constants);
  }

  /** Adds the layer to x, [time, batch, rows], and returns its output of the same shape. */
  String of(Attention attention, String x) {
    List<Parameter> weights = attention.own();
    if (weights.stream().anyMatch(w -> w.shape().rank() < 2)) {
      throw ExportLayers.refused(attention, "its matrices must be dense");
    }
    String steps = transposed(x, 1, 0, 2);
    String scores =
        switch (weights.size()) {
          case 0 -> products(steps, steps);
          case 1 -> products(steps, times(weights.getFirst(), steps));
          default -> sums(weights, steps);
        };
    String context =
        functions.of(
            "MatMul",
            graph.node("Softmax", List.of(valid(scores)), ExportAttribute.of("axis", -1L)),
            steps);
    return sizes.masked(transposed(context, 1, 0, 2), 0);
  }

  /** qᵀ·k for all pairs of steps, [batch, time of q, time of k]. */
  private String products(String queries, String keys) {
    return functions.of("MatMul", queries, transposed(keys, 0, 2, 1));
  }

  /** v·tanh(Wq·q + Wm·m) for all pairs of steps. */
  private String sums(List<Parameter> weights, String steps) {
    String queries = functions.of("Unsqueeze", times(weights.get(0), steps), constants.integers(2));
    String keys = functions.of("Unsqueeze", times(weights.get(1), steps), constants.integers(1));
    String sums = functions.of("Tanh", functions.of("Add", queries, keys));
    return functions.of("Squeeze", times(weights.get(2), sums), constants.integers(-1));
  }

  private String times(Parameter w, String steps) {
    return functions.of("MatMul", steps, constants.matrix(w));
  }

  /** Leaves out the steps behind the end of a sequence. */
  private String valid(String scores) {
    if (!sizes.hasLengths()) {
      return scores;
    }
    String keys = transposed(sizes.mask(), 1, 2, 0);
    return functions.of("Where", keys, scores, constants.number(Float.NEGATIVE_INFINITY));
  }

  private String transposed(String x, long... order) {
    return graph.node("Transpose", List.of(x), ExportAttribute.integers("perm", order));
  }
}
