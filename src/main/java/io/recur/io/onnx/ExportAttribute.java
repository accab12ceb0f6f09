package io.recur.io.onnx;

import java.util.List;

/**
 * Attributes of nodes, the {@code AttributeProto} of {@code onnx.proto}. Each has the number of its
 * type, and its value in the field of that type.
 */
final class ExportAttribute {
  private static final int NAME = 1;
  private static final int TYPE = 20;

  private ExportAttribute() {}

  static MessageWriter of(String name, long value) {
    return begin(name, 2).integer(3, value);
  }

  static MessageWriter of(String name, float value) {
    return begin(name, 1).real(2, value);
  }

  static MessageWriter of(String name, String value) {
    return begin(name, 3).text(4, value);
  }

  static MessageWriter of(String name, MessageWriter graph) {
    return begin(name, 5).message(6, graph);
  }

  static MessageWriter integers(String name, long... values) {
    MessageWriter attribute = begin(name, 7);
    for (long value : values) {
      attribute.integer(8, value);
    }
    return attribute;
  }

  static MessageWriter texts(String name, List<String> values) {
    MessageWriter attribute = begin(name, 8);
    values.forEach(value -> attribute.text(9, value));
    return attribute;
  }

  private static MessageWriter begin(String name, int type) {
    return new MessageWriter().text(NAME, name).integer(TYPE, type);
  }
}
