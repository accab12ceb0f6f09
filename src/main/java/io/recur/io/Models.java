package io.recur.io;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Layer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Builds models from files that Recur has written. A file of {@link Weights}, and so a checkpoint,
 * says what its model is built of, wherever that came from: the built-in layers and cells, and
 * those of {@link io.recur.nn.cells} and those that the importers of PyTorch, Keras and ONNX make,
 * graphs of ONNX among them.
 *
 * <pre>{@code
 * Layer model = Models.read(path, device);
 * Optimiser adam = new Adam(0.001f);
 * Checkpoint.load(path, model, adam);          // states and optimiser too: the training continues
 * }</pre>
 */
public final class Models {
  /** The string of a file that says what its model is built of. */
  static final String STRUCTURE = "recur.structure";

  private Models() {}

  /**
   * Builds the model of a file and reads its parameters. Its states are fresh.
   *
   * @param path a file of {@link Weights#save} or a checkpoint
   * @param device where the model is placed
   * @return the model, trainable where the saved one was
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file does not say what its model is built of, or if it
   *     is damaged
   */
  public static Layer read(Path path, Device device) throws IOException {
    try (Safetensors file = Safetensors.read(path)) {
      return read(path, file, device);
    }
  }

  /**
   * Builds the model of an open file and reads its parameters. Its states are fresh.
   *
   * @param path the file's path, for errors
   * @param file an open file
   * @param device where the model is placed
   * @return the model, trainable where the saved one was
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #read(Path, Device)} does
   */
  public static Layer read(Path path, Safetensors file, Device device) throws IOException {
    Layer model = like(path, file);
    model.parameters().reserve(device);
    Weights.load(path, file, model, constants(model));
    return model;
  }

  /** The constants of graphs, such as masks of infinities. */
  private static String[] constants(Layer model) {
    Set<Parameter> constants = Collections.newSetFromMap(new IdentityHashMap<>());
    model.all().stream()
        .filter(OnnxModel.class::isInstance)
        .forEach(graph -> constants.addAll(graph.own()));
    return model.parameters().named().entrySet().stream()
        .filter(entry -> constants.contains(entry.getValue()))
        .map(Map.Entry::getKey)
        .toArray(String[]::new);
  }

  /**
   * Builds the model of an open file without its values.
   *
   * @param path the file's path, for errors
   * @param file an open file
   * @return an untrained model on no device, whose parameters are those of the file by name and
   *     size
   * @throws IllegalArgumentException if the file does not say what its model is built of, or if
   *     that does not fit its tensors
   */
  public static Layer like(Path path, Safetensors file) {
    String text = file.metadata().get(STRUCTURE);
    if (text == null) {
      throw new IllegalArgumentException(
          path
              + ": it does not say what its model is built of; build the model it was saved from, and"
              + " call Weights.load(path, model)");
    }
    Layer model;
    try {
      model = Structure.model(text, values(file));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IllegalArgumentException(
          "%s: what its model is built of: %s".formatted(path, e.getMessage()), e);
    }
    Weights.check(path, file, model);
    return model;
  }

  private static long values(Safetensors file) {
    return file.tensors().entrySet().stream()
        .filter(entry -> Role.of(entry.getKey()) == Role.PARAMETER)
        .mapToLong(entry -> entry.getValue().count())
        .sum();
  }

  /**
   * Tells whether {@link #like} can build the model of a file.
   *
   * @param file an open file
   * @return whether it says what its model is built of
   */
  public static boolean isTold(Safetensors file) {
    return file.metadata().containsKey(STRUCTURE);
  }

  /**
   * Finds the parts of a model that a file cannot describe.
   *
   * @param model a model
   * @return its layers that are none of the known ones, such as a cell of your own, as the model
   *     prints them; none if a file says what the model is built of
   */
  public static List<String> unknown(Layer model) {
    return Structure.unknown(model);
  }
}
