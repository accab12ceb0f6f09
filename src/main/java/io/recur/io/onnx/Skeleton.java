package io.recur.io.onnx;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A graph as text without the values that are parameters of its model, which a file of weights has.
 *
 * @param graph as it was read
 * @param fixed values of inputs that the model has no more
 * @param replaced the constants that nothing but parameters is made of, found by identity
 */
record Skeleton(Graph graph, Map<String, Value> fixed, Set<Value> replaced) {
  /** The text: base 64 of a file of ONNX. */
  String text() {
    return Base64.getEncoder().encodeToString(GraphWriter.bytes(whole(), replaced));
  }

  /** The graph in which each fixed input is a constant. */
  private Graph whole() {
    if (fixed.isEmpty()) {
      return graph;
    }
    int opset =
        graph.nodes().stream()
            .filter(node -> Operators.isOnnx(node.domain()))
            .mapToInt(Node::opset)
            .findFirst()
            .orElse(17);
    List<Node> nodes = new ArrayList<>();
    fixed.forEach(
        (name, value) ->
            nodes.add(
                new Node(
                    name,
                    "Constant",
                    "",
                    opset,
                    List.of(),
                    List.of(name),
                    Map.of("value", new Attribute.Data(value)))));
    nodes.addAll(graph.nodes());
    Map<String, Value> initialisers = new LinkedHashMap<>(graph.initialisers());
    initialisers.keySet().removeAll(fixed.keySet());
    List<Port> inputs =
        graph.inputs().stream().filter(port -> !fixed.containsKey(port.name())).toList();
    return new Graph(graph.name(), nodes, initialisers, inputs, graph.outputs());
  }

  /**
   * Reads the graph of a text; what is replaced is zeros.
   *
   * @param most the values of all parameters of the file
   */
  static Graph read(String text, long most) {
    try {
      return ModelReader.read(ByteBuffer.wrap(decoded(text)), new Blank(most));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] decoded(String text) {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "onnx: a text of %d characters is no skeleton: need one of OnnxModel.skeleton()"
              .formatted(text.length()),
          e);
    }
  }

  /**
   * Gives zeros. One parameter may be the sum of two biases, and one constant may be several
   * parameters: there are at most twice as many values as in the parameters.
   */
  private static final class Blank implements ForeignData {
    private final long most;
    private long read;

    Blank(long most) {
      this.most = most;
    }

    @Override
    public ByteBuffer read(Map<String, String> entries, long bytes) {
      read += bytes / Float.BYTES;
      if (read / 2 > most) {
        throw new IllegalArgumentException(
            "%d values are left out; need at most twice the %d that the file's parameters have"
                .formatted(read, most));
      }
      return ByteBuffer.allocate(Math.toIntExact(bytes));
    }
  }
}
