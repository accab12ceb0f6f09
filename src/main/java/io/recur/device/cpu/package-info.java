/**
 * The processor as a device. OpenBLAS computes matrix products. The C kernels of {@code native/},
 * whose classes begin with {@code Native}, or loops in Java, whose classes begin with {@code Java},
 * compute everything else. The module does not export this package.
 */
@NullMarked
package io.recur.device.cpu;

import org.jspecify.annotations.NullMarked;
