package io.recur.io.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a model: {@code ModelProto} of onnx.proto and what is inside, field by field with the
 * numbers that stand there. Fields that change no answer (documentation, metadata) are passed over.
 */
final class ModelReader {
  private final TensorReader tensors;
  private final Map<String, Integer> opsets = new HashMap<>();

  private ModelReader(TensorReader tensors) {
    this.tensors = tensors;
  }

  /**
   * Reads a model.
   *
   * @param bytes all bytes of the file
   * @param external the tensors in other places
   * @return its graph
   * @throws IllegalArgumentException if the bytes are damaged or not ONNX
   */
  static Graph read(ByteBuffer bytes, ForeignData external) throws IOException {
    return new ModelReader(new TensorReader(external)).model(Wire.of(bytes));
  }

  private Graph model(Wire wire) throws IOException {
    Wire graph = null;
    while (wire.next()) {
      switch (wire.field()) {
        case 7 -> {
          if (graph != null) {
            throw new IllegalArgumentException("model: two graphs; need one");
          }
          graph = wire.message();
        }
        case 8 -> opset(wire.message());
        default -> wire.skip();
      }
    }
    if (graph == null || opsets.isEmpty()) {
      throw new IllegalArgumentException(
          "model: no %s; the file is damaged, or not ONNX"
              .formatted(graph == null ? "graph" : "opset_import"));
    }
    return graph(graph);
  }

  private void opset(Wire wire) {
    String domain = "";
    long version = 0;
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> domain = wire.text();
        case 2 -> version = wire.whole();
        default -> wire.skip();
      }
    }
    int narrow = Math.clamp(version, 0, Integer.MAX_VALUE);
    opsets.put(Operators.isOnnx(domain) ? "" : domain, narrow);
  }

  private Graph graph(Wire wire) throws IOException {
    String name = "";
    List<Node> nodes = new ArrayList<>();
    Map<String, Value> initialisers = new LinkedHashMap<>();
    List<Port> inputs = new ArrayList<>();
    List<Port> outputs = new ArrayList<>();
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> nodes.add(node(wire.message(), nodes.size()));
        case 2 -> name = wire.text();
        case 5 -> {
          TensorReader.Named read = tensors.read(wire.message());
          if (initialisers.put(read.name(), read.value()) != null) {
            throw new IllegalArgumentException(
                "graph: initialiser %s is there twice".formatted(Wire.shown(read.name())));
          }
        }
        case 11 -> inputs.add(port(wire.message()));
        case 12 -> outputs.add(port(wire.message()));
        case 15 ->
            throw new IllegalArgumentException(
                "graph %s: a sparse initialiser; need dense ones".formatted(Wire.shown(name)));
        default -> wire.skip();
      }
    }
    return new Graph(
        name, List.copyOf(nodes), initialisers, List.copyOf(inputs), List.copyOf(outputs));
  }

  // Nodes.

  private Node node(Wire wire, int number) throws IOException {
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    List<Wire> attributes = new ArrayList<>();
    String name = "";
    String type = "";
    String domain = "";
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> inputs.add(wire.text());
        case 2 -> outputs.add(wire.text());
        case 3 -> name = wire.text();
        case 4 -> type = wire.text();
        case 5 -> attributes.add(wire.message());
        case 7 -> domain = wire.text();
        default -> wire.skip();
      }
    }
    String shown = name.isEmpty() ? "#" + number : name;
    int opset = opsets.getOrDefault(Operators.isOnnx(domain) ? "" : domain, 0);
    Node bare = new Node(shown, type, domain, opset, inputs, outputs, Map.of());
    Map<String, Attribute> read = new HashMap<>();
    for (Wire attribute : attributes) {
      attribute(bare, attribute, read);
    }
    return new Node(shown, type, domain, opset, inputs, outputs, read);
  }

  private void attribute(Node node, Wire wire, Map<String, Attribute> to) throws IOException {
    AttributeReader read = new AttributeReader();
    read.fields(wire);
    Attribute attribute;
    try {
      attribute = read.attribute(this);
    } catch (IllegalArgumentException e) {
      throw Body.named(node, e);
    }
    if (to.put(read.name, attribute) != null) {
      throw node.refuse("attribute %s is there twice".formatted(Wire.shown(read.name)));
    }
  }

  Value tensor(Wire wire) throws IOException {
    return tensors.read(wire).value();
  }

  Graph inner(Wire wire) throws IOException {
    return graph(wire);
  }

  // Inputs and outputs.

  private static Port port(Wire wire) {
    String name = "";
    Wire type = null;
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> name = wire.text();
        case 2 -> type = wire.message();
        default -> wire.skip();
      }
    }
    return typed(name, type);
  }

  private static Port typed(String name, @Nullable Wire type) {
    Port port = new Port(name, ElementType.UNDEFINED, false, List.of());
    while (type != null && type.next()) {
      if (type.field() == 1) {
        port = tensorPort(name, type.message());
      } else if (type.field() == 6) {
        type.skip(); // denotation
      } else {
        throw new IllegalArgumentException(
            "value %s is no tensor; sequences, maps and optional values are not read"
                .formatted(Wire.shown(name)));
      }
    }
    return port;
  }

  private static Port tensorPort(String name, Wire wire) {
    ElementType type = ElementType.UNDEFINED;
    List<String> sizes = null;
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> type = ElementType.of(wire.whole());
        case 2 -> sizes = sizes(wire.message());
        default -> wire.skip();
      }
    }
    return new Port(name, type, sizes != null, sizes == null ? List.of() : sizes);
  }

  private static List<String> sizes(Wire wire) {
    List<String> sizes = new ArrayList<>();
    while (wire.next()) {
      if (wire.field() == 1) {
        sizes.add(size(wire.message()));
      } else {
        wire.skip();
      }
    }
    return sizes;
  }

  private static String size(Wire wire) {
    String size = Port.OPEN;
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> {
          long value = wire.whole();
          size = value < 0 ? Port.OPEN : Long.toString(value);
        }
        case 2 -> {
          String name = wire.text();
          size = name.isEmpty() ? Port.OPEN : name;
        }
        default -> wire.skip();
      }
    }
    return size;
  }
}
