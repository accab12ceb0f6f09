package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.Npy;
import io.recur.io.onnx.Dims;
import io.recur.io.onnx.OnnxModel;
import io.recur.io.onnx.Port;
import io.recur.io.onnx.Value;
import io.recur.nn.Layer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A graph of ONNX, which tells its model. It was read as a whole.
 *
 * @param path for errors
 * @param graph on no device yet
 * @param model the same as a chain of layers where it is a straight line of these, or the graph
 */
record OnnxModelFile(Path path, OnnxModel graph, Layer model) implements ModelFile {
  /** Reads a graph. */
  static OnnxModelFile read(Path path) throws IOException {
    OnnxModel graph = OnnxModel.read(path);
    try {
      return new OnnxModelFile(path, graph, OnnxModel.readChain(path));
    } catch (IllegalArgumentException e) {
      return new OnnxModelFile(path, graph, graph); // no straight line
    }
  }

  @Override
  public void describe(PrintWriter out) {
    String how = model == graph ? "run node by node" : "a chain of layers";
    out.println("graph of ONNX, " + how);
    model.toString().lines().forEach(line -> out.println(Printable.of(line)));
    graph.inputs().forEach(port -> out.println("  takes " + Printable.of(port.toString())));
    graph.outputs().forEach(port -> out.println("  gives " + Printable.of(port.toString())));
    graph.report().forEach(line -> out.println("  " + Printable.of(line)));
  }

  @Override
  public LoadedModel load(Device device, ModelOptions options) throws IOException {
    if (options.description() != null) {
      throw new IllegalArgumentException(path + ": it tells its model; leave --as out");
    }
    if (options.fixed().isEmpty()) {
      return loaded(model.on(device, 0), graph);
    }
    Map<String, Value> values = new LinkedHashMap<>();
    for (Map.Entry<String, String> entry : options.fixed().entrySet()) {
      values.put(entry.getKey(), value(entry.getKey(), entry.getValue()));
    }
    OnnxModel fixed = OnnxModel.read(path, values);
    return loaded(fixed.on(device, 0), fixed);
  }

  private static LoadedModel loaded(Layer model, OnnxModel graph) {
    boolean isBatchFirst = LoadedModel.isBatchFirst(graph);
    return new LoadedModel(model, null, Map.of(), graph.report(), isBatchFirst);
  }

  /** A number or an array as the input of a name takes it. */
  private Value value(String name, String text) throws IOException {
    Port port =
        graph.inputs().stream()
            .filter(input -> input.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "--fix %s=%s: %s takes %s; name one of these inputs"
                            .formatted(name, text, path, graph.inputs())));
    Npy array = text.endsWith(".npy") ? Npy.read(Path.of(text)) : number(port, text);
    Dims dims = Dims.of(array.sizes());
    if (!port.type().isInteger()) {
      return Value.of(dims, array.values());
    }
    long[] integers = new long[array.values().length];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (long) array.values()[i];
      if (integers[i] != array.values()[i]) {
        throw new IllegalArgumentException(
            "--fix %s=%s: value %d is %s; need integers"
                .formatted(name, text, i, array.values()[i]));
      }
    }
    return new Value.Integers(port.type(), dims, integers);
  }

  /** One number, in as many dimensions as the input has. */
  private static Npy number(Port port, String text) {
    int[] sizes = port.sizes().stream().mapToInt(size -> 1).toArray();
    try {
      return new Npy(sizes, new float[] {Float.parseFloat(text)});
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "--fix %s=%s; need a number or an array x.npy".formatted(port.name(), text), e);
    }
  }

  @Override
  public void close() {}
}
