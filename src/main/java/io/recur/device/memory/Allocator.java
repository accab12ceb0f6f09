package io.recur.device.memory;

import java.lang.foreign.MemorySegment;

/** Allocates memory of one lifetime on a device, and frees it. */
public interface Allocator {
  /**
   * Allocates memory.
   *
   * @param floats the number of words
   * @return the address as native calls take it, aligned to 64 bytes
   * @throws io.recur.device.DeviceException if there is not enough memory
   * @throws IllegalStateException if the lifetime has ended
   */
  MemorySegment allocate(long floats);

  /**
   * Returns the lifetime of the memory.
   *
   * @return an object that every buffer of the memory keeps reachable
   */
  Lifetime lifetime();

  /**
   * Ends the lifetime and frees all its memory. A second call does nothing.
   *
   * @throws IllegalStateException if another thread computes with the memory; nothing is then freed
   */
  void close();
}
