package io.recur.device;

/**
 * Weights in the order in which the kernels of a device read them, made anew when the weights have
 * changed. Several threads may ask at once.
 *
 * <pre>{@code
 * Recurrences recurrences = device.recurrences();               // null where there are none
 * Packed packed = recurrences == null ? null : recurrences.pack(W.value(), 1, 2, 2, false);
 * Buffer current = packed == null ? W.value() : packed.current();
 * }</pre>
 */
public final class Packed {
  /** Writes a packed copy. */
  @FunctionalInterface
  interface Packing {
    void pack(Buffer weights, Buffer packed);
  }

  private final Buffer weights;
  private final Buffer packed;
  private final Packing packing;
  private volatile long version;

  Packed(Buffer weights, Buffer packed, Packing packing) {
    this.weights = weights;
    this.packed = packed;
    this.packing = packing;
    this.version = weights.version() - 1;
  }

  /**
   * The packed weights as they are now.
   *
   * @return a buffer to be read by this device's kernels until the weights change
   */
  public Buffer current() {
    if (version != weights.version()) {
      refresh();
    }
    return packed;
  }

  private synchronized void refresh() {
    long now = weights.version();
    if (version != now) {
      packing.pack(weights, packed);
      version = now;
    }
  }
}
