package io.recur.io.onnx;

import java.util.ArrayList;
import java.util.List;

/**
 * A graph of ONNX while it is written, the {@code GraphProto} of {@code onnx.proto}: the model's,
 * or the body of a Scan, which may name the values of the graph around it.
 */
final class ExportGraph {
  /** Types of elements, as {@code TensorProto.DataType} numbers them. */
  static final int FLOAT = 1;

  static final int INT32 = 6;
  static final int INT64 = 7;
  static final int BOOL = 9;

  private static final int NODE = 1;
  private static final int NAME = 2;
  private static final int INITIALIZER = 5;
  private static final int INPUT = 11;
  private static final int OUTPUT = 12;

  private final MessageWriter message = new MessageWriter();
  private final ExportNames names;

  /**
   * Begins a graph.
   *
   * @param name of the graph
   * @param names of the whole model
   */
  ExportGraph(String name, ExportNames names) {
    this.names = names;
    message.text(NAME, name);
  }

  ExportNames names() {
    return names;
  }

  /** {@return the message, to which nothing more is added} */
  MessageWriter message() {
    return message;
  }

  /**
   * Adds a node of one output.
   *
   * @param operator of ONNX
   * @param inputs names of values; empty for one that is left out
   * @return the name of the output
   */
  String node(String operator, List<String> inputs, MessageWriter... attributes) {
    return node(operator, 1, inputs, attributes).getFirst();
  }

  /** Adds a node of several outputs. */
  List<String> node(
      String operator, int outputs, List<String> inputs, MessageWriter... attributes) {
    String name = names.numbered(operator);
    List<String> results = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      results.add(names.unique(name + (i == 0 ? ".y" : ".y" + i)));
    }
    add(operator, name, inputs, results, attributes);
    return results;
  }

  /** Gives a value a name of its own, which was taken from {@link #names}. */
  void rename(String value, String to) {
    add("Identity", names.numbered("Identity"), List.of(value), List.of(to));
  }

  private void add(
      String operator,
      String name,
      List<String> inputs,
      List<String> outputs,
      MessageWriter... attributes) {
    MessageWriter node = new MessageWriter();
    inputs.forEach(input -> node.text(1, input));
    outputs.forEach(output -> node.text(2, output));
    node.text(3, name).text(4, operator);
    for (MessageWriter attribute : attributes) {
      node.message(5, attribute);
    }
    message.message(NODE, node);
  }

  /**
   * Declares an input.
   *
   * @param sizes numbers, or names of sizes that are known when the model runs
   */
  void input(String name, int type, Object... sizes) {
    message.message(INPUT, declared(name, type, sizes));
  }

  /** Declares an output: a value of this graph, with a name that no other output has. */
  void output(String name, int type, Object... sizes) {
    message.message(OUTPUT, declared(name, type, sizes));
  }

  /** Adds the value of a constant, or the default of an input of this name. */
  void initializer(String name, int type, byte[] values, long... sizes) {
    MessageWriter tensor = new MessageWriter();
    for (long size : sizes) {
      tensor.integer(1, size);
    }
    message.message(INITIALIZER, tensor.integer(2, type).text(8, name).bytes(9, values));
  }

  private static MessageWriter declared(String name, int type, Object... sizes) {
    MessageWriter shape = new MessageWriter();
    for (Object size : sizes) {
      MessageWriter dimension = new MessageWriter();
      shape.message(
          1,
          size instanceof Number number
              ? dimension.integer(1, number.longValue())
              : dimension.text(2, (String) size));
    }
    MessageWriter tensor = new MessageWriter().integer(1, type).message(2, shape);
    MessageWriter whole = new MessageWriter().message(1, tensor);
    return new MessageWriter().text(1, name).message(2, whole);
  }
}
