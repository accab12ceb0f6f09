package io.recur.device;

/**
 * How a GPU multiplies matrices. All buffers are float32 in all three precisions: parameters,
 * states, gates. So are the sums of the products.
 *
 * <pre>{@code
 * Precision fast = Precision.BF16;   // Device.cuda(0, Precision.BF16)
 * }</pre>
 */
public enum Precision {
  /** True float32: each factor has 24 bits. */
  FLOAT32,

  /** The tensor cores round factors to 11 bits. */
  TF32,

  /** The tensor cores round factors to bfloat16, 8 bits. The matrices themselves stay float32. */
  BF16
}
