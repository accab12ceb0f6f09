package io.recur.io.keras;

import io.recur.device.Elementwise;
import io.recur.nn.BatchNorm;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Network;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A model of Keras 3, or its weights: a {@code .keras} file, a {@code .weights.h5} file, or an
 * {@code .h5} file of the older format. It reads HDF5 through {@code io.jhdf:jhdf:0.9.4}, which you
 * add to your project.
 *
 * <pre>{@code
 * KerasFile file = KerasFile.read(Path.of("model.keras"));
 * Chain model = file.model().on(device, 42);
 * file.report().forEach(System.out::println);
 * }</pre>
 *
 * <p>{@link #model} builds the layers that {@code config.json} lists. A setting that would change
 * an answer is honoured, or refused by its name. A file of weights has no configuration: give it
 * that of {@code model.to_json()}, or build each layer under the name of its group:
 *
 * <pre>{@code
 * KerasFile weights = KerasFile.read(Path.of("model.weights.h5"));
 * Chain tagger = chain(weights.lstm("layers/lstm"), weights.dense("layers/dense"));
 * weights.requireAllMapped();
 * }</pre>
 *
 * <p>A file is read as data: no code in it runs. It is read as a whole, of at most 2³¹ bytes. F16
 * and F64 are read into float32. All tensors of a call are checked before the first value is read.
 * An initial state is zero and not trained, as in Keras; call {@link Layer#reset} where Keras would
 * begin anew, which it does at every call of a model that is not {@code stateful}.
 */
public final class KerasFile {
  private final Source source;
  private final Set<String> taken = new LinkedHashSet<>();
  private final List<String> report = new ArrayList<>();

  private KerasFile(Source source) {
    this.source = source;
  }

  /**
   * Reads a file. Its first bytes say what it is, not its name.
   *
   * @param path a {@code .keras}, {@code .weights.h5} or {@code .h5} file
   * @return the model or the weights
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if it is damaged, or holds what Keras does not write
   * @throws IllegalStateException if jhdf is missing; the message gives its coordinates
   */
  public static KerasFile read(Path path) throws IOException {
    return new KerasFile(Source.read(path, null));
  }

  /**
   * Reads a file of weights, and its model's configuration.
   *
   * @param path a {@code .weights.h5} or {@code .h5} file
   * @param json what {@code model.to_json()} gives
   * @return the model
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #read(Path)} does
   * @throws IllegalStateException as {@link #read(Path)} does
   */
  public static KerasFile read(Path path, String json) throws IOException {
    return new KerasFile(Source.read(path, Objects.requireNonNull(json, "json")));
  }

  /**
   * Builds the whole model from its configuration: a {@code Sequential}, or a {@code Functional} of
   * one input and one output, models inside included. Where its layers form no line, the chain has
   * one layer, a {@link Network}.
   *
   * @return the layers in the order in which they run
   * @throws IllegalArgumentException if the file has no configuration; if it has a layer, a setting
   *     or a function that has no counterpart, with its name; if it has several inputs or outputs;
   *     or if tensors are missing, surplus or of other sizes, with all of them
   */
  public Chain model() {
    Import into = new Import(source.where(), source.tree());
    ModelReader reader = read(into);
    reader.requireOne();
    Chain model = new Chain(reader.layers());
    note(into);
    return model;
  }

  /**
   * Builds the whole model from its configuration, which may have several inputs and outputs.
   *
   * @return the layers with the names that they have in Keras; of a model whose layers form a line
   *     one chain, from {@code input} to {@code output}
   * @throws IllegalArgumentException as {@link #model} does, but for the number of inputs and
   *     outputs
   */
  public Network network() {
    Import into = new Import(source.where(), source.tree());
    List<Layer> layers = read(into).layers();
    note(into);
    return layers.size() == 1 && layers.getFirst() instanceof Network network
        ? network
        : new Network(
            List.of("input"),
            List.of(Network.layer("output", new Chain(layers), "input")),
            List.of("output"));
  }

  private ModelReader read(Import into) {
    ModelReader reader = new ModelReader(source.where(), into, source.listed());
    reader.expect(source.configuration());
    into.check(path -> true);
    return reader;
  }

  private void note(Import into) {
    taken.addAll(into.paths());
    report.addAll(into.report());
  }

  // Layers by name.

  private List<Layer> layers(String kind, String name, Map<String, ?> values) {
    String where = "%s: %s %s".formatted(source.where(), kind, ConfigJson.shown(name));
    Import into = new Import(where, source.tree());
    LayerReader reader = new LayerReader(into, LayerReader.End.UNKNOWN);
    reader.add(Settings.of(source.where(), kind, name, values), source.tensors(into, name));
    into.check(path -> path.startsWith(source.group(name) + "/"));
    List<Layer> layers = reader.layers();
    note(into);
    return layers;
  }

  /** A size that the file says; one that it does not say is found missing later. */
  private static long size(HdfTensor tensor, int dimension) {
    return tensor.sizes().length > dimension ? Math.max(1, tensor.sizes()[dimension]) : 1;
  }

  private Layer recurrent(String kind, String name, Map<String, ?> more) {
    boolean both = source.hasDirections(Objects.requireNonNull(name, "name"));
    String part = both ? "forward_layer/cell" : "cell";
    boolean isBiased = source.hasBias(name, part);
    Map<String, Object> values = new HashMap<>(more);
    values.put("units", size(source.tensor(kind, name, part, 1), 0));
    values.put("use_bias", isBiased);
    values.put("return_sequences", true);
    if (kind.equals("GRU")) {
      boolean isAfter = !isBiased || source.tensor(kind, name, part, 2).sizes().length == 2;
      values.put("reset_after", isAfter);
    }
    Map<String, Object> inner = Map.of("class_name", kind, "config", Map.copyOf(values));
    return both
        ? layers("Bidirectional", name, Map.of("layer", inner)).getFirst()
        : layers(kind, name, values).getFirst();
  }

  /**
   * Imports a {@code SimpleRNN} with tanh, or a {@code Bidirectional} over one.
   *
   * @param name its group, such as {@code layers/simple_rnn}; in the older format its name
   * @return a {@link io.recur.nn.Recur}, or a {@link io.recur.nn.Bidirectional} that concatenates;
   *     with all steps, as with {@code return_sequences}
   * @throws IllegalArgumentException if tensors are missing, surplus or of other sizes; the message
   *     lists all of them with what is expected
   */
  public Layer simpleRnn(String name) {
    return simpleRnn(name, Elementwise.TANH);
  }

  /**
   * Imports a {@code SimpleRNN} with another function.
   *
   * @param name its group
   * @param function its {@code activation}, which a file of weights does not tell
   * @return as {@link #simpleRnn(String)} does
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Layer simpleRnn(String name, Elementwise function) {
    return recurrent(
        "SimpleRNN", name, Map.of("activation", Objects.requireNonNull(function, "function")));
  }

  /**
   * Imports an {@code LSTM} with Keras's usual functions, or a {@code Bidirectional} over one.
   *
   * @param name its group, such as {@code layers/lstm}; in the older format its name
   * @return as {@link #simpleRnn(String)} does
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Layer lstm(String name) {
    return recurrent("LSTM", name, Map.of());
  }

  /**
   * Imports a {@code GRU} with Keras's usual functions, or a {@code Bidirectional} over one. Its
   * bias says whether it has {@code reset_after}; one without a bias has.
   *
   * @param name its group, such as {@code layers/gru}; in the older format its name
   * @return as {@link #simpleRnn(String)} does
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Layer gru(String name) {
    return recurrent("GRU", name, Map.of());
  }

  /**
   * Imports a {@code Dense} without a function.
   *
   * @param name its group, such as {@code layers/dense}; in the older format its name
   * @return the layer
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Dense dense(String name) {
    return dense(name, Elementwise.IDENTITY);
  }

  /**
   * Imports a {@code Dense}.
   *
   * @param name its group
   * @param function its {@code activation}, which a file of weights does not tell
   * @return the layer
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Dense dense(String name, Elementwise function) {
    Objects.requireNonNull(function, "function");
    long units = size(source.tensor("Dense", name, "", 0), 1);
    return (Dense)
        layers(
                "Dense",
                name,
                Map.of(
                    "units",
                    units,
                    "activation",
                    function,
                    "use_bias",
                    source.tensor(name, "", 1) != null))
            .getFirst();
  }

  /**
   * Imports an {@code Embedding}.
   *
   * @param name its group, such as {@code layers/embedding}; in the older format its name
   * @return the layer, which takes {@linkplain io.recur.grad.OneHot one-hot} columns
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Embedding embedding(String name) {
    HdfTensor vectors = source.tensor("Embedding", name, "", 0);
    Map<String, Long> sizes = Map.of("input_dim", size(vectors, 0), "output_dim", size(vectors, 1));
    return (Embedding) layers("Embedding", name, sizes).getFirst();
  }

  /**
   * Imports a {@code LayerNormalization} over the features.
   *
   * @param name its group, such as {@code layers/layer_normalization}; in the older format its name
   * @param epsilon its {@code epsilon}, 0.001 unless it was set
   * @return the layer
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public LayerNorm layerNorm(String name, float epsilon) {
    source.tensor("LayerNormalization", name, "", 0);
    return (LayerNorm) layers("LayerNormalization", name, Map.of("epsilon", epsilon)).getFirst();
  }

  /**
   * Imports a {@code BatchNormalization} over the features, with a momentum of 0.01.
   *
   * @param name its group, such as {@code layers/batch_normalization}; in the older format its name
   * @param epsilon its {@code epsilon}, 0.001 unless it was set
   * @return the layer
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public BatchNorm batchNorm(String name, float epsilon) {
    source.tensor("BatchNormalization", name, "", 0);
    return (BatchNorm) layers("BatchNormalization", name, Map.of("epsilon", epsilon)).getFirst();
  }

  /**
   * Imports a {@code Conv1D}. Its stride, padding and dilation are settings of the result.
   *
   * @param name its group, such as {@code layers/conv1d}; in the older format its name
   * @return the layer, of stride 1, without padding, of dilation 1 and without groups
   * @throws IllegalArgumentException as {@link #simpleRnn(String)} does
   */
  public Conv1d conv1d(String name) {
    HdfTensor kernel = source.tensor("Conv1D", name, "", 0);
    Map<String, ?> values =
        Map.of(
            "filters", size(kernel, 2),
            "kernel_size", size(kernel, 0),
            "use_bias", source.tensor(name, "", 1) != null);
    return (Conv1d) layers("Conv1D", name, values).getFirst();
  }

  // What there is, and what became of it.

  /** {@return a line per tensor of the file, such as {@code layers/dense/vars/0 F32[8, 5]}} */
  public List<String> tensors() {
    return source.tree().tensors().entrySet().stream()
        .map(entry -> ConfigJson.shown(entry.getKey()) + " " + entry.getValue())
        .toList();
  }

  /**
   * {@return whether the file says what its model computes, so that {@link #model} can build it}
   */
  public boolean hasModel() {
    return source.config() != null;
  }

  /**
   * Tells what was mapped to what.
   *
   * @return one line per tensor that was read, such as {@code "layers/lstm/cell/vars/0" F32[3, 16]
   *     -> "lstm" (LSTM) Wi}, and one per setting that acts elsewhere or in training alone
   */
  public List<String> report() {
    return List.copyOf(report);
  }

  /**
   * Throws if the file has a tensor that no call has taken, but for those that training alone
   * needs. Call it after the last layer.
   *
   * @throws IllegalArgumentException if there are some; the message lists them
   */
  public void requireAllMapped() {
    List<String> left =
        source.tree().tensors().keySet().stream()
            .filter(path -> !taken.contains(path) && !Import.isOfTraining(path))
            .toList();
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: %d of %d tensors were not imported: %s; import their layers, or do not ask for all"
              .formatted(
                  source.where(), left.size(), source.tree().tensors().size(), Import.shown(left)));
    }
  }
}
