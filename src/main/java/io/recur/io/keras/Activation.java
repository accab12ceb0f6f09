package io.recur.io.keras;

import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Padded;
import io.recur.grad.Softmax;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.Locale;
import java.util.Set;

/**
 * A function as a layer: one of the table, or a softmax over the features.
 *
 * @param name a label of {@link Elementwise}, or one of {@link #SOFTMAXES}
 */
record Activation(String name) implements Layer {
  static final String SOFTMAX = "softmax";
  static final Set<String> SOFTMAXES = Set.of(SOFTMAX, "log_softmax");

  @Override
  public Tensor apply(Tensor x) {
    if (!SOFTMAXES.contains(name)) {
      return Functions.apply(Elementwise.valueOf(name.toUpperCase(Locale.ROOT)), x);
    }
    return name.equals(SOFTMAX) ? Softmax.softmax(x) : Softmax.logSoftmax(x);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(this::apply);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Activation(" + name + ")";
  }
}
