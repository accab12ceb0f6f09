/**
 * Where memory lives and kernels run: {@link io.recur.device.Device}, {@link
 * io.recur.device.Buffer}, and the kernels that operations of users call too, {@link
 * io.recur.device.Pointwise} and {@link io.recur.device.Columns}.
 *
 * <p>This package knows buffers of 4-byte words and column-major matrices, but no tensors,
 * gradients or cells. Elements are float32. An {@code m×n} matrix is stored column by column:
 * element (i, j) is at {@code i + j·m}.
 */
@NullMarked
package io.recur.device;

import org.jspecify.annotations.NullMarked;
