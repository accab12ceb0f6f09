package io.recur.device;

import io.recur.device.cuda.CudaDevice;

/** What only a benchmark asks of a device; in its package, so that no user's program can. */
public final class Waiting {
  private Waiting() {}

  /** Nanoseconds that callers have spent waiting for a GPU so far; 0 on the processor. */
  public static long nanos(Device device) {
    return device instanceof CudaDevice gpu ? gpu.waitedNanos() : 0;
  }
}
