package io.recur.grad;

/**
 * How the losses of a batch become one value.
 *
 * <pre>{@code
 * Tensor total = LossReduction.SUM.of(Functions.square(x.sub(y)));
 * }</pre>
 */
public enum LossReduction {
  /** Their mean; that of a weighted loss divides by the sum of the weights. */
  MEAN,

  /** Their sum. */
  SUM,

  /** The losses themselves. */
  NONE;

  /**
   * Reduces losses of equal weight.
   *
   * @param losses of any shape
   * @return a scalar; for {@link #NONE} the losses
   */
  public Tensor of(Tensor losses) {
    return switch (this) {
      case MEAN -> losses.mean();
      case SUM -> losses.sum();
      case NONE -> losses;
    };
  }
}
