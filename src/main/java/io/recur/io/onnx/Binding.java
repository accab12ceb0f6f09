package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a graph ready to run: gives its names numbers, prepares its nodes in order, and computes
 * those whose inputs are all constant.
 */
final class Binding {
  /** Subgraphs inside each other. */
  private static final int DEPTH = 16;

  private final Graph graph;
  private final @Nullable Binding outer;
  private final boolean repeated;
  private final Parts parts;
  private final int depth;
  private final Map<String, Value> fixed;
  private final Set<String> given;
  private final Map<String, Integer> numbers = new HashMap<>();

  /** By number; null where a node computes the value, or a caller gives it. */
  private final List<@Nullable Constant> constants = new ArrayList<>();

  private final List<Body.Step> steps = new ArrayList<>();
  private final Map<Body.Step, Setup> setups = new IdentityHashMap<>();

  /** What nodes compute that is one number everywhere, whatever the sizes, such as zeros. */
  private final Map<String, Float> uniform = new HashMap<>();

  /** The values that subgraphs read. */
  private final BitSet captured = new BitSet();

  /** A value that is known when the model is read. */
  private static final class Constant {
    final Value value;

    /** Whether it comes from an initialiser, and is trained. */
    final boolean isWeight;

    /** What a run reads in place of floats, once a node needs it. */
    Value.@Nullable OnTape parameter;

    Constant(Value value, boolean isWeight) {
      this.value = value;
      this.isWeight = isWeight && value.dims().rank() > 0;
    }
  }

  /**
   * The binding of a model's graph.
   *
   * @param fixed inputs that are constant
   * @param given inputs that a caller gives although they have an initialiser
   */
  Binding(Graph graph, Map<String, Value> fixed, Set<String> given, Parts parts) {
    this(graph, fixed, given, null, false, parts, 0);
  }

  /** The binding of a subgraph. */
  Binding(Graph graph, Binding outer, boolean repeated) {
    this(
        graph, Map.of(), Set.of(), outer, outer.repeated || repeated, outer.parts, outer.depth + 1);
  }

  private Binding(
      Graph graph,
      Map<String, Value> fixed,
      Set<String> given,
      @Nullable Binding outer,
      boolean repeated,
      Parts parts,
      int depth) {
    if (depth > DEPTH) {
      throw new IllegalArgumentException(
          "onnx: graph %s: %d subgraphs inside each other; at most %d"
              .formatted(Wire.shown(graph.name()), depth, DEPTH));
    }
    this.graph = graph;
    this.fixed = fixed;
    this.given = given;
    this.outer = outer;
    this.repeated = repeated;
    this.parts = parts;
    this.depth = depth;
  }

  Parts parts() {
    return parts;
  }

  boolean isRepeated() {
    return repeated;
  }

  /** Prepares all nodes. */
  Body body() {
    graph.initialisers().forEach(this::initialise);
    fixed.forEach((name, value) -> define(name, new Constant(value, false)));
    List<Port> ports = new ArrayList<>();
    List<Integer> inputs = new ArrayList<>();
    for (Port input : graph.inputs()) {
      boolean isInitialised = graph.initialisers().containsKey(input.name());
      if (!fixed.containsKey(input.name()) && (!isInitialised || given.contains(input.name()))) {
        ports.add(input);
        inputs.add(define(input.name(), null));
      }
    }
    graph.nodes().forEach(this::prepare);
    List<Scope.Place> outputs = new ArrayList<>();
    for (Port output : graph.outputs()) {
      Scope.Place place = place(output.name(), 0);
      if (place == null) {
        throw new IllegalArgumentException(
            "onnx: graph %s: output %s is no value of it"
                .formatted(Wire.shown(graph.name()), Wire.shown(output.name())));
      }
      outputs.add(place);
      read(output.name());
    }
    List<Body.Step> needed = needed(outputs);
    Value[] known = new Value[constants.size()];
    for (int i = 0; i < known.length; i++) {
      Constant constant = constants.get(i);
      if (constant != null) {
        known[i] = constant.parameter != null ? constant.parameter : constant.value;
      }
    }
    return new Body(
        graph, List.copyOf(ports), List.copyOf(inputs), List.copyOf(outputs), known, needed);
  }

  private void initialise(String name, Value value) {
    if (!given.contains(name) && !fixed.containsKey(name)) {
      define(name, new Constant(value, true));
    }
  }

  private int define(String name, @Nullable Constant constant) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException(
          "onnx: graph %s: a value without a name".formatted(Wire.shown(graph.name())));
    }
    if (numbers.putIfAbsent(name, constants.size()) != null) {
      throw new IllegalArgumentException(
          "onnx: graph %s: value %s is there twice; need one"
              .formatted(Wire.shown(graph.name()), Wire.shown(name)));
    }
    constants.add(constant);
    return constants.size() - 1;
  }

  private void prepare(Node node) {
    Operator operator = Operators.of(node);
    Scope.@Nullable Place[] inputs = new Scope.Place[node.inputs().size()];
    for (int i = 0; i < inputs.length; i++) {
      String name = node.inputs().get(i);
      inputs[i] = name.isEmpty() ? null : place(name, 0);
      if (inputs[i] == null && !name.isEmpty()) {
        throw node.refuse(
            "input %s is no value above this node; the nodes must be in order"
                .formatted(Wire.shown(name)));
      }
      read(name);
    }
    Setup setup = new Setup(node, this);
    Operator.Evaluation evaluation;
    try {
      evaluation = operator.preparation().of(setup);
    } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
      throw Body.named(node, e);
    }
    if (operator.folds() && setup.isFree() && isFolded(node, evaluation)) {
      return;
    }
    noteUniform(node);
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i] != null && setup.isClaimed(i) && find(node.inputs().get(i)) == null) {
        inputs[i] = null; // the node has read that it is uniform
      }
    }
    int[] outputs = new int[node.outputs().size()];
    for (int i = 0; i < outputs.length; i++) {
      outputs[i] = node.hasOutput(i) ? define(node.outputs().get(i), null) : -1;
    }
    Body.Step step = new Body.Step(node, inputs, outputs, evaluation);
    steps.add(step);
    setups.put(step, setup);
  }

  /** Computes a node whose inputs are all constant; false where it is left to the run. */
  private boolean isFolded(Node node, Operator.Evaluation evaluation) {
    Value[] values = new Value[node.inputs().size()];
    boolean isWeight = false;
    for (int i = 0; i < values.length; i++) {
      if (node.hasInput(i)) {
        Constant constant = find(node.inputs().get(i));
        if (constant == null) {
          return false;
        }
        values[i] = constant.value;
        isWeight |= constant.isWeight;
      }
    }
    List<Value> results;
    try {
      results = Body.evaluate(node, evaluation, new Call(node, null, null, values));
    } catch (Call.NoTape e) {
      return false;
    }
    if (!parts.allows(results)) {
      return false;
    }
    for (int i = 0; i < node.outputs().size(); i++) {
      if (node.hasOutput(i)) {
        define(node.outputs().get(i), new Constant(results.get(i), isWeight));
      }
    }
    return true;
  }

  /** Nodes whose outputs nobody reads are left out. */
  private List<Body.Step> needed(List<Scope.Place> outputs) {
    BitSet read = (BitSet) captured.clone();
    outputs.stream().filter(place -> place.up() == 0).forEach(place -> read.set(place.number()));
    List<Body.Step> needed = new ArrayList<>();
    for (Body.Step step : steps.reversed()) {
      if (Arrays.stream(step.outputs()).anyMatch(number -> number >= 0 && read.get(number))) {
        needed.add(step);
        for (Scope.Place input : step.inputs()) {
          if (input != null && input.up() == 0) {
            read.set(input.number());
          }
        }
      }
    }
    needed.reversed().forEach(this::use);
    return List.copyOf(needed.reversed());
  }

  /** Notes where a node gives one number everywhere because it makes or moves nothing else. */
  private void noteUniform(Node node) {
    Float number =
        switch (node.type()) {
          case "ConstantOfShape" ->
              node.data("value") instanceof Value.Reals reals
                  ? Float.valueOf(reals.values()[0])
                  : node.has("value") ? null : Float.valueOf(0);
          case "Expand",
              "Identity",
              "Reshape",
              "Slice",
              "Squeeze",
              "Tile",
              "Transpose",
              "Unsqueeze" ->
              uniform(node.inputs().getFirst());
          case "Concat" -> {
            Float first = uniform(node.inputs().getFirst());
            boolean isSame =
                node.inputs().stream().allMatch(x -> Objects.equals(uniform(x), first));
            yield isSame ? first : null;
          }
          default -> null;
        };
    if (number != null && node.hasOutput(0)) {
      uniform.put(node.outputs().getFirst(), number);
    }
  }

  /** Notes that a node, or a caller, reads a value that is known. */
  private void read(String name) {
    Constant found = find(name);
    if (found != null) {
      parts.read(found.value);
    }
  }

  /** Notes that a node which reads a constant has a parameter for it. */
  void replace(String name) {
    Constant found = find(name);
    if (found != null) {
      parts.replace(found.value);
    }
  }

  /** The number that a value is everywhere; null where it is not. */
  @Nullable Float uniform(String name) {
    read(name); // the model depends on the values
    Float found = uniform.get(name);
    if (found == null && constant(name) instanceof Value.Reals reals && reals.values().length > 0) {
      float first = reals.values()[0];
      for (float value : reals.values()) {
        if (value != first) {
          return null;
        }
      }
      return first;
    }
    return found == null && outer != null && !numbers.containsKey(name)
        ? outer.uniform(name)
        : found;
  }

  /** Where a value is that nodes here see; null if there is none. */
  private Scope.@Nullable Place place(String name, int up) {
    Integer number = numbers.get(name);
    if (number != null) {
      if (up > 0) {
        captured.set(number);
      }
      return new Scope.Place(up, number);
    }
    return outer == null ? null : outer.place(name, up + 1);
  }

  private @Nullable Constant find(String name) {
    Integer number = numbers.get(name);
    if (number != null) {
      return constants.get(number);
    }
    return outer == null ? null : outer.find(name);
  }

  /** The value of a constant, or null. */
  @Nullable Value constant(String name) {
    Constant found = find(name);
    return found == null ? null : found.value;
  }

  /** Has a node read parameters where it does not claim constant floats. */
  private void use(Body.Step step) {
    Node node = step.node();
    for (int i = 0; i < node.inputs().size(); i++) {
      if (node.hasInput(i) && !setups.get(step).isClaimed(i)) {
        use(node.inputs().get(i));
      }
    }
  }

  /** Has a run read a parameter of the model in place of constant floats. */
  private void use(String name) {
    Constant found = find(name);
    if (found == null || !(found.value instanceof Value.Reals reals) || reals.dims().count() == 0) {
      return;
    }
    parts.replace(reals);
    if (found.parameter == null) {
      Parameter parameter = parameter(name, reals.dims().shape(), reals.values());
      parts.add(parameter);
      found.parameter = new Value.OnTape(reals.dims(), parameter);
    }
  }

  /** A parameter made of a constant, without a place in the model. */
  Parameter parameter(String name, Shape shape, float[] values) {
    Constant found = find(name);
    Parameter.Initialiser initial =
        (target, random) -> System.arraycopy(values, 0, target, 0, target.length);
    Parameter made =
        found != null && found.isWeight
            ? Parameter.of(shape, initial)
            : Parameter.fixed(shape, initial);
    return made.named(name);
  }
}
