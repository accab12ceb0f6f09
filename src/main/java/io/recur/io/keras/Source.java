package io.recur.io.keras;

import io.recur.io.optional.OptionalLibrary;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The content of a file, in memory.
 *
 * @param where what an error begins with
 * @param config what the model computes, as JSON; null where the file does not say it
 * @param listed in the older format, the group whose attributes list the layers; null in a file of
 *     Keras 3
 */
record Source(String where, HdfTree tree, @Nullable String config, @Nullable String listed) {
  private static final int MOST_BYTES = Integer.MAX_VALUE - 8;
  private static final int SIGNATURE = 4;

  /**
   * Reads a file.
   *
   * @param json a configuration that comes before the file's own, or null
   */
  static Source read(Path path, @Nullable String json) throws IOException {
    String where = "keras: " + path;
    BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
    if (!file.isRegularFile()) {
      throw new FileSystemException(path.toString(), null, "it is no regular file");
    }
    if (file.size() > MOST_BYTES) {
      throw new IllegalArgumentException(
          "%s: %d bytes; need at most %d".formatted(where, file.size(), MOST_BYTES));
    }
    byte[] first;
    try (var in = Files.newInputStream(path)) {
      first = in.readNBytes(SIGNATURE);
    }
    if (first.length > 1 && first[0] == 'P' && first[1] == 'K') {
      Archive archive = Archive.read(where, path, file.size());
      return of(where, archive.weights(), json == null ? archive.config() : json);
    }
    if (first.length == SIGNATURE && first[1] == 'H' && first[2] == 'D' && first[3] == 'F') {
      return of(where, Files.readAllBytes(path), json);
    }
    throw new IllegalArgumentException(
        "%s: it is neither a .keras archive nor an HDF5 file".formatted(where));
  }

  private static Source of(String where, byte[] weights, @Nullable String json) {
    HdfTree tree = tree(where, weights);
    String listed = listed(tree);
    String config = json == null && listed != null ? tree.text("", "model_config") : json;
    Source source = new Source(where, tree, config, listed);
    source.refuseOldSigmoid();
    return source;
  }

  private static HdfTree tree(String where, byte[] weights) {
    try {
      return HdfReader.read(weights);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("%s: %s".formatted(where, e.getMessage()), e);
    } catch (LinkageError e) {
      throw OptionalLibrary.JHDF.missing(where, e);
    }
  }

  private static @Nullable String listed(HdfTree tree) {
    for (String group : List.of("", "model_weights")) {
      if (tree.texts(group, "layer_names") != null) {
        return group;
      }
    }
    return null;
  }

  /** Keras 2 had another function of this name. */
  private void refuseOldSigmoid() {
    String version = listed == null ? null : tree.text(listed, "keras_version");
    boolean isOld = version != null && !version.startsWith("3");
    if (isOld && config != null && config.contains("\"hard_sigmoid\"")) {
      throw new IllegalArgumentException(
          """
          %s: hard_sigmoid of keras_version=%s is x/5 + 1/2, that of Keras 3 x/6 + 1/2; load and \
          save it with Keras 3, if its answers may change"""
              .formatted(where, ConfigJson.shown(version)));
    }
  }

  /**
   * The configuration of the model.
   *
   * @throws IllegalArgumentException if there is none, or if it is no JSON
   */
  Map<String, @Nullable Object> configuration() {
    if (config == null) {
      throw new IllegalArgumentException(
          """
          %s: it has no configuration; give that of model.to_json() to read(path, json), or import \
          its layers by name"""
              .formatted(where));
    }
    try {
      return ConfigJson.read(config);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "%s: its configuration: %s".formatted(where, e.getMessage()), e);
    }
  }

  /** {@return the path of a layer's group} */
  String group(String name) {
    return listed == null || listed.isEmpty() ? name : listed + "/" + name;
  }

  /** The tensors of a layer, in Keras's order. */
  LayerTensors tensors(Import into, String name) {
    return listed == null ? LayerTensors.of(into, name) : LayerTensors.listed(into, group(name));
  }

  /** {@return in the older format, the paths of a layer's tensors, within its group} */
  private List<String> names(String name) {
    return Objects.requireNonNullElse(tree.texts(group(name), "weight_names"), List.of());
  }

  /** {@return the path of a tensor of a layer, in Keras's order} */
  private String path(String name, String part, int number) {
    if (listed == null) {
      return name + (part.isEmpty() ? "" : "/" + part) + "/vars/" + number;
    }
    List<String> names = names(name);
    return group(name) + "/" + (number < names.size() ? names.get(number) : "weight_names");
  }

  /** {@return a tensor of a layer or of a part of it, or null} */
  @Nullable HdfTensor tensor(String name, String part, int number) {
    return tree.tensors().get(path(name, part, number));
  }

  /**
   * A tensor whose sizes say those of its layer.
   *
   * @throws IllegalArgumentException if it is missing
   */
  HdfTensor tensor(String kind, String name, String part, int number) {
    HdfTensor tensor = tensor(Objects.requireNonNull(name, "name"), part, number);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "%s: %s %s: %s is missing; the file has %s"
              .formatted(
                  where,
                  kind,
                  ConfigJson.shown(name),
                  ConfigJson.shown(path(name, part, number)),
                  Import.shown(tree.tensors().keySet())));
    }
    return tensor;
  }

  /** {@return whether a layer has two directions} */
  boolean hasDirections(String name) {
    return listed == null
        ? tree.hasGroup(name + "/forward_layer")
        : names(name).stream().anyMatch(tensor -> tensor.contains("forward_"));
  }

  /** {@return whether a recurrent layer has biases: three tensors per direction, not two} */
  boolean hasBias(String name, String part) {
    int directions = hasDirections(name) ? 2 : 1;
    return listed == null ? tensor(name, part, 2) != null : names(name).size() >= 3 * directions;
  }
}
