package io.recur.io.onnx;

import io.recur.io.layers.Activation;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.RecurrentKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** RNN, LSTM and GRU, of the versions 7, 14 and 22. */
final class RecurrentOperators {
  static final List<Operator> ALL =
      List.of(
          common(RecurrentKind.RNN, 6),
          common(RecurrentKind.GRU, 6).with("linear_before_reset", Attribute.Kind.WHOLE),
          common(RecurrentKind.LSTM, 8).with("input_forget", Attribute.Kind.WHOLE));

  private RecurrentOperators() {}

  private static Operator common(RecurrentKind kind, int inputs) {
    return Operator.of(kind.name(), 3, inputs, setup -> new RecurrentNode(setup, kind))
        .outputs(1 + kind.states())
        .with("activation_alpha", Attribute.Kind.REALS)
        .with("activation_beta", Attribute.Kind.REALS)
        .with("activations", Attribute.Kind.TEXTS)
        .with("clip", Attribute.Kind.REAL)
        .with("direction", Attribute.Kind.TEXT)
        .with("hidden_size", Attribute.Kind.WHOLE)
        .with("layout", Attribute.Kind.WHOLE);
  }

  /** Whether each direction of a node runs back. */
  static List<Boolean> directions(Node node) {
    String direction = node.text("direction", "forward");
    return switch (direction) {
      case "forward" -> List.of(false);
      case "reverse" -> List.of(true);
      case "bidirectional" -> List.of(false, true);
      default ->
          throw node.refuse(
              "direction=%s; need forward, reverse or bidirectional"
                  .formatted(Wire.shown(direction)));
    };
  }

  /** What the attributes say of each direction. */
  static List<EquationCell.Rule> rules(Node node, RecurrentKind kind, int units) {
    int directions = directions(node).size();
    float clip = node.real("clip", Float.POSITIVE_INFINITY);
    if (!(clip > 0)) {
      throw node.refuse("clip=%s; need more than 0".formatted(clip));
    }
    boolean isCoupled = node.flag("input_forget", false);
    boolean isResetAfter = node.whole("linear_before_reset", 0) != 0;
    List<EquationCell.Rule> rules = new ArrayList<>();
    for (List<Activation> functions : GateFunctions.of(node, kind, directions)) {
      rules.add(new EquationCell.Rule(kind, units, functions, clip, isCoupled, isResetAfter));
    }
    return List.copyOf(rules);
  }

  /** The lengths of the sequences; null where all are whole. */
  static int @Nullable [] lengths(Call call, int batch, int time) {
    if (!call.has(4)) {
      return null;
    }
    int[] lengths = call.sizes(4);
    if (lengths.length != batch || call.dims(4).rank() != 1) {
      throw call.refuse("sequence_lens=%s; need [%d]".formatted(call.dims(4), batch));
    }
    for (int length : lengths) {
      if (length < 0 || length > time) {
        throw call.refuse(
            "sequence_lens=%s; need 0 to %d".formatted(Arrays.toString(lengths), time));
      }
    }
    return Arrays.stream(lengths).allMatch(length -> length == time) ? null : lengths;
  }
}
