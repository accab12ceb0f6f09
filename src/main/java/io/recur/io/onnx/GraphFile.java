package io.recur.io.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/** A file with a graph. */
final class GraphFile {
  private GraphFile() {}

  /** Makes something of the graph of a file; an error names the file. */
  static <T> T read(Path path, Function<Graph, T> maker) throws IOException {
    try {
      if (Files.size(path) > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "%d bytes; at most %d: keep the tensors in a file beside it"
                .formatted(Files.size(path), Integer.MAX_VALUE - 8));
      }
      Path folder = path.toAbsolutePath().getParent();
      ExternalData external =
          new ExternalData(Objects.requireNonNullElse(folder, path.toAbsolutePath()));
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path));
      return maker.apply(ModelReader.read(bytes, external));
    } catch (IllegalArgumentException e) {
      String what = String.valueOf(e.getMessage());
      throw new IllegalArgumentException(
          "onnx: %s: %s".formatted(path, what.startsWith("onnx: ") ? what.substring(6) : what), e);
    }
  }

  /** Refuses inputs that no model takes, and fixed values that are none of an input. */
  static void check(Graph graph, Map<String, Value> fixed) {
    fixed.forEach((name, value) -> check(graph, name, value));
    for (Port port : graph.inputs()) {
      if (port.type() != ElementType.UNDEFINED && port.type().bytes() == 0) {
        throw new IllegalArgumentException(
            "input %s; need floats, integers or booleans".formatted(port));
      }
    }
  }

  private static void check(Graph graph, String name, Value value) {
    Port port =
        graph.inputs().stream().filter(input -> input.name().equals(name)).findFirst().orElse(null);
    if (port == null || value instanceof Value.OnTape) {
      throw new IllegalArgumentException(
          "fixed %s is %s; need one of the inputs %s, on the host"
              .formatted(
                  Wire.shown(name), port == null ? "no input" : "on a tape", graph.inputs()));
    }
    Arguments.check(port, value);
    Arguments.check(port, value.dims(), new LinkedHashMap<>());
  }
}
