package io.recur.cli;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Layer;
import io.recur.serve.Moving;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * A model of a file that can be served.
 *
 * @param path of the file
 * @param loaded what it holds
 * @param layer that is stepped
 */
record Servable(Path path, LoadedModel loaded, Layer layer) {
  /**
   * Loads a model.
   *
   * @param isIndependent whether its columns are independent where it does not tell
   */
  static Servable load(Path path, Device device, ModelOptions options, boolean isIndependent)
      throws IOException {
    LoadedModel loaded;
    try (ModelFile file = ModelFile.open(path)) {
      loaded = file.load(device, options);
    }
    Layer layer = loaded.layer();
    if (layer instanceof OnnxModel && loaded.classes() > 0) {
      throw new IllegalArgumentException(
          path + ": a graph that takes integers and is no chain of layers cannot be served");
    }
    boolean isSaid = isIndependent && !layer.columnsAreIndependent();
    return new Servable(path, loaded, isSaid ? new Independent(layer) : layer);
  }

  /** Opens sessions for it. */
  Sessions opened(Function<Layer, Sessions> sessions) {
    try {
      return sessions.apply(layer);
    } catch (IllegalArgumentException e) {
      throw refused(e);
    }
  }

  /** Has it replace the model of sessions, and returns the number of its version. */
  int replace(Sessions sessions, Moving moving) {
    try {
      return sessions.versions().replace(layer, moving);
    } catch (IllegalArgumentException e) {
      throw refused(e);
    }
  }

  private IllegalArgumentException refused(IllegalArgumentException e) {
    boolean isGraph = layer instanceof OnnxModel;
    return new IllegalArgumentException(
        path + ": " + e.getMessage() + (isGraph ? "; of a graph --independent says so" : ""), e);
  }

  /** The model with the sizes, names and characters that its file tells. */
  ServedModel described(ServedModel model, Device device) {
    ServedModel known = model;
    if (loaded.layer() instanceof OnnxModel graph) {
      known = known.withNames(graph.inputs().getFirst().name(), graph.outputs().getFirst().name());
    }
    int in = loaded.classes() > 0 ? loaded.classes() : values(loaded.layer());
    int out = answered(loaded.layer(), in, device);
    if (out == 0) {
      return known;
    }
    known = known.withSizes(in, out);
    String vocabulary = loaded.facts().getOrDefault("vocabulary", "");
    boolean isOfText = in == out && vocabulary.codePointCount(0, vocabulary.length()) == in;
    if (isOfText && !vocabulary.isEmpty()) {
      return known.withVocabulary(vocabulary);
    }
    return loaded.classes() > 0 ? known.withSymbols() : known;
  }

  /** The values of a step: what a graph says, or what a chain begins with; 0 where that is open. */
  private static int values(Layer layer) {
    if (!(layer instanceof OnnxModel graph)) {
      return columns(layer);
    }
    List<String> sizes = graph.inputs().getFirst().sizes();
    String last = sizes.isEmpty() ? "" : sizes.getLast();
    return last.matches("\\d{1,9}") ? Integer.parseInt(last) : 0;
  }

  /** The columns of the first matrix, which is as a rule what the input meets; else 0. */
  private static int columns(Layer layer) {
    int columns = layer.own().isEmpty() ? 0 : layer.own().getFirst().shape().columns();
    for (Layer inner : layer.layers()) {
      columns = columns == 0 ? columns(inner) : columns;
    }
    return columns;
  }

  /** The values that the model answers a step of as many with; 0 where it refuses these. */
  private static int answered(Layer layer, int in, Device device) {
    if (in == 0) {
      return 0;
    }
    try (Layer fork = layer.fork();
        Tape tape = Tape.inference(device)) {
      return fork.apply(tape.input(Shape.of(in), new float[in])).shape().rows();
    } catch (ShapeException e) {
      return 0; // it takes others, which it refuses by itself
    }
  }
}
