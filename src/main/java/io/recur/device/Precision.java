package io.recur.device;

import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_COMPUTE_32F;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_COMPUTE_32F_FAST_16BF;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_COMPUTE_32F_FAST_TF32;

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
  BF16;

  /** As cuBLAS names it; asked for when cuBLAS is open, as bindings need native access. */
  int computeType() {
    return switch (this) {
      case FLOAT32 -> CUBLAS_COMPUTE_32F();
      case TF32 -> CUBLAS_COMPUTE_32F_FAST_TF32();
      case BF16 -> CUBLAS_COMPUTE_32F_FAST_16BF();
    };
  }
}
