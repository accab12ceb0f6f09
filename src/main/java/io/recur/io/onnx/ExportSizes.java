package io.recur.io.onnx;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sizes and lengths that are known when the model runs: values of its graph, each computed once.
 * Those of steps belong to a value that has them: a convolution changes their number.
 */
final class ExportSizes {
  /** A length that none exceeds: what no caller gives is as long as the input. */
  static final long WHOLE = Integer.MAX_VALUE;

  private static final String INPUT = "x";
  private static final long TIME = 0;
  private static final long BATCH = 1;
  private static final long FEATURES = 2;

  private final ExportGraph graph;
  private final ExportConstants constants;
  private final Map<String, String> known = new HashMap<>();

  /** The value with the present steps. */
  private String x = INPUT;

  /** The input that holds the lengths; none where every sequence has all steps. */
  private @Nullable String lengths;

  ExportSizes(ExportGraph graph, ExportConstants constants, @Nullable String lengths) {
    this.graph = graph;
    this.constants = constants;
    this.lengths = lengths;
  }

  /** Takes the steps of this value of the graph. */
  void follow(String value) {
    x = value;
  }

  /** Takes one step in place of sequences: nothing has a length any more. */
  void endLengths() {
    lengths = null;
  }

  private String once(String key, Supplier<String> make) {
    String value = known.get(key);
    if (value == null) {
      value = make.get();
      known.put(key, value);
    }
    return value;
  }

  private String size(String of, long from, long to) {
    return graph.node(
        "Shape", List.of(of), ExportAttribute.of("start", from), ExportAttribute.of("end", to));
  }

  /** {@return the number of sequences, [1]} */
  String batch() {
    return once("batch", () -> size(INPUT, BATCH, FEATURES));
  }

  /** {@return the number of steps, [1]} */
  String time() {
    return once(x + " time", () -> size(x, TIME, BATCH));
  }

  /** {@return the shape batch, rows} */
  String ofStep(int rows) {
    return once("batch " + rows, () -> joined(batch(), constants.integers(rows)));
  }

  /** {@return the shape 1, batch, rows} */
  String ofDirection(int rows) {
    return once(
        "batch 1 " + rows, () -> joined(constants.integers(1), batch(), constants.integers(rows)));
  }

  /** {@return the shape time, batch, rows} */
  String ofSequence(int rows) {
    return once(x + " time " + rows, () -> joined(time(), batch(), constants.integers(rows)));
  }

  private String joined(String... sizes) {
    return graph.node("Concat", List.of(sizes), ExportAttribute.of("axis", 0L));
  }

  // Lengths.

  boolean hasLengths() {
    return lengths != null;
  }

  /** {@return the steps of each sequence, at most those of x: integers of 64 bits, [batch]} */
  String lengths() {
    return once(
        x + " lengths",
        () -> {
          String most = graph.node("Min", List.of(lengths, time()));
          return graph.node("Expand", List.of(most, batch()));
        });
  }

  /** {@return the same of 32 bits, as the recurrent operators ask for} */
  String lengths32() {
    return once(
        x + " lengths of 32 bits",
        () ->
            graph.node(
                "Cast", List.of(lengths()), ExportAttribute.of("to", (long) ExportGraph.INT32)));
  }

  /** {@return the number of each step from 0, [time, 1]} */
  private String steps() {
    return once(
        x + " steps",
        () -> {
          String end = graph.node("Squeeze", List.of(time(), constants.integers(0)));
          String range =
              graph.node("Range", List.of(constants.integer(0), end, constants.integer(1)));
          return graph.node("Unsqueeze", List.of(range, constants.integers(1)));
        });
  }

  /** {@return whether a step belongs to its sequence, [time, batch, 1]} */
  String mask() {
    return once(
        x + " mask",
        () -> {
          String row = graph.node("Unsqueeze", List.of(lengths(), constants.integers(0)));
          String within = graph.node("Less", List.of(steps(), row));
          return graph.node("Unsqueeze", List.of(within, constants.integers(FEATURES)));
        });
  }

  /** {@return whether a step is the last of its sequence, [time, batch, 1]} */
  String lastMask() {
    return once(
        x + " last",
        () -> {
          String last = graph.node("Sub", List.of(lengths(), constants.integers(1)));
          String row = graph.node("Unsqueeze", List.of(last, constants.integers(0)));
          String isLast = graph.node("Equal", List.of(steps(), row));
          return graph.node("Unsqueeze", List.of(isLast, constants.integers(FEATURES)));
        });
  }

  /** {@return whether a sequence is empty, [batch, 1]} */
  String empty() {
    return once(
        x + " empty",
        () -> {
          String isEmpty = graph.node("Less", List.of(lengths(), constants.integers(1)));
          return graph.node("Unsqueeze", List.of(isEmpty, constants.integers(1)));
        });
  }

  /** {@return the steps of each sequence for a mean, at least 1, [batch, 1]} */
  String counts() {
    String counted = graph.node("Max", List.of(lengths(), constants.integers(1)));
    String real =
        graph.node("Cast", List.of(counted), ExportAttribute.of("to", (long) ExportGraph.FLOAT));
    return graph.node("Unsqueeze", List.of(real, constants.integers(1)));
  }

  /** {@return a value with another number in place of what no sequence has} */
  String masked(String value, float otherwise) {
    return hasLengths()
        ? graph.node("Where", List.of(mask(), value, constants.number(otherwise)))
        : value;
  }
}
