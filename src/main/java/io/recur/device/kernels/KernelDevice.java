package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.memory.BufferPool;
import io.recur.device.memory.DeviceMemory;
import io.recur.device.memory.Slab;

/**
 * A device as the packages of this library see it, with the kernels that users do not call. They
 * rely on their callers to check sizes. Every {@link Device} is a KernelDevice.
 *
 * <pre>{@code
 * Blas blas = KernelDevice.of(device).blas();
 * }</pre>
 */
public interface KernelDevice {
  /**
   * Casts a device. A loop does it once, not once per call.
   *
   * @param device any device
   * @return the same object
   */
  static KernelDevice of(Device device) {
    return (KernelDevice) device;
  }

  /** {@return the kernels of this device, the same record at every call} */
  KernelGroups groups();

  /** {@return matrix products} */
  default Blas blas() {
    return groups().blas();
  }

  /** {@return the programs of cells} */
  default Programs programs() {
    return groups().programs();
  }

  /** {@return elementwise arithmetic with constants and of two operands} */
  default Arithmetic arithmetic() {
    return groups().arithmetic();
  }

  /** {@return products with diagonal and tridiagonal matrices} */
  default Bands bands() {
    return groups().bands();
  }

  /** {@return sums, means, maxima and variances over a dimension} */
  default Reductions reductions() {
    return groups().reductions();
  }

  /** {@return the optimisers' passes over parameters, and clipping} */
  default Updates updates() {
    return groups().updates();
  }

  /** {@return the memory of this device, the same object at every call} */
  DeviceMemory memory();

  /**
   * Makes a slab. {@link Slab#close} frees its memory.
   *
   * @return an empty slab
   */
  default Slab slab() {
    return memory().slab();
  }

  /**
   * Returns the device's pool of buffers of this length.
   *
   * @param floats the words of a buffer, a multiple of 16
   * @return the same pool at every call
   */
  default BufferPool pool(long floats) {
    return memory().pool(floats);
  }

  /**
   * Tells whether sums in a buffer grow from tape to tape, so that roundings would add up. {@link
   * #carryOf} is then kept with the memory.
   *
   * @param sum a buffer of this device
   * @return whether the memory outlives a tape
   */
  boolean keepsCarry(Buffer sum);

  /**
   * Returns what the sums in a buffer lost to rounding, to be added with the next terms.
   *
   * @param sum a buffer of this device
   * @return a buffer of the same length and lifetime
   */
  Buffer carryOf(Buffer sum);

  /**
   * Copies words from one buffer to another one of this device.
   *
   * @param from is read
   * @param first the first word that is read
   * @param to is written, and does not overlap what is read
   * @param at the first word that is written
   * @param words their number, 1 or more
   */
  default void move(Buffer from, long first, Buffer to, long at, long words) {
    from.device().pointwise().copy(from.slice(first, words), to.slice(at, words), words);
  }

  /**
   * Returns the time for which callers have waited for this device since it was opened. A benchmark
   * counts the rest of a step as the host's own.
   *
   * @return nanoseconds; 0 where a call returns when its work is done
   */
  default long waitedNanos() {
    return 0;
  }
}
