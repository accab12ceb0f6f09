/**
 * A GPU of NVIDIA's as a device: cuBLAS for matrix products, and for the rest the kernels of {@code
 * native/cuda/}. All work goes through {@code Queue}, which records it in a {@code WorkList} and
 * submits the list. The module does not export this package.
 */
@NullMarked
package io.recur.device.cuda;

import org.jspecify.annotations.NullMarked;
