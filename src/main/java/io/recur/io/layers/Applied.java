package io.recur.io.layers;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Padded;
import io.recur.grad.Softmax;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.Arrays;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * A function of each column as a layer: one of the table of elementwise functions, or a softmax
 * over the features.
 *
 * @param label that of an {@link Elementwise}, or one of {@link #SOFTMAX} and {@link #LOG_SOFTMAX}
 */
public record Applied(String label) implements Layer {
  public static final String SOFTMAX = "softmax";
  public static final String LOG_SOFTMAX = "log_softmax";

  private static final Map<String, Elementwise> TABLE =
      Arrays.stream(Elementwise.values())
          .collect(Collectors.toMap(Elementwise::label, function -> function));

  public Applied {
    if (!isSoftmax(label) && !TABLE.containsKey(label)) {
      throw new IllegalArgumentException(
          "function %s: there is none of this name".formatted(label));
    }
  }

  public Applied(Elementwise function) {
    this(function.label());
  }

  /** {@return whether a label is that of a function which needs the whole column} */
  public static boolean isSoftmax(String label) {
    return label.equals(SOFTMAX) || label.equals(LOG_SOFTMAX);
  }

  private UnaryOperator<Tensor> function() {
    return switch (label) {
      case SOFTMAX -> Softmax::softmax;
      case LOG_SOFTMAX -> Softmax::logSoftmax;
      default -> x -> Functions.apply(TABLE.get(label), x);
    };
  }

  @Override
  public Tensor apply(Tensor x) {
    return function().apply(x);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(function());
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return label;
  }
}
