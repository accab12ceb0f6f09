package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Layers that read what others give by name, without cycles: branches, joins, several inputs and
 * several outputs.
 *
 * <pre>{@code
 * Network network =
 *     new Network(
 *         List.of("x"),
 *         List.of(
 *             Network.layer("reads", lstm(3, 4), "x"),
 *             Network.layer("sees", conv1d(3, 4, 3).padding(1), "x"),
 *             Network.join("both", Join.CONCATENATE, "reads", "sees"),
 *             Network.layer("head", dense(8, 2), "both")),
 *         List.of("head"));
 * Tensor y = network.on(device, 42).apply(x);
 * }</pre>
 *
 * <p>The state of a Recur after the call is there for others to read: {@code reads.0} is its first
 * tensor, {@code reads.1} an LSTM's c. A Recur that reads more than x begins every call from what
 * it reads, its state's tensors in their order, as a decoder begins from the state of its encoder:
 *
 * <pre>{@code
 * Network.Node writes = Network.layer("writes", lstm(5, 4), "y", "reads.0", "reads.1");
 * }</pre>
 */
public final class Network implements Layer {
  /**
   * What computes one value.
   *
   * @param name of the value
   * @param layer that runs; null for a join
   * @param join of the values it reads; null for a layer
   * @param from the names of inputs and of nodes before this one
   */
  public record Node(String name, @Nullable Layer layer, @Nullable Join join, List<String> from) {
    /** Checks the numbers. */
    public Node {
      from = List.copyOf(from);
      boolean isLayer = layer != null;
      int least = isLayer ? 1 : join != null && join.isOfTwo() ? 2 : 1;
      int most =
          !isLayer
              ? join != null && join.isOfTwo() ? 2 : Integer.MAX_VALUE
              : layer instanceof Recur recur ? 1 + recur.cell().state0().size() : 1;
      if (isLayer == (join != null)
          || from.size() < least
          || from.size() > most
          || (isLayer && from.size() > 1 && from.size() < most)) {
        throw new IllegalArgumentException(
            "network: %s reads %s; need %s"
                .formatted(
                    name,
                    from,
                    isLayer && most > 1 ? "x, or x and a state of " + (most - 1) : most));
      }
    }
  }

  /**
   * A layer of a network.
   *
   * @param name of what it gives
   * @param layer the layer; the same one may stand in several nodes
   * @param from what it reads: x, and for a Recur perhaps a state
   * @return the node
   */
  public static Node layer(String name, Layer layer, String... from) {
    return new Node(name, layer, null, List.of(from));
  }

  /**
   * A join in a network.
   *
   * @param name of what it gives
   * @param join how
   * @param from what it reads
   * @return the node
   */
  public static Node join(String name, Join join, String... from) {
    return new Node(name, null, join, List.of(from));
  }

  private final List<String> inputs;
  private final List<Node> nodes;
  private final Map<String, String> outputs;
  private final AllOrNone states;

  /** The nodes of which a state is read: then it is worth a copy. */
  private final Set<String> statesRead;

  /**
   * A network.
   *
   * @param inputs their names
   * @param nodes in an order in which each reads those before it
   * @param outputs the names of what it gives
   * @throws IllegalArgumentException if a name is there twice, or is read before it is there
   */
  public Network(List<String> inputs, List<Node> nodes, List<String> outputs) {
    this(inputs, nodes, named(outputs, outputs));
  }

  /**
   * A network whose outputs have names of their own.
   *
   * @param inputs their names
   * @param nodes in an order in which each reads those before it
   * @param outputs the name of what is given, by the name of the output
   * @throws IllegalArgumentException as {@link #Network(List, List, List)} does
   */
  public Network(List<String> inputs, List<Node> nodes, Map<String, String> outputs) {
    this(inputs, nodes, new LinkedHashMap<>(outputs), (AllOrNone) null);
    check();
  }

  private Network(
      List<String> inputs, List<Node> nodes, Map<String, String> outputs, @Nullable AllOrNone of) {
    this.inputs = List.copyOf(inputs);
    this.nodes = List.copyOf(nodes);
    this.outputs = Collections.unmodifiableMap(outputs);
    this.states = of == null ? new AllOrNone(this) : of.of(this);
    this.statesRead =
        Stream.concat(outputs.values().stream(), nodes.stream().flatMap(node -> node.from.stream()))
            .filter(name -> name.contains("."))
            .map(name -> name.substring(0, name.lastIndexOf('.')))
            .collect(Collectors.toUnmodifiableSet());
  }

  private static Map<String, String> named(List<String> names, List<String> values) {
    Map<String, String> named = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      named.put(names.get(i), values.get(i));
    }
    return named;
  }

  private void check() {
    List<String> known = new ArrayList<>();
    inputs.forEach(name -> define(known, name));
    for (Node node : nodes) {
      need(known, node.name, node.from);
      define(known, node.name);
      if (node.layer instanceof Recur recur) {
        for (int i = 0; i < recur.cell().state0().size(); i++) {
          define(known, node.name + "." + i);
        }
      }
    }
    if (inputs.isEmpty() || outputs.isEmpty()) {
      throw new IllegalArgumentException(
          "network: inputs %s, outputs %s; need one or more".formatted(inputs, outputs));
    }
    need(known, "an output", List.copyOf(outputs.values()));
  }

  private static void define(List<String> known, String name) {
    if (known.contains(name)) {
      throw new IllegalArgumentException(
          "network: %s is there twice; need a name for each".formatted(name));
    }
    known.add(name);
  }

  private static void need(List<String> known, String who, List<String> from) {
    for (String name : from) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            "network: %s reads %s; before it are %s".formatted(who, from, known));
      }
    }
  }

  /** {@return the names of the inputs} */
  public List<String> inputs() {
    return inputs;
  }

  /** {@return the nodes, in the order in which they run} */
  public List<Node> nodes() {
    return nodes;
  }

  /** {@return the name of what each output gives, by the name of the output} */
  public Map<String, String> outputs() {
    return outputs;
  }

  /**
   * Runs the network.
   *
   * @param given each input by its name: a vector, a batch or sequences
   * @return each output by its name
   * @throws IllegalArgumentException if an input is missing or there are others
   * @throws ShapeException if one does not fit; no state has then changed
   */
  public Map<String, Tensor> run(Map<String, Tensor> given) {
    if (given.size() != inputs.size() || !given.keySet().containsAll(inputs)) {
      throw new IllegalArgumentException(
          "network: given are %s; need %s"
              .formatted(given.keySet().stream().sorted().toList(), inputs));
    }
    try (var _ = given.get(inputs.getFirst()).enter()) {
      return states.call(() -> through(given));
    }
  }

  private Map<String, Tensor> through(Map<String, Tensor> given) {
    Map<String, Tensor> values = new HashMap<>(given);
    for (Node node : nodes) {
      List<Tensor> from = node.from.stream().map(values::get).toList();
      if (node.join != null) {
        values.put(node.name, node.join.of("network: " + node.name, from));
      } else if (node.layer != null) {
        apply(node, node.layer, from, values);
      }
    }
    Map<String, Tensor> results = new LinkedHashMap<>();
    outputs.forEach((output, name) -> results.put(output, values.get(name)));
    return results;
  }

  private void apply(Node node, Layer layer, List<Tensor> from, Map<String, Tensor> values) {
    Tensor x = from.getFirst();
    if (!(layer instanceof Recur recur)) {
      values.put(node.name, layer.apply(x));
      return;
    }
    State after;
    if (from.size() > 1) {
      Step step = recur.from(new State(from.subList(1, from.size())), x);
      values.put(node.name, step.y());
      after = step.state();
    } else {
      values.put(node.name, recur.apply(x));
      after = statesRead.contains(node.name) ? recur.state().on(x.tape()) : null;
    }
    for (int i = 0; after != null && i < after.parts().size(); i++) {
      values.put(node.name + "." + i, after.parts().get(i));
    }
  }

  /**
   * Runs a network of one input and one output.
   *
   * @param x a vector, a batch or sequences
   * @return the output
   * @throws IllegalStateException if it has more inputs or outputs
   * @throws ShapeException if x does not fit; no state has then changed
   */
  @Override
  public Tensor apply(Tensor x) {
    if (inputs.size() != 1 || outputs.size() != 1) {
      throw new IllegalStateException(
          "network: inputs %s, outputs %s; call run(…), which takes and gives several"
              .formatted(inputs, outputs.keySet()));
    }
    return states.apply(
        x, given -> through(Map.of(inputs.getFirst(), given)).values().iterator().next());
  }

  @Override
  public List<Layer> layers() {
    return nodes.stream().map(Node::layer).filter(layer -> layer != null).distinct().toList();
  }

  @Override
  public Network on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public Network fork() {
    return (Network) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    List<Node> forks =
        nodes.stream()
            .map(
                node ->
                    new Node(
                        node.name,
                        node.layer == null ? null : fork.of(node.layer),
                        node.join,
                        node.from))
            .toList();
    return new Network(inputs, forks, outputs, states);
  }

  /** Whether those of its layers are. */
  @Override
  public boolean columnsAreIndependent() {
    return layers().stream().allMatch(Layer::columnsAreIndependent);
  }

  /** Whether its layers do. */
  @Override
  public boolean keepsBatch() {
    return layers().stream().allMatch(Layer::keepsBatch);
  }

  @Override
  public String describe() {
    return "Network(%s => %s)"
        .formatted(String.join(", ", inputs), String.join(", ", outputs.keySet()));
  }

  /** {@return the layers, and a line of the nodes with what each reads} */
  @Override
  public String toString() {
    return nodes.stream()
        .map(
            node ->
                "%s%s(%s)"
                    .formatted(
                        node.name,
                        node.join == null ? "" : " " + node.join,
                        String.join(", ", node.from)))
        .collect(Collectors.joining(", ", Printed.of(this) + "\n# ", ""));
  }
}
