package io.recur.io.layers;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A function of a gate: an entry of the table, or one of ONNX's with numbers of its own. */
public sealed interface Activation {
  /** {@return the function of a tensor} */
  Tensor of(Tensor x);

  /** {@return the name, with its numbers where it has some} */
  String label();

  /** {@return the entry of the table; null where there is none} */
  default @Nullable Elementwise table() {
    return null;
  }

  /**
   * An entry of the table.
   *
   * @param table the entry
   */
  record Entry(Elementwise table) implements Activation {
    @Override
    public Tensor of(Tensor x) {
      return Functions.apply(table, x);
    }

    @Override
    public String label() {
      return table.label();
    }
  }

  /** The functions of ONNX that take α, or α and β. */
  enum Kind {
    AFFINE,
    LEAKYRELU,
    THRESHOLDEDRELU,
    SCALEDTANH,
    HARDSIGMOID,
    ELU;

    /** {@return the same function in the table, or null} */
    @Nullable Elementwise table(float alpha, float beta) {
      return switch (this) {
        case AFFINE -> alpha == 1 && beta == 0 ? Elementwise.IDENTITY : null;
        case LEAKYRELU -> alpha == 0.01f ? Elementwise.LEAKY_RELU : null;
        case ELU -> alpha == 1 ? Elementwise.ELU : null;
        case SCALEDTANH -> alpha == 1 && beta == 1 ? Elementwise.TANH : null;
        case HARDSIGMOID -> alpha == 1 / 6f && beta == 0.5f ? Elementwise.HARD_SIGMOID : null;
        case THRESHOLDEDRELU -> null;
      };
    }
  }

  /** {@return a function with its numbers; the entry of the table that computes the same} */
  static Activation of(Kind kind, float alpha, float beta) {
    Elementwise same = kind.table(alpha, beta);
    return same != null ? new Entry(same) : new Scaled(kind, alpha, beta);
  }

  /** {@return the function of a {@link #label}, if there is one} */
  static Optional<Activation> of(String label) {
    for (Elementwise entry : Elementwise.values()) {
      if (entry.label().equals(label)) {
        return Optional.of(new Entry(entry));
      }
    }
    Matcher parts = Scaled.LABEL.matcher(label);
    return parts.matches()
        ? Arrays.stream(Kind.values())
            .filter(kind -> kind.name().equals(parts.group(1).toUpperCase(Locale.ROOT)))
            .findFirst()
            .map(
                kind ->
                    of(kind, Float.parseFloat(parts.group(2)), Float.parseFloat(parts.group(3))))
        : Optional.empty();
  }

  /**
   * A function that no entry of the table computes.
   *
   * @param kind the function
   * @param alpha α
   * @param beta β, where it has one
   */
  record Scaled(Kind kind, float alpha, float beta) implements Activation {
    private static final String NUMBER = "(-?[0-9]{1,20}(?:[.][0-9]{1,20})?(?:E-?[0-9]{1,3})?)";
    private static final Pattern LABEL =
        Pattern.compile("([a-z]+)[(]" + NUMBER + ", " + NUMBER + "[)]");

    @Override
    public Tensor of(Tensor x) {
      return switch (kind) {
        case AFFINE -> x.scale(alpha).add(beta);
        case LEAKYRELU -> bent(x, x);
        case ELU -> bent(x, Functions.elu(x));
        case SCALEDTANH -> Functions.tanh(x.scale(beta)).scale(alpha);
        case HARDSIGMOID -> x.scale(alpha).add(beta).clamp(0, 1);
        case THRESHOLDEDRELU -> thresholded(x);
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

    @Override
    public String label() {
      return "%s(%s, %s)".formatted(kind.name().toLowerCase(Locale.ROOT), alpha, beta);
    }
  }
}
