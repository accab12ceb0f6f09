package io.recur.io.onnx;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A function of ONNX's recurrent operators with its numbers α and β.
 *
 * @param kind the function
 * @param alpha α, where it has one
 * @param beta β, where it has one
 */
record Activation(Kind kind, float alpha, float beta) {
  /**
   * The functions that ONNX names; each tells whether it takes α and β, and what they are if
   * absent.
   */
  enum Kind {
    RELU,
    TANH,
    SIGMOID,
    SOFTSIGN,
    SOFTPLUS,
    AFFINE(1, 0),
    LEAKYRELU(0.01f),
    THRESHOLDEDRELU(1),
    SCALEDTANH(Float.NaN, Float.NaN),
    HARDSIGMOID(0.2f, 0.5f),
    ELU(1);

    private final float[] numbers;

    Kind(float... numbers) {
      this.numbers = numbers;
    }
  }

  /**
   * The functions of a node. Those that take α or β take the next one of the attribute.
   *
   * @param node a recurrent one
   * @param others the functions of each direction where the node names none
   * @param directions 1 or 2
   * @return for each direction as many as there are others
   */
  static List<List<Activation>> of(Node node, List<Kind> others, int directions) {
    List<String> names = node.texts("activations");
    if (!names.isEmpty() && names.size() != others.size() * directions) {
      throw node.refuse(
          "activations=%s; need %d, for %d direction(s)"
              .formatted(names, others.size() * directions, directions));
    }
    Numbers alpha = new Numbers(node.reals("activation_alpha"));
    Numbers beta = new Numbers(node.reals("activation_beta"));
    List<List<Activation>> all = new ArrayList<>();
    for (int d = 0; d < directions; d++) {
      List<Activation> one = new ArrayList<>();
      for (int i = 0; i < others.size(); i++) {
        Kind kind = names.isEmpty() ? others.get(i) : kind(node, names.get(d * others.size() + i));
        float first = kind.numbers.length > 0 ? alpha.next(kind.numbers[0]) : 0;
        float second = kind.numbers.length > 1 ? beta.next(kind.numbers[1]) : 0;
        if (Float.isNaN(first) || Float.isNaN(second)) {
          throw node.refuse("activation %s needs alpha and beta".formatted(kind));
        }
        one.add(new Activation(kind, first, second));
      }
      all.add(List.copyOf(one));
    }
    if (alpha.isLeft() || beta.isLeft()) {
      throw node.refuse(
          "activation_alpha=%s, activation_beta=%s; the activations %s take fewer"
              .formatted(Arrays.toString(alpha.values), Arrays.toString(beta.values), all));
    }
    return List.copyOf(all);
  }

  private static Kind kind(Node node, String name) {
    for (Kind kind : Kind.values()) {
      if (kind.name().equals(name.toUpperCase(Locale.ROOT))) {
        return kind;
      }
    }
    throw node.refuse(
        "activation %s; need one of %s"
            .formatted(Wire.shown(name), Arrays.toString(Kind.values())));
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

  /** The same function in the table of elementwise functions, or null. */
  @Nullable Elementwise table() {
    return switch (kind) {
      case RELU -> Elementwise.RELU;
      case TANH -> Elementwise.TANH;
      case SIGMOID -> Elementwise.SIGMOID;
      case SOFTSIGN -> Elementwise.SOFTSIGN;
      case SOFTPLUS -> Elementwise.SOFTPLUS;
      case AFFINE -> alpha == 1 && beta == 0 ? Elementwise.IDENTITY : null;
      case LEAKYRELU -> alpha == 0.01f ? Elementwise.LEAKY_RELU : null;
      case ELU -> alpha == 1 ? Elementwise.ELU : null;
      case SCALEDTANH -> alpha == 1 && beta == 1 ? Elementwise.TANH : null;
      case HARDSIGMOID, THRESHOLDEDRELU -> null;
    };
  }

  /** The function of a tensor. */
  Tensor of(Tensor x) {
    Elementwise same = table();
    return same != null
        ? Functions.apply(same, x)
        : switch (kind) {
          case AFFINE -> x.scale(alpha).add(beta);
          case LEAKYRELU -> bent(x, x);
          case ELU -> bent(x, Functions.elu(x));
          case SCALEDTANH -> Functions.tanh(x.scale(beta)).scale(alpha);
          case HARDSIGMOID -> x.scale(alpha).add(beta).clamp(0, 1);
          case THRESHOLDEDRELU -> thresholded(x);
          default -> throw new IllegalStateException("activation " + kind + " is in the table");
        };
  }

  /** x where it is positive, α times a function that is x there elsewhere. */
  private Tensor bent(Tensor x, Tensor below) {
    Tensor above = Functions.relu(x);
    return above.add(below.sub(above).scale(alpha));
  }

  /** x where it exceeds α, else 0. */
  private Tensor thresholded(Tensor x) {
    Tensor more = x.sub(alpha);
    return x.mul(Functions.relu(more).greater(Functions.relu(Functions.negate(more))));
  }
}
