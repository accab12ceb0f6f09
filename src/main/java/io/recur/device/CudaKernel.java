package io.recur.device;

import java.util.Locale;

/** The kernels of {@code native/cuda/}, in any order. */
enum CudaKernel {
  MAP;

  private final String symbol = "recur_" + name().toLowerCase(Locale.ROOT);

  /** The name of the C function. */
  String symbol() {
    return symbol;
  }
}
