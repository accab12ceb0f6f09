/**
 * How memory of a device lives: taken by {@link io.recur.device.memory.Allocator}, handed out by
 * {@link io.recur.device.memory.Slab} and {@link io.recur.device.memory.Slots}, counted by {@link
 * io.recur.device.memory.Pressure}. Both kinds of devices share it, and the module does not export
 * it.
 */
@NullMarked
package io.recur.device.memory;

import org.jspecify.annotations.NullMarked;
