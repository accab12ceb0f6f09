package io.recur.io.onnx;

import io.recur.device.Elementwise;
import io.recur.io.layers.Activation;
import io.recur.io.layers.RecurrentKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Reads the functions of a recurrent node, with their numbers α and β. */
final class GateFunctions {
  /** Those without numbers, by their names in capitals. */
  private static final Map<String, Elementwise> PLAIN =
      new TreeMap<>(
          Map.of(
              "RELU", Elementwise.RELU,
              "TANH", Elementwise.TANH,
              "SIGMOID", Elementwise.SIGMOID,
              "SOFTSIGN", Elementwise.SOFTSIGN,
              "SOFTPLUS", Elementwise.SOFTPLUS));

  /** What the numbers are where a node leaves them out; none for a function that needs them. */
  private static final Map<Activation.Kind, float[]> NUMBERS =
      Map.of(
          Activation.Kind.AFFINE, new float[] {1, 0},
          Activation.Kind.LEAKYRELU, new float[] {0.01f},
          Activation.Kind.THRESHOLDEDRELU, new float[] {1},
          Activation.Kind.SCALEDTANH, new float[] {Float.NaN, Float.NaN},
          Activation.Kind.HARDSIGMOID, new float[] {0.2f, 0.5f},
          Activation.Kind.ELU, new float[] {1});

  private final Node node;
  private final Numbers alpha;
  private final Numbers beta;

  private GateFunctions(Node node) {
    this.node = node;
    this.alpha = new Numbers(node.reals("activation_alpha"));
    this.beta = new Numbers(node.reals("activation_beta"));
  }

  /** Takes the numbers of an attribute one by one. */
  private static final class Numbers {
    private final float[] values;
    private int at;

    Numbers(float... values) {
      this.values = values;
    }

    float next(float other) {
      return at < values.length ? values[at++] : other;
    }

    boolean isLeft() {
      return at < values.length;
    }
  }

  /** The functions of a kind where a node names none. */
  private static List<String> usual(RecurrentKind kind) {
    return switch (kind) {
      case RNN -> List.of("Tanh");
      case GRU -> List.of("Sigmoid", "Tanh");
      case LSTM -> List.of("Sigmoid", "Tanh", "Tanh");
    };
  }

  /**
   * The functions of a node. Those that take α or β take the next one of the attribute.
   *
   * @param node a recurrent one
   * @param kind its operator
   * @param directions 1 or 2
   * @return for each direction as many as the kind has
   */
  static List<List<Activation>> of(Node node, RecurrentKind kind, int directions) {
    List<String> names = node.texts("activations");
    int count = kind.functions();
    if (!names.isEmpty() && names.size() != count * directions) {
      throw node.refuse(
          "activations=%s; need %d, for %d direction(s)"
              .formatted(names, count * directions, directions));
    }
    GateFunctions reader = new GateFunctions(node);
    List<List<Activation>> all = new ArrayList<>();
    for (int d = 0; d < directions; d++) {
      List<String> own = names.isEmpty() ? usual(kind) : names.subList(d * count, (d + 1) * count);
      all.add(own.stream().map(reader::function).toList());
    }
    if (reader.alpha.isLeft() || reader.beta.isLeft()) {
      throw node.refuse(
          "activation_alpha=%s, activation_beta=%s; the activations %s take fewer"
              .formatted(
                  Arrays.toString(reader.alpha.values), Arrays.toString(reader.beta.values), all));
    }
    return List.copyOf(all);
  }

  private Activation function(String name) {
    String capitals = name.toUpperCase(Locale.ROOT);
    Elementwise plain = PLAIN.get(capitals);
    if (plain != null) {
      return new Activation.Entry(plain);
    }
    for (Activation.Kind kind : Activation.Kind.values()) {
      if (kind.name().equals(capitals)) {
        float[] numbers = NUMBERS.get(kind);
        float first = alpha.next(numbers[0]);
        float second = numbers.length > 1 ? beta.next(numbers[1]) : 0;
        if (Float.isNaN(first) || Float.isNaN(second)) {
          throw node.refuse("activation %s needs alpha and beta".formatted(kind));
        }
        return Activation.of(kind, first, second);
      }
    }
    throw node.refuse(
        "activation %s; need one of %s or %s"
            .formatted(
                Wire.shown(name), PLAIN.keySet(), Arrays.toString(Activation.Kind.values())));
  }
}
