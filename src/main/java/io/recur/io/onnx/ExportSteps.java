package io.recur.io.onnx;

import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import io.recur.grad.Parameter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The operations of a step as nodes of ONNX. What does not depend on the state is computed for all
 * steps at once, in the model's graph; the rest stands in the body of a Scan, which reads the
 * former step by step. A step without a state needs no body.
 */
final class ExportSteps {
  /** What a node depends on. */
  private enum Level {
    PARAMETERS,
    INPUT,
    STATE
  }

  /**
   * What the body reads step by step.
   *
   * @param name of one step in the body, [batch, rows]
   * @param value of all steps in the graph, [time, batch, rows]
   */
  record Scanned(String name, String value, int rows) {}

  private final Graph steps;
  private final ExportGraph graph;
  private final ExportConstants constants;

  /** The sizes before the rows: of the values in the graph, and of those in the body. */
  private final ExportSizes sizes;

  private final Level[] levels;
  private final String[] values;

  /** The body, and by node what it reads step by step: the name there. */
  private final ExportGraph body;

  private final Map<Integer, String> scanned = new HashMap<>();
  private final List<Integer> scannedInOrder = new ArrayList<>();

  /**
   * Begins with a step.
   *
   * @param steps what a step does
   * @param graph the model's
   * @param body that of a Scan; the model's graph itself where there is no state
   * @param x the input, [time, batch, rows]
   * @param states the parts of the state in the body, [batch, rows] each
   */
  ExportSteps(
      Graph steps,
      ExportGraph graph,
      ExportGraph body,
      ExportConstants constants,
      ExportSizes sizes,
      String x,
      List<String> states) {
    this.steps = steps;
    this.graph = graph;
    this.body = body;
    this.constants = constants;
    this.sizes = sizes;
    this.levels = new Level[steps.nodes().size()];
    this.values = new String[levels.length];
    Set<Integer> read = read();
    for (int i = 0; i < levels.length; i++) {
      levels[i] = level(steps.node(i));
      if (read.contains(i)) {
        values[i] =
            switch (steps.node(i)) {
              case Node.Input _ -> x;
              case Node.State state -> states.get(state.part());
              case Node node -> write(node, levels[i]);
            };
      }
    }
  }

  /** {@return the nodes that a result depends on} */
  private Set<Integer> read() {
    TreeSet<Integer> read = new TreeSet<>(steps.states());
    read.add(steps.y());
    for (Integer i = read.last(); i != null; i = read.lower(i)) {
      read.addAll(steps.node(i).operands());
    }
    return read;
  }

  private Level level(Node node) {
    Level level =
        switch (node) {
          case Node.Input _ -> Level.INPUT;
          case Node.State _ -> Level.STATE;
          default -> Level.PARAMETERS;
        };
    for (int operand : node.operands()) {
      level = levels[operand].compareTo(level) > 0 ? levels[operand] : level;
    }
    return level;
  }

  // Operations.

  private String write(Node node, Level level) {
    ExportGraph to = level == Level.STATE ? body : graph;
    ExportFunctions functions = new ExportFunctions(to, constants);
    return switch (node) {
      case Node.Vector n -> constants.vector(parameter(n.parameter()));
      case Node.Constant n -> constants.number(n.number());
      case Node.Product n ->
          functions.of(
              "MatMul", operand(n.operand(), level), constants.matrix(parameter(n.parameter())));
      case Node.BandProduct n -> band(functions, n, operand(n.operand(), level));
      case Node.Map n -> functions.map(n.f(), operand(n.a(), level));
      case Node.Affine n -> functions.affine(operand(n.a(), level), n.factor(), n.constant());
      case Node.Combine n -> functions.combine(n.f(), operand(n.a(), level), operand(n.b(), level));
      case Node.Rows n -> functions.rows(operand(n.a(), level), n.from(), n.from() + n.rows());
      case Node.Concat n ->
          functions.concat(n.parts().stream().map(part -> repeated(part, level)).toList());
      case Node.Reduce n -> functions.reduce(n.kind(), operand(n.a(), level));
      case Node.Drop n -> operand(n.a(), level); // a model that runs drops nothing
      case Node.Input _, Node.State _ -> throw new IllegalStateException("onnx: " + node);
    };
  }

  private Parameter parameter(int place) {
    return steps.parameters().get(place);
  }

  /** A diagonal matrix multiplies each row; a wider band is written with its zeros. */
  private String band(ExportFunctions functions, Node.BandProduct node, String operand) {
    Parameter w = parameter(node.parameter());
    int columns = steps.node(node.operand()).rows();
    if (node.bandwidth() > 0) {
      String matrix = constants.band(w, node.bandwidth(), node.rows(), columns);
      return functions.of("MatMul", operand, matrix);
    }
    int blocks = node.rows() / columns;
    List<String> copies = Collections.nCopies(blocks, operand);
    return functions.of(
        "Mul", blocks == 1 ? operand : functions.concat(copies), constants.vector(w));
  }

  /** An operand as a node of this level reads it: in the body, one step of what is outside. */
  private String operand(int node, Level level) {
    return level == Level.STATE && levels[node] == Level.INPUT ? scanned(node) : values[node];
  }

  /** One step of a value that does not depend on the state. */
  private String scanned(int node) {
    return scanned.computeIfAbsent(
        node,
        fresh -> {
          scannedInOrder.add(node);
          return graph.names().numbered("step");
        });
  }

  /** An operand with a value for each column, also where it is computed of parameters alone. */
  private String repeated(int node, Level level) {
    if (levels[node] != Level.PARAMETERS || level == Level.PARAMETERS) {
      return operand(node, level);
    }
    ExportGraph to = level == Level.STATE ? body : graph;
    int rows = steps.node(node).rows();
    String shape = level == Level.STATE ? sizes.ofStep(rows) : sizes.ofSequence(rows);
    return to.node("Expand", List.of(values[node], shape));
  }

  // Results.

  /** {@return whether the output depends on the state, so that a Scan gives it} */
  boolean scansOutput() {
    return levels[steps.y()] == Level.STATE;
  }

  /** {@return the output, [time, batch, rows], where no Scan gives it} */
  String output() {
    return repeated(steps.y(), Level.INPUT);
  }

  /** {@return the output of one step in the body, [batch, rows], where a Scan gives it} */
  String scannedOutput() {
    return values[steps.y()];
  }

  /** {@return a part of the new state in the body, [batch, rows]} */
  String state(int part) {
    return repeated(steps.states().get(part), Level.STATE);
  }

  /** {@return what the body reads step by step} */
  List<Scanned> scans() {
    return scannedInOrder.stream()
        .map(node -> new Scanned(scanned.get(node), values[node], steps.node(node).rows()))
        .toList();
  }
}
