package io.recur.io.keras;

import io.recur.nn.Layer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a model as a whole from its configuration: a {@code Sequential}, or a {@code Functional} in
 * which each layer reads the one before. In a file of Keras 3 a layer's group is named by its
 * class, in the order of the configuration; in the older format by the layer.
 */
final class ModelReader {
  private static final Set<String> MODELS = Set.of("Sequential", "Functional", "Model");

  private final String file;
  private final Import into;
  private final @Nullable String listed;
  private final LayerReader reader;

  /**
   * Begins with a model.
   *
   * @param listed the group that has a list of tensors for each layer, in the older format; null in
   *     a file of Keras 3
   */
  ModelReader(String file, Import into, @Nullable String listed) {
    this.file = file;
    this.into = into;
    this.listed = listed;
    this.reader = new LayerReader(into, Import.ANY, 0);
  }

  /** Says what each layer of a model expects. */
  void expect(Map<String, @Nullable Object> model) {
    Settings settings = Settings.of(file, model);
    if (!MODELS.contains(settings.kind())) {
      throw settings.wrong(
          """
          its class is neither Sequential nor Functional, so its configuration does not say what it \
          computes; import its layers by name""");
    }
    add(settings, "", null);
  }

  /** {@return the layers, whose tensors have been checked} */
  List<Layer> layers() {
    return reader.layers();
  }

  /** A layer of a model, where its tensors are, and what it reads. */
  record Node(Settings settings, String path, Graph.Call call) {
    String name() {
      return settings.name();
    }
  }

  /**
   * Adds the layers of a model.
   *
   * @param group where its groups are, empty or with a slash at the end
   * @param shared in the older format, the tensors of the model that this one is a layer of
   */
  private void add(Settings model, String group, @Nullable LayerTensors shared) {
    model.precision();
    boolean isSequence = model.kind().equals("Sequential");
    if (isSequence && model.value("build_input_shape") instanceof List<?> sizes) {
      reader.input(model, sizes);
    }
    List<Node> nodes = nodes(model, group, isSequence);
    for (Node node : isSequence ? nodes : inLine(model, MaskGraph.without(model, nodes))) {
      Settings layer = node.settings;
      boolean isModel = MODELS.contains(layer.kind());
      boolean isListed = listed != null && !layer.kind().equals("InputLayer");
      LayerTensors tensors = LayerTensors.of(into, node.path);
      if (isListed) {
        tensors = shared != null ? shared : LayerTensors.listed(into, node.path);
      }
      if (isModel) {
        add(layer, node.path + "/", isListed ? tensors : null);
      } else {
        reader.add(layer, tensors);
      }
    }
  }

  private List<Node> nodes(Settings model, String group, boolean isSequence) {
    if (!(model.value("layers") instanceof List<?> layers)) {
      throw model.refused("layers", "need a list");
    }
    Map<String, Integer> used = new HashMap<>();
    List<Node> nodes = new ArrayList<>();
    for (Object layer : layers) {
      Settings settings = Settings.of(file, layer);
      String unique = RecurrentLayers.unique(settings.group(), used);
      String path =
          listed == null
              ? group + "layers/" + unique
              : listed.isEmpty() ? settings.name() : listed + "/" + settings.name();
      Object inbound = Settings.object(file, "a layer", layer).get("inbound_nodes");
      Graph.Call call = isSequence ? Graph.Call.NONE : Graph.call(settings, inbound);
      nodes.add(new Node(settings, path, call));
    }
    return nodes;
  }

  /** The layers from the input to the output. */
  private static List<Node> inLine(Settings model, List<Node> nodes) {
    Map<String, Node> readers = new LinkedHashMap<>();
    List<Node> line = new ArrayList<>();
    for (Node node : nodes) {
      List<String> sources = node.call.sources();
      if (sources.isEmpty()) {
        line.add(node);
      } else {
        checkCall(node);
        if (readers.put(sources.getFirst(), node) != null) {
          throw node.settings.wrong(
              "%s has two readers; need a line of layers"
                  .formatted(ConfigJson.shown(sources.getFirst())));
        }
      }
    }
    if (line.size() != 1) {
      throw model.wrong("%d layers have no input; need one".formatted(line.size()));
    }
    Node next = readers.get(line.getFirst().name());
    while (next != null && line.size() < nodes.size()) {
      line.add(next);
      next = readers.get(next.name());
    }
    List<String> outputs = Graph.outputs(model);
    if (line.size() != nodes.size() || !outputs.equals(List.of(line.getLast().name()))) {
      throw model.wrong(
          "its outputs are %s, and %d of its %d layers stand between input and output; need a line"
              .formatted(Import.shown(outputs), line.size(), nodes.size()));
    }
    return line;
  }

  private static void checkCall(Node node) {
    List<String> sources = node.call.sources();
    if (sources.size() > 1) {
      throw node.settings.wrong(
          "it has %d inputs, %s; need a line of layers of one input each"
              .formatted(sources.size(), Import.shown(sources)));
    }
    if (!node.call.constants().isEmpty()) {
      throw node.settings.wrong(
          "it is called with %s; need tensors alone"
              .formatted(ConfigJson.shownValue(node.call.constants())));
    }
  }
}
