package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Layer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A graph of ONNX, which tells its model. It was read as a whole.
 *
 * @param path for errors
 * @param kind what it is
 * @param model on no device yet
 * @param report a line for what became what
 * @param ports a line for each input and output
 * @param batchFirst whether the names of sizes say that the batch comes before the steps
 */
record OnnxModelFile(
    Path path,
    String kind,
    Layer model,
    List<String> report,
    List<String> ports,
    boolean batchFirst)
    implements ModelFile {
  /** Reads a graph, as a chain of layers where it is a straight line of these. */
  static OnnxModelFile read(Path path) throws IOException {
    OnnxModel graph = OnnxModel.read(path);
    try {
      return of(path, "a chain of layers", OnnxModel.readChain(path), graph);
    } catch (IllegalArgumentException e) {
      return of(path, "run node by node: " + e.getMessage(), graph, graph);
    }
  }

  private static OnnxModelFile of(Path path, String how, Layer model, OnnxModel graph) {
    List<String> ports = new ArrayList<>();
    graph.inputs().forEach(port -> ports.add("takes " + port));
    graph.outputs().forEach(port -> ports.add("gives " + port));
    boolean isBatchFirst = LoadedModel.isBatchFirst(graph);
    return new OnnxModelFile(
        path, "graph of ONNX, " + how, model, graph.report(), ports, isBatchFirst);
  }

  @Override
  public void describe(PrintWriter out) {
    out.println(Printable.of(kind));
    model.toString().lines().forEach(line -> out.println(Printable.of(line)));
    ports.forEach(line -> out.println("  " + Printable.of(line)));
    report.forEach(line -> out.println("  " + Printable.of(line)));
  }

  @Override
  public LoadedModel load(Device device, ModelOptions options) {
    if (options.description() != null) {
      throw new IllegalArgumentException(path + ": it tells its model; leave --as out");
    }
    return new LoadedModel(model.on(device, 0), null, Map.of(), report, batchFirst);
  }

  @Override
  public void close() {}
}
