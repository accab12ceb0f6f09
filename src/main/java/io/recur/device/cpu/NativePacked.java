package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.kernels.Packed;

/** Weights packed in C. They are packed again when the weights have been written. */
final class NativePacked implements Packed {
  /** Writes a packed copy. */
  @FunctionalInterface
  interface Packing {
    void pack(Buffer weights, Buffer packed);
  }

  private final Buffer weights;
  private final Buffer packed;
  private final Packing packing;
  private volatile long version;

  NativePacked(Buffer weights, Buffer packed, Packing packing) {
    this.weights = weights;
    this.packed = packed;
    this.packing = packing;
    this.version = weights.version() - 1;
  }

  @Override
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
