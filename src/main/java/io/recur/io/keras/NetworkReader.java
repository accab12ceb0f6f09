package io.recur.io.keras;

import io.recur.nn.Chain;
import io.recur.nn.Join;
import io.recur.nn.Layer;
import io.recur.nn.Network;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads a functional model whose layers form no line as a {@link Network}. A layer of Keras that
 * becomes several here is a node of its own name, and one for the rest.
 */
final class NetworkReader {
  private static final Map<String, Join> JOINS =
      Map.of(
          "Add", Join.ADD,
          "Subtract", Join.SUBTRACT,
          "Multiply", Join.MULTIPLY,
          "Average", Join.MEAN,
          "Maximum", Join.MAXIMUM,
          "Minimum", Join.MINIMUM,
          "Concatenate", Join.CONCATENATE,
          "Dot", Join.DOT);

  /** The layers that have a state, and its tensors. */
  private static final Map<String, Integer> STATES = Map.of("SimpleRNN", 1, "GRU", 1, "LSTM", 2);

  private final ModelReader models;
  private final Import into;
  private final List<String> inputs;
  private final List<String> outputs;
  private final Map<String, LayerReader.End> known = new LinkedHashMap<>();
  private final List<Supplier<List<Network.Node>>> nodes = new ArrayList<>();

  /** The names of what layers give, by their names in Keras. */
  private final Map<String, String> names = new HashMap<>();

  NetworkReader(ModelReader models, Import into, Settings model) {
    this.models = models;
    this.into = into;
    this.inputs = Graph.inputs(model);
    this.outputs = Graph.outputs(model);
  }

  /** What is not one; null of one input and one output. */
  @Nullable String several() {
    return inputs.size() == 1 && outputs.size() == 1
        ? null
        : "inputs %s and outputs %s".formatted(Import.shown(inputs), Import.shown(outputs));
  }

  /** What the first output is. */
  LayerReader.End end() {
    return Objects.requireNonNullElse(known.get(outputs.getFirst()), LayerReader.End.UNKNOWN);
  }

  /** Says what each layer expects, in an order in which each reads those before it. */
  void expect(List<ModelReader.Node> all, Function<ModelReader.Node, LayerTensors> tensors) {
    List<ModelReader.Node> left = new ArrayList<>(all);
    while (!left.isEmpty()) {
      List<ModelReader.Node> ready =
          left.stream().filter(node -> known.keySet().containsAll(node.call().sources())).toList();
      if (ready.isEmpty()) {
        ModelReader.Node first = left.getFirst();
        throw first
            .settings()
            .wrong(
                "it reads %s; there are %s"
                    .formatted(Import.shown(first.call().sources()), Import.shown(known.keySet())));
      }
      ready.forEach(node -> expect(node, tensors.apply(node)));
      left.removeAll(ready);
    }
    for (String output : outputs) {
      if (!known.containsKey(output)) {
        throw new IllegalArgumentException(
            "%s: output %s is none of %s"
                .formatted(models.file(), ConfigJson.shown(output), Import.shown(known.keySet())));
      }
    }
  }

  private void expect(ModelReader.Node node, LayerTensors tensors) {
    node.requireTensors();
    Settings settings = node.settings();
    List<String> sources = node.call().sources();
    Join join = JOINS.get(settings.kind());
    if (join != null) {
      join(settings, join, sources);
      return;
    }
    boolean isRecurrent = STATES.containsKey(settings.kind());
    int most = isRecurrent ? 1 + STATES.get(settings.kind()) : 1;
    if (sources.size() > 1 && sources.size() != most) {
      throw settings.wrong(
          "it has %d inputs, %s; need %s"
              .formatted(
                  sources.size(),
                  Import.shown(sources),
                  isRecurrent ? "one, and a state of " + (most - 1) : "one"));
    }
    boolean isBackwards = isRecurrent && settings.flag("go_backwards", false);
    if (isBackwards && sources.size() > 1) {
      throw settings.refused("go_backwards", "need false of a layer that is given a state");
    }
    LayerReader.End begin =
        sources.isEmpty() ? LayerReader.End.UNKNOWN : known.get(sources.getFirst());
    LayerReader reader = new LayerReader(into, begin);
    models.add(node, tensors, reader);
    known.put(node.name(), reader.end());
    if (isRecurrent && !isBackwards && settings.flag("return_state", false)) {
      LayerReader.End state = new LayerReader.End(reader.end().features(), 2, false);
      for (int i = 0; i < most - 1; i++) {
        known.put(node.name() + "." + i, state);
      }
    }
    if (!sources.isEmpty()) {
      nodes.add(() -> layers(node.name(), reader.layers(), sources));
    }
  }

  /** A Recur is a node alone, so that its state can be read. */
  private List<Network.Node> layers(String name, List<Layer> layers, List<String> sources) {
    String[] from = sources.stream().map(this::named).toArray(String[]::new);
    if (layers.isEmpty()) {
      names.put(name, from[0]);
      return List.of();
    }
    Layer first = layers.getFirst();
    if (layers.size() == 1) {
      return List.of(Network.layer(name, first, from));
    }
    if (!(first instanceof Recur)) {
      return List.of(Network.layer(name, new Chain(layers), from));
    }
    List<Layer> rest = layers.subList(1, layers.size());
    names.put(name, name + "/then");
    return List.of(
        Network.layer(name, first, from),
        Network.layer(name + "/then", rest.size() == 1 ? rest.getFirst() : new Chain(rest), name));
  }

  private String named(String name) {
    return names.getOrDefault(name, name);
  }

  private void join(Settings settings, Join join, List<String> sources) {
    settings.only("axis", "axes", "normalize");
    settings.refuse("normalize", "need false");
    if (sources.size() < 2) {
      throw settings.wrong("it has %d inputs; need two or more".formatted(sources.size()));
    }
    List<LayerReader.End> parts = sources.stream().map(known::get).toList();
    int rank = parts.stream().mapToInt(LayerReader.End::rank).max().orElse(0);
    int features = parts.stream().mapToInt(LayerReader.End::features).max().orElse(Import.ANY);
    boolean isMasked = parts.stream().anyMatch(LayerReader.End::isMasked);
    Join made = join;
    if (join == Join.CONCATENATE) {
      Object axis = Objects.requireNonNullElse(settings.value("axis"), -1L);
      boolean isRows = axis.equals(-1L) || (rank > 0 && axis.equals(rank - 1L));
      if (!isRows && !(rank == 3 && Set.of(1L, -2L).contains(axis))) {
        throw settings.refused("axis", "need that of the features or of time");
      }
      made = isRows ? join : Join.CONCATENATE_TIME;
      boolean isKnown = parts.stream().allMatch(part -> part.features() >= 0);
      int sum = isKnown ? parts.stream().mapToInt(LayerReader.End::features).sum() : Import.ANY;
      features = isRows ? sum : features;
    } else if (join == Join.DOT) {
      Object axes = settings.value("axes");
      boolean isRows =
          rank == 2
              && Set.of(1L, -1L, List.of(1L, 1L), List.of(-1L, -1L))
                  .contains(Objects.requireNonNullElse(axes, "none"));
      if (!isRows || sources.size() != 2) {
        throw settings.refused("axes", "need that of the features of two inputs [batch, features]");
      }
      features = 1;
    }
    known.put(settings.name(), new LayerReader.End(features, rank, isMasked));
    Join how = made;
    nodes.add(
        () ->
            List.of(
                Network.join(
                    settings.name(),
                    how,
                    sources.stream().map(this::named).toArray(String[]::new))));
  }

  /** {@return the network, whose tensors have been checked} */
  Network made() {
    List<Network.Node> all = new ArrayList<>();
    nodes.forEach(made -> all.addAll(made.get()));
    Map<String, String> ends = new LinkedHashMap<>();
    outputs.forEach(output -> ends.put(output, named(output)));
    return new Network(inputs, all, ends);
  }
}
