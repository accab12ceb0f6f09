package io.recur.device.kernels;

import io.recur.device.Buffer;

/**
 * Weights in the order in which the kernels of a device read them. They are packed again when the
 * weights have changed. Several threads may call {@link #current} at once.
 *
 * <pre>{@code
 * Recurrences recurrences = kernels.recurrences();              // null where there are none
 * Packed packed = recurrences == null ? null : recurrences.pack(W.value(), 1, 2, 2, false);
 * Buffer current = packed == null ? W.value() : packed.current();
 * }</pre>
 */
public interface Packed {
  /**
   * Packs the weights if they have changed.
   *
   * @return the packed weights, valid until the weights change
   */
  Buffer current();
}
