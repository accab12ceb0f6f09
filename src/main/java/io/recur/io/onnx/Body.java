package io.recur.io.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A graph, or the subgraph of a node, that is ready to run: each node is prepared, each name is a
 * number, and what is constant is known. It is not changed by a run.
 *
 * @param graph as the file has it
 * @param ports what the caller gives
 * @param inputs their numbers
 * @param outputs where the results are
 * @param constants by number, null where a node computes the value
 * @param steps the nodes in order
 */
record Body(
    Graph graph,
    List<Port> ports,
    List<Integer> inputs,
    List<Scope.Place> outputs,
    @Nullable Value[] constants,
    List<Step> steps) {
  /**
   * A node that is ready to run.
   *
   * @param node as the file has it
   * @param inputs where its inputs are; null for one that is left out
   * @param outputs their numbers; −1 for one without a name
   * @param evaluation runs it
   */
  record Step(
      Node node, Scope.@Nullable Place[] inputs, int[] outputs, Operator.Evaluation evaluation) {}

  /**
   * Runs all nodes.
   *
   * @param execution the run of the model
   * @param outer the values of the graph around, or null
   * @param given the inputs, as many as there are
   * @return the outputs
   */
  List<Value> run(Execution execution, @Nullable Scope outer, List<Value> given) {
    if (given.size() != inputs.size()) {
      throw new IllegalArgumentException(
          "onnx: graph %s: %d inputs are given; need %d"
              .formatted(Wire.shown(graph.name()), given.size(), inputs.size()));
    }
    Scope scope = new Scope(constants.clone(), outer);
    for (int i = 0; i < given.size(); i++) {
      scope.values()[inputs.get(i)] = given.get(i);
    }
    for (int i = 0; i < steps.size(); i++) {
      run(execution, scope, steps.get(i));
    }
    List<Value> results = new ArrayList<>(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      results.add(scope.at(outputs.get(i)));
    }
    return results;
  }

  private static void run(Execution execution, Scope scope, Step step) {
    Value[] values = new Value[step.inputs.length];
    for (int i = 0; i < values.length; i++) {
      Scope.Place place = step.inputs[i];
      values[i] = place == null ? null : scope.at(place);
    }
    List<Value> results =
        evaluate(step.node, step.evaluation, new Call(step.node, execution, scope, values));
    for (int i = 0; i < step.outputs.length; i++) {
      if (step.outputs[i] >= 0) {
        scope.values()[step.outputs[i]] = results.get(i);
      }
    }
  }

  /** Runs a node; an error names it. */
  static List<Value> evaluate(Node node, Operator.Evaluation evaluation, Call call) {
    try {
      List<Value> results = evaluation.run(call);
      if (results.size() < node.outputs().size()) {
        throw node.refuse(
            "%d outputs are named; it has %d".formatted(node.outputs().size(), results.size()));
      }
      return results;
    } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
      throw named(node, e);
    }
  }

  /** The same error with the node's name, once. */
  static RuntimeException named(Node node, RuntimeException e) {
    return String.valueOf(e.getMessage()).startsWith("onnx: node ") ? e : node.refuse(e);
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return "Body(%s, %d nodes, %s)"
        .formatted(graph.name(), steps.size(), Arrays.toString(inputs.toArray()));
  }
}
