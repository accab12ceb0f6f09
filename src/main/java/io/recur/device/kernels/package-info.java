/**
 * The kernels that only this library calls. The module does not export this package: its kernels
 * check no argument, and their callers have checked every size where it came in.
 *
 * <p>A room finds them with {@link io.recur.device.kernels.KernelDevice#of}. The kernels that users
 * call too, {@link io.recur.device.Pointwise} and {@link io.recur.device.Columns}, check their
 * arguments and belong to {@link io.recur.device.Device}.
 */
@NullMarked
package io.recur.device.kernels;

import org.jspecify.annotations.NullMarked;
