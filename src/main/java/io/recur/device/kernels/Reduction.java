package io.recur.device.kernels;

import java.util.Locale;

/**
 * What {@link Reductions} make of n values x. A gradient of the result y reaches each of them.
 *
 * <pre>{@code
 * kernels.reductions().reduce(Reduction.SUM, Dimension.ROWS, 3, 2, 1, states, x.value());
 * }</pre>
 */
public enum Reduction {
  /** {@code y = Σ x}; {@code dx += dy}. */
  SUM,

  /** {@code y = Σ x / n}; {@code dx += dy/n}. */
  MEAN,

  /**
   * The largest value, NaN where one is NaN; {@code dx += dy/ties} where {@code x = y}, as
   * PyTorch's {@code amax}.
   */
  MAX,

  /**
   * The population variance {@code y = Σ (x − mean)² / n}, PyTorch's with {@code correction=0};
   * {@code dx += 2·(x − mean)·dy/n}. Two passes: a large mean costs no digits.
   */
  VARIANCE;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** {@return the name of the method of a tensor, such as {@code sum}} */
  public String label() {
    return label;
  }
}
