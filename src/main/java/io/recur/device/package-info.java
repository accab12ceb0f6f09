/**
 * Where memory lives and kernels run: {@link io.recur.device.Device}, {@link
 * io.recur.device.Buffer}, the slabs and the loading of the native libraries.
 *
 * <p>This package knows buffers of 4-byte words and column-major matrices, but no tensors,
 * gradients or cells. Elements are float32. An {@code m×n} matrix is stored column by column:
 * element (i, j) is at {@code i + j·m}.
 */
@NullMarked
package io.recur.device;

import org.jspecify.annotations.NullMarked;
