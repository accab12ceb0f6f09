package io.recur.io.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes a graph that was read, in the format of ONNX. Floats of every size are written as float32.
 * A tensor that is left blank has its sizes and, in place of values, the mark of values in another
 * place, without a place.
 */
final class GraphWriter {
  private static final int IR_VERSION = 8;
  private static final int EXTERNAL = 1;

  private final Set<Value> blank;
  private final Map<String, Integer> opsets = new TreeMap<>();

  private GraphWriter(Set<Value> blank) {
    this.blank = blank;
  }

  /**
   * Writes a model.
   *
   * @param blank the values to leave out, found by identity
   */
  static byte[] bytes(Graph graph, Set<Value> blank) {
    GraphWriter writer = new GraphWriter(blank);
    MessageWriter body = writer.graph(graph);
    MessageWriter model = new MessageWriter().integer(1, IR_VERSION).message(7, body);
    writer.opsets.putIfAbsent("", 17);
    writer.opsets.forEach(
        (domain, version) ->
            model.message(8, new MessageWriter().text(1, domain).integer(2, version)));
    return model.toBytes();
  }

  private MessageWriter graph(Graph graph) {
    MessageWriter to = new MessageWriter();
    graph.nodes().forEach(node -> to.message(1, node(node)));
    to.text(2, graph.name());
    graph.initialisers().forEach((name, value) -> to.message(5, tensor(name, value)));
    graph.inputs().forEach(port -> to.message(11, port(port)));
    graph.outputs().forEach(port -> to.message(12, port(port)));
    return to;
  }

  private MessageWriter node(Node node) {
    opsets.put(node.domain(), node.opset());
    MessageWriter to = new MessageWriter();
    node.inputs().forEach(name -> to.text(1, name));
    node.outputs().forEach(name -> to.text(2, name));
    to.text(3, node.name()).text(4, node.type()).text(7, node.domain());
    new TreeMap<>(node.attributes())
        .forEach((name, attribute) -> to.message(5, attribute(name, attribute)));
    return to;
  }

  private MessageWriter attribute(String name, Attribute attribute) {
    MessageWriter to = new MessageWriter().text(1, name);
    int type =
        switch (attribute) {
          case Attribute.Real real -> {
            to.real(2, real.value());
            yield 1;
          }
          case Attribute.Whole whole -> {
            to.integer(3, whole.value());
            yield 2;
          }
          case Attribute.Text text -> {
            to.text(4, text.value());
            yield 3;
          }
          case Attribute.Data data -> {
            to.message(5, tensor("", data.value()));
            yield 4;
          }
          case Attribute.Inner inner -> {
            to.message(6, graph(inner.graph()));
            yield 5;
          }
          case Attribute.Reals reals -> {
            for (float value : reals.values()) {
              to.real(7, value);
            }
            yield 6;
          }
          case Attribute.Wholes wholes -> {
            for (long value : wholes.values()) {
              to.integer(8, value);
            }
            yield 7;
          }
          case Attribute.Texts texts -> {
            texts.values().forEach(text -> to.text(9, text));
            yield 8;
          }
          case Attribute.Other other ->
              throw new IllegalArgumentException(
                  "onnx: attribute %s of type %s".formatted(Wire.shown(name), other.type()));
        };
    return to.integer(20, type);
  }

  private MessageWriter tensor(String name, Value value) {
    ElementType type =
        value instanceof Value.Integers integers ? integers.type() : ElementType.FLOAT;
    MessageWriter to = new MessageWriter();
    for (int axis = 0; axis < value.dims().rank(); axis++) {
      to.integer(1, value.dims().size(axis));
    }
    to.integer(2, type.ordinal()).text(8, name);
    return blank.contains(value) ? to.integer(14, EXTERNAL) : to.bytes(9, raw(type, value));
  }

  private static byte[] raw(ElementType type, Value value) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(value.dims().count(), type.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    if (value instanceof Value.Integers integers) {
      for (long each : integers.values()) {
        switch (type.bytes()) {
          case 1 -> bytes.put((byte) each);
          case 2 -> bytes.putShort((short) each);
          case 4 -> bytes.putInt((int) each);
          default -> bytes.putLong(each);
        }
      }
    } else {
      bytes.asFloatBuffer().put(value.floats());
    }
    return bytes.array();
  }

  private static MessageWriter port(Port port) {
    MessageWriter to = new MessageWriter().text(1, port.name());
    if (port.type() == ElementType.UNDEFINED && !port.isShaped()) {
      return to;
    }
    MessageWriter tensor = new MessageWriter().integer(1, port.type().ordinal());
    if (port.isShaped()) {
      MessageWriter shape = new MessageWriter();
      for (int axis = 0; axis < port.sizes().size(); axis++) {
        shape.message(1, size(port, axis));
      }
      tensor.message(2, shape);
    }
    return to.message(2, new MessageWriter().message(1, tensor));
  }

  private static MessageWriter size(Port port, int axis) {
    String size = port.sizes().get(axis);
    MessageWriter to = new MessageWriter();
    return size.equals(Port.OPEN)
        ? to
        : port.isOpen(axis) ? to.text(2, size) : to.integer(1, Long.parseLong(size));
  }
}
