package io.recur.device;

import java.util.stream.Stream;

/** The devices that every test of a kernel runs on. */
public final class Devices {
  /** Around a tile of 2048 values and the widths of vector registers. */
  static final int[] SIZES = {1, 3, 16, 17, 63, 64, 65, 257, 2049};

  private Devices() {}

  /** Each opened afresh; JUnit closes them. */
  public static Stream<Device> all() {
    return Kernels.present().stream().map(set -> new CpuDevice(set, 2));
  }
}
