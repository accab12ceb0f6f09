package io.recur.cli;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Models;
import io.recur.io.Safetensors;
import io.recur.io.StateDict;
import io.recur.io.Weights;
import io.recur.io.onnx.Dims;
import io.recur.io.onnx.OnnxModel;
import io.recur.io.onnx.Port;
import io.recur.io.onnx.Value;
import io.recur.nn.Bidirectional;
import io.recur.nn.Chain;
import io.recur.nn.Embedding;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model of a file, on a device.
 *
 * @param layer the model
 * @param description from which the layers are built again; null if there is none
 * @param facts the strings of a checkpoint
 * @param report a line for what became what
 * @param batchFirst whether its arrays are [batch, time, …], as far as the file tells
 */
record LoadedModel(
    Layer layer,
    @Nullable Description description,
    Map<String, String> facts,
    List<String> report,
    boolean batchFirst) {

  /** The description of a checkpoint's layers, among the strings that Recur keeps for itself. */
  static final String DESCRIPTION = "recur.model";

  /** The order of arrays, among the same strings. */
  static final String BATCH_FIRST = "recur.batch-first";

  /** Tells whether the names of sizes in a graph say that the batch comes before the steps. */
  static boolean isBatchFirst(OnnxModel graph) {
    if (graph.inputs().isEmpty()) {
      return false;
    }
    Port first = graph.inputs().getFirst();
    List<String> sizes = first.sizes();
    return sizes.size() == (first.type().isInteger() ? 2 : 3)
        && isNamed("batch", sizes.get(0))
        && !isNamed("batch", sizes.get(1));
  }

  private static boolean isNamed(String part, String size) {
    return size.toLowerCase(Locale.ROOT).contains(part);
  }

  /** {@return the classes of an embedding that the input enters, or 0; of a graph any number} */
  int classes() {
    if (takesIntegers()) {
      return Integer.MAX_VALUE;
    }
    Layer first = layer;
    while (first instanceof Chain chain && !chain.layers().isEmpty()) {
      first = chain.layers().getFirst();
    }
    return first instanceof Embedding embedding ? embedding.own().getFirst().shape().columns() : 0;
  }

  private boolean takesIntegers() {
    return layer instanceof OnnxModel graph
        && graph.inputs().size() == 1
        && graph.inputs().getFirst().type().isInteger();
  }

  /**
   * Runs the model on the steps of a series.
   *
   * @param isBatchFirst whether arrays are [batch, time, …], which a graph then takes as they are
   */
  Tensor apply(Tape tape, Series x, boolean isBatchFirst) {
    if (!(layer instanceof OnnxModel graph)) {
      return layer.apply(x.on(tape));
    }
    if (!isBatchFirst) {
      return answer(graph, tape, x);
    }
    Tensor y = answer(graph, tape, x.turned());
    Shape shape = y.shape();
    if (shape.rank() < 3) {
      return y; // one answer for each sequence
    }
    int time = shape.batch();
    int batch = shape.time();
    float[] values = Series.swapped(y.toArray(), batch, time, shape.rows());
    return tape.input(Shape.of(shape.rows(), batch, time), values);
  }

  private Tensor answer(OnnxModel graph, Tape tape, Series x) {
    if (graph.inputs().size() != 1) {
      throw new IllegalArgumentException(
          "the graph takes %s; need values for all but the sequence: give them with --fix INPUT=VALUE"
                  .formatted(graph.inputs())
              + " where the graph is read");
    }
    if (!takesIntegers()) {
      boolean isStep = graph.inputs().getFirst().sizes().size() == 2 && x.time() == 1;
      Tensor steps = x.on(tape);
      return graph.apply(isStep ? steps.reshape(Shape.of(x.rows(), x.batch())) : steps);
    }
    Value indexes = Value.of(Dims.of(x.time(), x.batch()), x.integers());
    Map<String, Value> found = graph.run(tape, Map.of(graph.inputs().getFirst().name(), indexes));
    return found.get(graph.outputs().getFirst().name()).tensor();
  }

  /** Refuses a model that needs the steps that follow, which a stream does not have. */
  void requireStream() {
    boolean runsBack =
        layer.all().stream()
            .anyMatch(
                each ->
                    each instanceof Bidirectional
                        || (each instanceof OnnxModel graph && graph.runsBack()));
    if (runsBack) {
      throw new IllegalArgumentException(
          "--stream: the model runs in both directions, and the backward one needs the steps that"
              + " follow; leave --stream out");
    }
  }

  /** Sets every initial state to zero. */
  void zeroStates() {
    for (Recur recur : layer.recurs()) {
      for (Parameter state : recur.cell().state0()) {
        state.value().write(new float[state.shape().count()]);
      }
    }
  }

  /** Refuses a model that a checkpoint could not tell. */
  void requireDescribed(Path in) {
    List<String> unknown = Models.unknown(layer);
    if (description == null && !unknown.isEmpty()) {
      throw new IllegalArgumentException(
          """
          %s: a checkpoint cannot tell this model, since %s is none of the layers that it \
          describes; recur run and recur info take %s itself, and Weights.save in Java keeps its \
          weights alone"""
              .formatted(in, unknown.stream().map(Printable::of).toList(), in));
    }
  }

  /** Writes the weights under Recur's names, with the description. */
  void saveCheckpoint(Path target) throws IOException {
    Map<String, String> metadata = Weights.metadata(layer, facts);
    if (description != null) {
      metadata.put(DESCRIPTION, description.toString());
    }
    if (batchFirst) {
      metadata.put(BATCH_FIRST, "true");
    }
    new Safetensors(metadata, Weights.tensors(layer)).write(target);
  }

  /**
   * Writes a state dictionary of PyTorch. A layer without a name in the description is named by its
   * place, as in {@code nn.Sequential}.
   */
  void saveStateDict(Path target) throws IOException {
    List<? extends Layer> layers = layer instanceof Chain chain ? chain.layers() : List.of(layer);
    Map<String, Layer> modules = new LinkedHashMap<>();
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Part part = description == null ? null : description.parts().get(i);
      String name = part == null || part.name() == null ? "" + i : part.module();
      boolean isModule = !layers.get(i).parameters().named().isEmpty();
      if (isModule && modules.put(name, layers.get(i)) != null) {
        throw new IllegalArgumentException(
            "two layers are named %s; give each a name of its own".formatted(Printable.of(name)));
      }
      if (part != null && part.kind().isCell()) {
        cells.add(name);
      }
    }
    StateDict.save(target, modules, cells.toArray(String[]::new));
  }
}
