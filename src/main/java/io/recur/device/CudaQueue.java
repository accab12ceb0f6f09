package io.recur.device;

import java.lang.foreign.MemorySegment;

/** The one way to put work on a CUDA device. */
final class CudaQueue {
  private final ThreadLocal<CudaLaunch> launches =
      ThreadLocal.withInitial(() -> new CudaLaunch(this));

  /** A launch of this kernel, to be given its arguments. */
  CudaLaunch kernel(CudaKernel kernel) {
    return launches.get().begin(kernel);
  }

  /** Sets words of device memory to the same bits. */
  void fill(int bits, MemorySegment target, long words) {
    throw new UnsupportedOperationException();
  }

  /** Copies words from one place of the device to another; they must not overlap. */
  void copy(MemorySegment from, MemorySegment target, long words) {
    throw new UnsupportedOperationException();
  }

  void record(CudaLaunch launch, int blocks, int threads) {
    throw new UnsupportedOperationException();
  }

  long mostBlocks() {
    return 1024;
  }
}
