package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.memory.Slab;
import io.recur.device.memory.Slots;
import org.jspecify.annotations.Nullable;

/**
 * A device as the rooms of this library see it: with the kernels that check nothing. Every {@link
 * Device} is one.
 *
 * <pre>{@code
 * Blas blas = KernelDevice.of(device).blas();
 * }</pre>
 */
public interface KernelDevice {
  /**
   * This view of a device. A loop asks once, not once per call.
   *
   * @param device any device
   * @return the same object
   */
  static KernelDevice of(Device device) {
    return (KernelDevice) device;
  }

  /**
   * Matrix products.
   *
   * @return the kernels
   */
  Blas blas();

  /**
   * The gates of the recurrent cells.
   *
   * @return the kernels
   */
  Gates gates();

  /**
   * Whole sequences of the recurrent cells in one call.
   *
   * @return the kernels, or null where the cells run step by step
   */
  @Nullable Recurrences recurrences();

  /**
   * Products with diagonal and tridiagonal matrices.
   *
   * @return the kernels
   */
  Bands bands();

  /**
   * The optimisers' passes over parameters, and clipping.
   *
   * @return the kernels
   */
  Updates updates();

  /**
   * A slab whose memory is given back by {@link Slab#close}.
   *
   * @return an empty slab
   */
  Slab slab();

  /**
   * The device's table of equal pieces of memory of that size.
   *
   * @param floats of a piece, a multiple of 16
   * @return the same table at every call
   */
  Slots slots(long floats);

  /**
   * Whether sums in a buffer grow from tape to tape, so that roundings would add up and {@link
   * #carryOf} is kept with the memory.
   *
   * @param sum of this device
   * @return whether the memory outlives a tape
   */
  boolean keepsCarry(Buffer sum);

  /**
   * What the sums in a buffer lost to rounding, to be added with the next terms.
   *
   * @param sum of this device
   * @return as long as the sum, and as lasting
   */
  Buffer carryOf(Buffer sum);
}
