package io.recur.device;

import java.util.Locale;

/**
 * The table of elementwise functions. Each device has a value and a derivative for each entry; the
 * derivative may use the input x and the output y. The tests, the tensor operations and the cells
 * iterate over the entries. {@code docs/architecture.md} lists what a new entry touches.
 *
 * <pre>{@code
 * device.pointwise().map(Elementwise.SWISH, parameter.value(), parameter.value(), 4);
 * Tensor z = Functions.apply(Elementwise.GELU, x);
 * }</pre>
 */
public enum Elementwise {
  /** {@code y = x}. */
  IDENTITY,

  /** Hyperbolic tangent. */
  TANH,

  /** Logistic function {@code 1/(1 + e⁻ˣ)}. */
  SIGMOID,

  /** {@code max(x, 0)}; the derivative at 0 is 0. */
  RELU,

  /** {@code x} where it is positive, {@code 0.01·x} elsewhere. */
  LEAKY_RELU,

  /** {@code x} where it is positive, {@code eˣ − 1} elsewhere. */
  ELU,

  /** {@code log(1 + eˣ)}. */
  SOFTPLUS,

  /** {@code x/(1 + |x|)}. */
  SOFTSIGN,

  /** {@code x·σ(x)}, also called SiLU. */
  SWISH,

  /**
   * {@code x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))}, the tanh form (Hendrycks and Gimpel 2016);
   * {@link #GELU_ERF} is the exact one.
   */
  GELU,

  /** {@code eˣ}. */
  EXP,

  /** Natural logarithm: −∞ at 0, NaN below. */
  LOG,

  /** {@code x²}. */
  SQUARE,

  /** {@code |x|}; the derivative at 0 is 0. */
  ABS,

  /** {@code √x}: NaN below 0; the derivative at 0 is ∞. */
  SQRT,

  /** {@code 1/x}: ±∞ at ±0. */
  RECIPROCAL,

  /** {@code −x}. */
  NEGATE,

  /** {@code x/6 + 1/2} within 0 and 1; the derivative at −3 and 3 is 0. */
  HARD_SIGMOID,

  /** {@code x} within −1 and 1; the derivative at −1 and 1 is 0. */
  HARD_TANH,

  /** {@code x} within 0 and 6; the derivative at 0 and 6 is 0. */
  RELU6,

  /** Sine of x in radians: NaN at ±∞. */
  SIN,

  /** Cosine of x in radians: NaN at ±∞. */
  COS,

  /** {@code x/2·(1 + erf(x/√2))}, the exact form of {@link #GELU}, PyTorch's default. */
  GELU_ERF;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** {@return the name as a model prints it, such as {@code tanh} or {@code leaky_relu}} */
  public String label() {
    return label;
  }
}
