package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.keras.KerasFile;
import io.recur.nn.Chain;
import io.recur.nn.Network;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * A model of Keras, or weights of one.
 *
 * @param path for errors
 * @param keras the file
 */
record KerasModelFile(Path path, KerasFile keras) implements ModelFile {
  @Override
  public void describe(PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%s of Keras: %d tensors%n",
        keras.hasModel() ? "model" : "weights",
        keras.tensors().size());
    keras.tensors().forEach(line -> out.println("  " + Printable.of(line)));
    out.println();
    if (keras.hasModel()) {
      Network network = keras.network();
      out.println(network.nodes().size() == 1 ? network.layers().getFirst() : network);
    } else {
      out.println("a file of weights does not tell its model; save it whole, as model.keras");
    }
  }

  @Override
  public LoadedModel load(Device device, ModelOptions options) {
    options.refuseFixed(path);
    if (options.description() != null) {
      throw new IllegalArgumentException(
          path + ": a file of Keras tells its model, or is read in Java; leave out --as");
    }
    Chain model = keras.model();
    if (!options.isPartly()) {
      keras.requireAllMapped();
    }
    model.on(device, 0); // every parameter has its value
    return new LoadedModel(model, null, Map.of(), keras.report(), false);
  }

  @Override
  public void close() {}
}
