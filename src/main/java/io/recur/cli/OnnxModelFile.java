package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.onnx.Dims;
import io.recur.io.onnx.OnnxModel;
import io.recur.io.onnx.Port;
import io.recur.io.onnx.Value;
import io.recur.nn.Layer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
  public LoadedModel load(Device device, ModelOptions options) throws IOException {
    if (options.description() != null) {
      throw new IllegalArgumentException(path + ": it tells its model; leave --as out");
    }
    if (!options.fixed().isEmpty()) {
      Layer graph = OnnxModel.read(path, values(options.fixed())).on(device, 0);
      return new LoadedModel(graph, null, Map.of(), report, batchFirst);
    }
    return new LoadedModel(model.on(device, 0), null, Map.of(), report, batchFirst);
  }

  /** Numbers of inputs in the types that these have. */
  private Map<String, Value> values(Map<String, String> numbers) {
    List<Port> inputs = model instanceof OnnxModel graph ? graph.inputs() : List.of();
    Map<String, Value> values = new LinkedHashMap<>();
    numbers.forEach(
        (name, number) -> {
          Port port =
              inputs.stream()
                  .filter(input -> input.name().equals(name))
                  .findFirst()
                  .orElseThrow(
                      () ->
                          new IllegalArgumentException(
                              "%s: --fix %s: no such input; it has %s, and one at least stays open"
                                  .formatted(path, name, inputs)));
          values.put(name, value(port, number));
        });
    return values;
  }

  private Value value(Port port, String number) {
    Dims dims = port.sizes().isEmpty() ? Dims.of() : Dims.of(1);
    try {
      return port.type().isInteger()
          ? Value.of(dims, Long.parseLong(number))
          : Value.of(dims, Float.parseFloat(number));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: --fix %s=%s; need a number of %s".formatted(path, port.name(), number, port), e);
    }
  }

  @Override
  public void close() {}
}
