package io.recur.device.kernels;

import io.recur.device.Buffer;

/**
 * Weights in the order in which the kernels of a device read them, packed again when the weights
 * have changed. Several threads may ask at once.
 *
 * <pre>{@code
 * Recurrences recurrences = kernels.recurrences();              // null where there are none
 * Packed packed = recurrences == null ? null : recurrences.pack(W.value(), 1, 2, 2, false);
 * Buffer current = packed == null ? W.value() : packed.current();
 * }</pre>
 */
public interface Packed {
  /**
   * The packed weights as they are now.
   *
   * @return a buffer to be read by this device's kernels until the weights change
   */
  Buffer current();
}
