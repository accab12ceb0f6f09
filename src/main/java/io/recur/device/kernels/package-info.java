/**
 * The kernels that only this library calls. The module does not export this package: its kernels
 * rely on their callers, who have checked every size where the user passed it in.
 *
 * <p>{@link io.recur.device.kernels.KernelDevice#of} finds them. {@link io.recur.device.Device} has
 * the kernels that users call too, {@link io.recur.device.Pointwise} and {@link
 * io.recur.device.Columns}, which check their arguments.
 */
@NullMarked
package io.recur.device.kernels;

import org.jspecify.annotations.NullMarked;
