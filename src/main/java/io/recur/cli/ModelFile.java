package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.Safetensors;
import io.recur.io.StateDict;
import io.recur.io.keras.KerasFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;

/** An open file that holds a model, or the weights of one. */
sealed interface ModelFile extends AutoCloseable
    permits CheckpointFile, KerasModelFile, OnnxModelFile, StateDictFile {
  /**
   * Opens a file of any kind. Another kind is hooked in here: one line, and a class that reads it.
   *
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is damaged, or of no kind that is read
   */
  static ModelFile open(Path path) throws IOException {
    return switch (FileKind.of(path)) {
      case SAFETENSORS -> ofSafetensors(path);
      case TORCH, INDEX -> new StateDictFile(path, StateDict.read(path));
      case KERAS, HDF5 -> new KerasModelFile(path, KerasFile.read(path));
      case ONNX -> OnnxModelFile.read(path);
    };
  }

  private static ModelFile ofSafetensors(Path path) throws IOException {
    Safetensors file = Safetensors.read(path);
    if (file.metadata().getOrDefault("format", "").startsWith("recur")) {
      return new CheckpointFile(path, file);
    }
    file.close();
    return new StateDictFile(path, StateDict.read(path));
  }

  /** Prints what the file holds. */
  void describe(PrintWriter out) throws IOException;

  /**
   * Reads the model.
   *
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file does not tell the model and no option does, if
   *     they contradict each other, or if the file is damaged
   */
  LoadedModel load(Device device, ModelOptions options) throws IOException;

  @Override
  void close() throws IOException;
}
