package io.recur.io.onnx;

import java.util.List;

/** What becomes of a sequence's steps when one step stands for all: [1, batch, rows]. */
enum ExportPool {
  /** Its last step. */
  LAST,
  /** Their mean. */
  MEAN,
  /** Their largest values. */
  MAX;

  private static final long TIME = 0;

  /** Adds the nodes; an empty sequence gives zeros. */
  String of(String x, ExportGraph graph, ExportConstants constants, ExportSizes sizes) {
    ExportFunctions functions = new ExportFunctions(graph, constants);
    return sizes.hasLengths()
        ? withLengths(x, functions, constants, sizes)
        : switch (this) {
          case LAST ->
              functions.of(
                  "Slice",
                  x,
                  constants.integers(-1),
                  constants.integers(Long.MAX_VALUE),
                  constants.integers(TIME));
          case MEAN -> functions.overAxis("ReduceMean", x, TIME);
          case MAX -> functions.overAxis("ReduceMax", x, TIME);
        };
  }

  private String withLengths(
      String x, ExportFunctions functions, ExportConstants constants, ExportSizes sizes) {
    String zero = constants.number(0);
    return switch (this) {
      case LAST -> sum(functions.of("Where", sizes.lastMask(), x, zero), functions, constants);
      case MEAN ->
          functions.of("Div", sum(sizes.masked(x, 0), functions, constants), sizes.counts());
      case MAX -> {
        String valid = sizes.masked(x, Float.NEGATIVE_INFINITY);
        String largest = functions.overAxis("ReduceMax", valid, TIME);
        yield functions.of("Where", sizes.empty(), zero, largest);
      }
    };
  }

  private static String sum(String x, ExportFunctions functions, ExportConstants constants) {
    return functions.of("ReduceSum", x, constants.integers(TIME));
  }

  /** Adds the nodes and makes [batch, rows] of one step. */
  static String squeezed(String x, ExportGraph graph, ExportConstants constants) {
    return graph.node("Squeeze", List.of(x, constants.integers(TIME)));
  }
}
