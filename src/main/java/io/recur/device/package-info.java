/**
 * Where memory lives and kernels run: {@link io.recur.device.Device}, {@link
 * io.recur.device.Buffer}, the slabs and the loading of the native libraries.
 *
 * <p>Everything here speaks of buffers of 4-byte words and of column-major matrices; tensors,
 * gradients and cells are unknown. Elements are float32. A matrix {@code m×n} is stored column by
 * column: element (i, j) lies at {@code i + j·m}.
 */
@NullMarked
package io.recur.device;

import org.jspecify.annotations.NullMarked;
