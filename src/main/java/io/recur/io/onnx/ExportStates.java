package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The states of a model: inputs of its graph, each with {@code state0} as its default, and outputs.
 * The name of an input is that of the parameter {@code state0}; the output has {@code .next}
 * behind.
 */
final class ExportStates {
  private static final String NEXT = ".next";

  private final ExportGraph graph;
  private final ExportConstants constants;

  /** The present values, first those of the inputs, then what the layers give. */
  private final Map<Recur, List<String>> now = new IdentityHashMap<>();

  /** The inputs with the rows of each, and the values that become the outputs. */
  private final Map<String, Integer> inputs = new LinkedHashMap<>();

  private final Map<String, String> outputs = new LinkedHashMap<>();
  private final Map<Recur, List<String>> names = new IdentityHashMap<>();

  ExportStates(ExportGraph graph, ExportConstants constants) {
    this.graph = graph;
    this.constants = constants;
  }

  /**
   * The state before a Recur runs: that of the input, or that after its last run where it occurs
   * several times.
   *
   * @return per part [batch, rows], or [1, rows] for all sequences
   */
  List<String> of(Recur recur) {
    List<String> known = now.get(recur);
    if (known != null) {
      return known;
    }
    List<String> its = new ArrayList<>();
    for (Parameter part : recur.cell().state0()) {
      String name = graph.names().unique(nameOf(recur, part));
      graph.input(name, ExportGraph.FLOAT, "batch", part.shape().rows());
      if (recur.own().contains(part)) {
        constants.defaultOf(name, part);
      }
      inputs.put(name, part.shape().rows());
      its.add(name);
    }
    names.put(recur, its);
    return its;
  }

  /** The name of a part that is none of the parameters has the number of the layer in front. */
  private String nameOf(Recur recur, Parameter part) {
    String first = recur.cell().parameters().stream().findFirst().map(constants::nameOf).orElse("");
    int dot = first.indexOf('.');
    return recur.own().contains(part) || dot < 0
        ? constants.nameOf(part)
        : first.substring(0, dot + 1) + part.name();
  }

  /** {@return the initial state of a Recur that begins each call from there} */
  List<String> initial(Recur recur) {
    return recur.cell().state0().stream().map(constants::state).toList();
  }

  /** Takes the state after a Recur has run. */
  void after(Recur recur, List<String> states) {
    now.put(recur, states);
    List<String> its = names.get(recur);
    for (int i = 0; i < its.size(); i++) {
      outputs.put(its.get(i), states.get(i));
    }
  }

  /** Declares the outputs. */
  void addOutputs() {
    outputs.forEach(
        (input, value) -> {
          String name = graph.names().unique(input + NEXT);
          graph.rename(value, name);
          graph.output(name, ExportGraph.FLOAT, "batch", inputs.get(input));
        });
  }
}
