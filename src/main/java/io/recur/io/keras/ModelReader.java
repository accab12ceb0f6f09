package io.recur.io.keras;

import io.recur.nn.Layer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a model as a whole from its configuration: a {@code Sequential} or a {@code Functional}. A
 * model in which each layer reads the one before becomes a line of layers, another one a {@link
 * io.recur.nn.Network}. In a file of Keras 3 a layer's group is named by its class, in the order of
 * the configuration; in the older format by the layer.
 */
final class ModelReader {
  private static final Set<String> MODELS = Set.of("Sequential", "Functional", "Model");

  private final String file;
  private final Import into;
  private final @Nullable String listed;
  private final LayerReader reader;
  private @Nullable String several;

  /**
   * Begins with a model.
   *
   * @param listed the group that has a list of tensors for each layer, in the older format; null in
   *     a file of Keras 3
   */
  ModelReader(String file, Import into, @Nullable String listed) {
    this(file, into, listed, LayerReader.End.UNKNOWN);
  }

  private ModelReader(String file, Import into, @Nullable String listed, LayerReader.End begin) {
    this.file = file;
    this.into = into;
    this.listed = listed;
    this.reader = new LayerReader(into, begin);
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

  /** {@return what an error begins with} */
  String file() {
    return file;
  }

  /** Refuses a model of several inputs or outputs. */
  void requireOne() {
    if (several != null) {
      throw new IllegalArgumentException(
          "%s: the model has %s; call network(), which takes and gives several"
              .formatted(file, several));
    }
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

    /** Refuses other arguments. */
    void requireTensors() {
      if (!call.constants().isEmpty()) {
        throw settings.wrong(
            "it is called with %s; need tensors alone"
                .formatted(ConfigJson.shownValue(call.constants())));
      }
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
    List<Node> line = isSequence ? nodes : MaskGraph.without(model, nodes);
    if (!isSequence && !isLine(model, line)) {
      NetworkReader network = new NetworkReader(this, into, model);
      network.expect(line, node -> tensors(node, shared));
      several = network.several();
      reader.add(network.end(), () -> List.of(network.made()));
      return;
    }
    for (Node node : isSequence ? line : inLine(line)) {
      if (isSequence) {
        node.settings.refuse("return_state", "need false in a Sequential");
      }
      add(node, tensors(node, shared), reader);
    }
  }

  private LayerTensors tensors(Node node, @Nullable LayerTensors shared) {
    return listed == null || node.settings.kind().equals("InputLayer")
        ? LayerTensors.of(into, node.path)
        : shared != null ? shared : LayerTensors.listed(into, node.path);
  }

  /** Adds a layer, or the layers of a model inside, to a line. */
  void add(Node node, LayerTensors tensors, LayerReader to) {
    if (!MODELS.contains(node.settings.kind())) {
      to.add(node.settings, tensors);
      return;
    }
    ModelReader inner = new ModelReader(file, into, listed, to.end());
    inner.add(node.settings, node.path + "/", listed == null ? null : tensors);
    if (inner.several != null) {
      throw node.settings.wrong("it has %s inside a model; need one".formatted(inner.several));
    }
    to.add(inner.reader.end(), inner.reader::layers);
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

  /** Whether each layer reads the one before, and the last one is the output. */
  private static boolean isLine(Settings model, List<Node> nodes) {
    Set<String> read = new HashSet<>();
    int begins = 0;
    for (Node node : nodes) {
      List<String> sources = node.call.sources();
      begins += sources.isEmpty() ? 1 : 0;
      if (sources.size() > 1 || (!sources.isEmpty() && !read.add(sources.getFirst()))) {
        return false;
      }
    }
    List<Node> line = begins == 1 ? inLine(nodes) : List.of();
    return line.size() == nodes.size()
        && Graph.outputs(model).equals(List.of(line.getLast().name()));
  }

  /** The layers from the input to the output. */
  private static List<Node> inLine(List<Node> nodes) {
    Map<String, Node> readers = new LinkedHashMap<>();
    List<Node> line = new ArrayList<>();
    for (Node node : nodes) {
      List<String> sources = node.call.sources();
      if (sources.isEmpty()) {
        line.add(node);
      } else {
        node.requireTensors();
        readers.put(sources.getFirst(), node);
      }
    }
    Node next = readers.get(line.getFirst().name());
    while (next != null && line.size() < nodes.size()) {
      line.add(next);
      next = readers.get(next.name());
    }
    return line;
  }
}
