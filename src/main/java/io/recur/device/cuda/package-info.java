/**
 * An NVIDIA GPU as a device. cuBLAS computes matrix products; the kernels of {@code native/cuda/}
 * compute everything else. {@code Queue} records all work in a {@code WorkList} and submits the
 * list. The module does not export this package.
 */
@NullMarked
package io.recur.device.cuda;

import org.jspecify.annotations.NullMarked;
