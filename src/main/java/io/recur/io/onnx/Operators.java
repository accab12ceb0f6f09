package io.recur.io.onnx;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The table of all operators of ONNX that are read, found by name. */
final class Operators {
  /** The oldest version of ONNX's operators that is read, and the newest. */
  static final int OLDEST = 7;

  static final int NEWEST = 26;

  private static final Map<String, Operator> TABLE =
      Stream.of(RecurrentOperators.ALL, GeneralOperators.ALL)
          .flatMap(List::stream)
          .collect(Collectors.toUnmodifiableMap(Operator::type, Function.identity()));

  private Operators() {}

  /**
   * The operator of a node, which has been checked to fit it.
   *
   * @throws IllegalArgumentException if there is none, or the node has what it does not take
   */
  static Operator of(Node node) {
    Operator found = isOnnx(node.domain()) ? TABLE.get(node.type()) : null;
    if (found == null) {
      throw node.refuse(
          "operator %s%s is unknown; the page on ONNX lists those that are read"
              .formatted(
                  node.domain().isEmpty() ? "" : Wire.shown(node.domain()) + " ",
                  Wire.shown(node.type())));
    }
    if (node.opset() < OLDEST || node.opset() > NEWEST) {
      throw node.refuse(
          "opset %d; need %d to %d: export the model again with one of these"
              .formatted(node.opset(), OLDEST, NEWEST));
    }
    found.check(node);
    return found;
  }

  /** Whether a domain is that of ONNX's own operators. */
  static boolean isOnnx(String domain) {
    return domain.isEmpty() || domain.equals("ai.onnx");
  }

  /** {@return the names of all operators, sorted} */
  static List<String> names() {
    return TABLE.keySet().stream().sorted().toList();
  }
}
