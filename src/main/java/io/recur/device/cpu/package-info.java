/**
 * The processor as a device: OpenBLAS for matrix products, and for the rest the C kernels of {@code
 * native/}, named {@code Native}, or loops in Java, named {@code Java}. The module does not export
 * this package.
 */
@NullMarked
package io.recur.device.cpu;

import org.jspecify.annotations.NullMarked;
