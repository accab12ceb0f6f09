/**
 * The lifetimes of device memory. {@link io.recur.device.memory.Allocator} allocates it, {@link
 * io.recur.device.memory.Slab} and {@link io.recur.device.memory.BufferPool} divide it, {@link
 * io.recur.device.memory.Pressure} counts it. Both kinds of devices use this package. The module
 * does not export it.
 */
@NullMarked
package io.recur.device.memory;

import org.jspecify.annotations.NullMarked;
