package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.StateDict;
import io.recur.io.StoredTensor;
import io.recur.nn.Chain;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A state dictionary of PyTorch: names and tensors, and no architecture.
 *
 * @param path for errors
 * @param weights the open file
 */
record StateDictFile(Path path, StateDict weights) implements ModelFile {
  @Override
  public void describe(PrintWriter out) {
    Map<String, StoredTensor> tensors = weights.tensors();
    long values = tensors.values().stream().mapToLong(StoredTensor::count).sum();
    out.printf(
        Locale.ROOT,
        "state dictionary of PyTorch: %d tensors, %d values%n",
        tensors.size(),
        values);
    tensors.forEach((name, tensor) -> out.println(line(name, tensor)));
    out.println();
    out.println("by names and sizes: --as '" + ModuleReader.guess(tensors) + "'");
  }

  /** A tensor as PyTorch shows its sizes, last one contiguous. */
  private static String line(String name, StoredTensor tensor) {
    StringBuilder sizes = new StringBuilder();
    for (long size : tensor.dimensions()) {
      sizes.insert(0, sizes.isEmpty() ? "" + size : size + ", ");
    }
    return "  %s %s[%s]".formatted(Printable.of(name), tensor.dtype(), sizes);
  }

  @Override
  public LoadedModel load(Device device, ModelOptions options) throws IOException {
    options.refuseFixed(path);
    @Nullable Description description = options.description();
    if (description == null) {
      throw new IllegalArgumentException(
          "%s: a state dictionary has no architecture; give it: --as '%s', if that is its order, with"
                  .formatted(path, ModuleReader.guess(weights.tensors()))
              + " the functions between the layers");
    }
    if (options.keepsBiases()) {
      weights.keepBiases();
    }
    Chain model = description.read(weights);
    if (!options.isPartly()) {
      requireAllNamed(description);
    }
    model.on(device, 0); // every parameter has its value
    return new LoadedModel(
        model, description.completed(weights.tensors()), Map.of(), weights.report(), false);
  }

  private void requireAllNamed(Description description) {
    List<String> left = weights.unmapped();
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(
          """
          %s: --as '%s' leaves out %d of %d tensors: %s; name their layers too, or leave them out \
          with --partly"""
              .formatted(
                  path,
                  Printable.of(description.toString()),
                  left.size(),
                  weights.tensors().size(),
                  Printable.of(String.join(", ", left.subList(0, Math.min(20, left.size()))))));
    }
  }

  /**
   * Writes the file again: the tensors of the modules that were imported with what they hold now,
   * all others as they are, each with its element type.
   */
  void save(Path target) throws IOException {
    weights.save(target);
  }

  @Override
  public void close() throws IOException {
    weights.close();
  }
}
