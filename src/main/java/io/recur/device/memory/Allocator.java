package io.recur.device.memory;

import java.lang.foreign.MemorySegment;

/** Takes memory of one lifetime from a device, and gives it back. */
public interface Allocator {
  /**
   * Takes memory.
   *
   * @param floats words
   * @return its address as native calls take it, aligned to 64 bytes
   * @throws io.recur.device.DeviceException if there is not that much memory
   * @throws IllegalStateException if the lifetime has ended
   */
  MemorySegment allocate(long floats);

  /**
   * How long the memory lives.
   *
   * @return what every buffer over the memory keeps reachable
   */
  Lifetime lifetime();

  /**
   * Ends the lifetime and gives all memory back; a second call does nothing.
   *
   * @throws IllegalStateException if another thread computes with the memory; nothing has then been
   *     given back
   */
  void close();
}
