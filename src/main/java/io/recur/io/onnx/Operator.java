package io.recur.io.onnx;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An operator of ONNX: what its nodes may have, and how they run. A new one is an entry in the
 * table of a file that {@link Operators} joins.
 *
 * <p>A node is prepared once, when the model is read: {@link Preparation#of} reads its attributes,
 * refuses those that it does not compute ({@code setup.node().refuse(…)}), and returns what runs
 * it, call after call and thread beside thread: it holds nothing that a call changes.
 *
 * @param type its name
 * @param least inputs
 * @param most inputs
 * @param outputs at most
 * @param attributes their names and kinds; {@link #VARIADIC} for any number
 * @param folds whether it computes on the host where all its inputs are there, without a tape. A
 *     node of such an operator whose inputs are all constant is computed when the model is read.
 * @param preparation how a node is prepared
 */
record Operator(
    String type,
    int least,
    int most,
    int outputs,
    Map<String, Attribute.Kind> attributes,
    boolean folds,
    Preparation preparation) {
  static final int VARIADIC = Integer.MAX_VALUE;

  /** Prepares nodes. */
  @FunctionalInterface
  interface Preparation {
    /**
     * Prepares a node.
     *
     * @param setup the node with what is known of its inputs
     * @return what runs it
     */
    Evaluation of(Setup setup);
  }

  /** Runs a node. */
  @FunctionalInterface
  interface Evaluation {
    /**
     * Runs the node.
     *
     * @param call its inputs
     * @return its outputs, at least as many as the node names
     */
    List<Value> run(Call call);
  }

  /** An operator of one output and no attribute. */
  static Operator of(String type, int least, int most, Preparation preparation) {
    return new Operator(type, least, most, 1, Map.of(), false, preparation);
  }

  /** Returns the same operator with up to {@code most} outputs. */
  Operator outputs(int most) {
    return new Operator(type, least, this.most, most, attributes, folds, preparation);
  }

  /** Returns the same operator with a further attribute. */
  Operator with(String name, Attribute.Kind kind) {
    Map<String, Attribute.Kind> all = new TreeMap<>(attributes);
    all.put(name, kind);
    return new Operator(type, least, most, outputs, all, folds, preparation);
  }

  /** The same, computed on the host where all inputs are there. */
  Operator folding() {
    return new Operator(type, least, most, outputs, attributes, true, preparation);
  }

  /** Refuses a node that has more or less than this operator takes. */
  void check(Node node) {
    int given = node.inputs().size();
    while (given > 0 && !node.hasInput(given - 1)) {
      given--;
    }
    if (given < least || node.inputs().size() > most) {
      throw node.refuse(
          "%d inputs; need %s"
              .formatted(
                  node.inputs().size(),
                  most == VARIADIC ? least + " or more" : least + " to " + most));
    }
    for (int i = 0; i < least; i++) {
      if (!node.hasInput(i)) {
        throw node.refuse("input %d is left out; it is required".formatted(i));
      }
    }
    if (node.outputs().size() > outputs) {
      throw node.refuse("%d outputs; need at most %d".formatted(node.outputs().size(), outputs));
    }
    node.attributes().forEach((name, attribute) -> check(node, name, attribute));
  }

  private void check(Node node, String name, Attribute attribute) {
    Attribute.Kind kind = attributes.get(name);
    if (kind == null) {
      throw node.refuse(
          "attribute %s; this operator reads %s"
              .formatted(Wire.shown(name), attributes.isEmpty() ? "none" : attributes.keySet()));
    }
    if (!kind.is(attribute)) {
      throw node.refuse(
          "attribute %s is %s; need %s"
              .formatted(Wire.shown(name), attribute.getClass().getSimpleName(), kind));
    }
  }
}
