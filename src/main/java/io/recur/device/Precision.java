package io.recur.device;

/**
 * How a GPU multiplies matrices. Parameters, states, gates, sums and whatever else lies in a buffer
 * are float32 in all three; so are the sums of the products.
 *
 * <pre>{@code
 * Precision fast = Precision.BF16;   // Device.cuda(0, Precision.BF16)
 * }</pre>
 */
public enum Precision {
  /** True float32: 24 bits of each factor. */
  FLOAT32,

  /** Factors are rounded to 11 bits on their way into the tensor cores. */
  TF32,

  /**
   * Factors are rounded to bfloat16, 8 bits, on their way into the tensor cores; the matrices
   * themselves stay float32.
   */
  BF16
}
