package io.recur.io.onnx;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A node of a graph as the file has it. The table of {@link Operators} has checked the names and
 * kinds of its attributes before an operator reads one.
 *
 * @param name its own name, or {@code #} and its number where it has none
 * @param type the operator, such as {@code LSTM}
 * @param domain empty for ONNX's own operators
 * @param opset the version of its domain's operators in this model
 * @param inputs names of values; empty for an optional one that is left out
 * @param outputs names of values; empty for one that nobody uses
 * @param attributes by name
 */
record Node(
    String name,
    String type,
    String domain,
    int opset,
    List<String> inputs,
    List<String> outputs,
    Map<String, Attribute> attributes) {
  Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    attributes = Map.copyOf(attributes);
  }

  boolean has(String attribute) {
    return attributes.containsKey(attribute);
  }

  /** Whether an input is given. */
  boolean hasInput(int i) {
    return i < inputs.size() && !inputs.get(i).isEmpty();
  }

  /** Whether an output has a name. */
  boolean hasOutput(int i) {
    return i < outputs.size() && !outputs.get(i).isEmpty();
  }

  float real(String attribute, float other) {
    return attributes.get(attribute) instanceof Attribute.Real found ? found.value() : other;
  }

  long whole(String attribute, long other) {
    return attributes.get(attribute) instanceof Attribute.Whole found ? found.value() : other;
  }

  /** An integer attribute that is 0 or 1. */
  boolean flag(String attribute, boolean other) {
    long found = whole(attribute, other ? 1 : 0);
    if (found != 0 && found != 1) {
      throw refuse("%s=%d; need 0 or 1".formatted(attribute, found));
    }
    return found == 1;
  }

  String text(String attribute, String other) {
    return attributes.get(attribute) instanceof Attribute.Text found ? found.value() : other;
  }

  /** The floats of an attribute; none where it is absent. */
  float[] reals(String attribute) {
    return attributes.get(attribute) instanceof Attribute.Reals found
        ? found.values()
        : new float[0];
  }

  /** The integers of an attribute; null where it is absent. */
  long @Nullable [] wholes(String attribute) {
    return attributes.get(attribute) instanceof Attribute.Wholes found ? found.values() : null;
  }

  /** The texts of an attribute; none where it is absent. */
  List<String> texts(String attribute) {
    return attributes.get(attribute) instanceof Attribute.Texts found ? found.values() : List.of();
  }

  /** The tensor of an attribute, or null. */
  @Nullable Value data(String attribute) {
    return attributes.get(attribute) instanceof Attribute.Data found ? found.value() : null;
  }

  /** The subgraph of an attribute that the operator requires. */
  Graph inner(String attribute) {
    if (attributes.get(attribute) instanceof Attribute.Inner found) {
      return found.graph();
    }
    throw refuse("no subgraph " + attribute + "; need one");
  }

  /**
   * An error about this node.
   *
   * @param what facts as name=value; the rule or the remedy
   * @return to be thrown
   */
  IllegalArgumentException refuse(String what) {
    return new IllegalArgumentException("onnx: node " + this + ": " + what);
  }

  /** An error about this node with its cause, whose message says what. */
  IllegalArgumentException refuse(RuntimeException cause) {
    return new IllegalArgumentException(
        "onnx: node %s: %s".formatted(this, cause.getMessage()), cause);
  }

  /** {@return name and operator, such as {@code "/lstm/LSTM" (LSTM)}} */
  @Override
  public String toString() {
    return "%s (%s)".formatted(Wire.shown(name), Wire.shown(type));
  }
}
