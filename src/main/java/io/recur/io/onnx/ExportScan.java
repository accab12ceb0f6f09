package io.recur.io.onnx;

import io.recur.grad.Graph;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The steps of any cell as ONNX's operator Scan, whose body is one step. */
final class ExportScan {
  private static final long REVERSE = 1;
  private static final String BATCH = "batch";

  private final Graph steps;
  private final List<Integer> stateRows;
  private final ExportGraph graph;
  private final ExportConstants constants;
  private final ExportSizes sizes;

  /**
   * Begins with a step.
   *
   * @param steps what a step does
   * @param stateRows of each part of the state
   */
  ExportScan(
      Graph steps,
      List<Integer> stateRows,
      ExportGraph graph,
      ExportConstants constants,
      ExportSizes sizes) {
    this.steps = steps;
    this.stateRows = stateRows;
    this.graph = graph;
    this.constants = constants;
    this.sizes = sizes;
  }

  /**
   * Adds the operator.
   *
   * @param x [time, batch, in]
   * @param states before the first step, of 1 or all columns, [columns, rows]
   * @param reverse whether it runs from the last step back
   */
  ExportRun run(String x, List<String> states, boolean reverse) {
    boolean turns = reverse && sizes.hasLengths(); // each sequence from its own last step
    String input = turns ? reversed(x) : x;
    ExportNames names = graph.names();
    ExportGraph body = new ExportGraph(names.numbered("body"), names);
    List<String> before = states.stream().map(state -> names.numbered("state")).toList();
    ExportSteps step = new ExportSteps(steps, graph, body, constants, sizes, input, before);
    String mask = names.numbered("valid");
    List<String> outputs = outputs(body, step, before, mask);
    List<String> inputs = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      inputs.add(graph.node("Expand", List.of(states.get(i), sizes.ofStep(stateRows.get(i)))));
      body.input(before.get(i), ExportGraph.FLOAT, BATCH, stateRows.get(i));
    }
    int scans = addScans(body, step, mask, input, inputs);
    int rows = steps.node(steps.y()).rows();
    for (int i = 0; i < outputs.size(); i++) {
      int its = i < states.size() ? stateRows.get(i) : rows;
      body.output(outputs.get(i), ExportGraph.FLOAT, BATCH, its);
    }
    List<String> results = scan(body, inputs, outputs.size(), scans, reverse && !turns);
    String y = step.scansOutput() ? results.getLast() : step.output();
    return new ExportRun(turns ? reversed(y) : y, rows, results.subList(0, states.size()));
  }

  private List<String> scan(
      ExportGraph body, List<String> inputs, int outputs, int scans, boolean reverse) {
    List<MessageWriter> attributes = new ArrayList<>();
    attributes.add(ExportAttribute.of("body", body.message()));
    attributes.add(ExportAttribute.of("num_scan_inputs", (long) scans));
    if (reverse) {
      attributes.add(directions("scan_input_directions", scans));
      if (outputs > stateRows.size()) {
        attributes.add(directions("scan_output_directions", outputs - stateRows.size()));
      }
    }
    return graph.node("Scan", outputs, inputs, attributes.toArray(MessageWriter[]::new));
  }

  private static MessageWriter directions(String name, int count) {
    long[] directions = Collections.nCopies(count, REVERSE).stream().mapToLong(d -> d).toArray();
    return ExportAttribute.integers(name, directions);
  }

  /** The new state, then the output where it depends on the state: each with its own name. */
  private List<String> outputs(
      ExportGraph body, ExportSteps step, List<String> before, String mask) {
    List<String> outputs = new ArrayList<>();
    for (int i = 0; i < before.size(); i++) {
      String after = step.state(i);
      outputs.add(
          body.node(
              sizes.hasLengths() ? "Where" : "Identity",
              sizes.hasLengths() ? List.of(mask, after, before.get(i)) : List.of(after)));
    }
    if (step.scansOutput()) {
      outputs.add(body.node("Identity", List.of(step.scannedOutput())));
    }
    return outputs;
  }

  /** Adds what the body reads step by step, and returns its number: at least 1. */
  private int addScans(
      ExportGraph body, ExportSteps step, String mask, String x, List<String> inputs) {
    int before = inputs.size();
    for (ExportSteps.Scanned scan : step.scans()) {
      body.input(scan.name(), ExportGraph.FLOAT, BATCH, scan.rows());
      inputs.add(scan.value());
    }
    if (sizes.hasLengths()) {
      body.input(mask, ExportGraph.BOOL, BATCH, 1);
      inputs.add(sizes.mask());
    }
    if (inputs.size() == before) { // its number of steps is that of the scan
      int rows = steps.node(0).rows(); // the first node is the input
      body.input(graph.names().numbered("step"), ExportGraph.FLOAT, BATCH, rows);
      inputs.add(x);
    }
    return inputs.size() - before;
  }

  /** Each sequence from its last step to its first; what stands behind its end stays there. */
  private String reversed(String value) {
    return graph.node(
        "ReverseSequence",
        List.of(value, sizes.lengths()),
        ExportAttribute.of("time_axis", 0L),
        ExportAttribute.of("batch_axis", 1L));
  }
}
