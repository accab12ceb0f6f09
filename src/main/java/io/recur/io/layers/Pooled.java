package io.recur.io.layers;

import io.recur.device.Dimension;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import io.recur.nn.Layer;

/**
 * The mean or the maximum over all steps: Keras's {@code GlobalAveragePooling1D} and {@code
 * GlobalMaxPooling1D}. in × B × T gives in × B; of sequences of different lengths the steps behind
 * the end do not count.
 *
 * @param isMaximum whether it is the maximum
 */
public record Pooled(boolean isMaximum) implements Layer {
  @Override
  public Tensor apply(Tensor x) {
    return isMaximum ? x.max(Dimension.TIME) : x.mean(Dimension.TIME);
  }

  @Override
  public Padded apply(Padded x) {
    return LastStep.oneStep(isMaximum ? x.max() : x.mean());
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return isMaximum ? "Maximum" : "Mean";
  }
}
