package io.recur.device;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.cpu.CpuDevice;
import io.recur.device.cpu.Kernels;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The devices that tests run on: those of the processor, or, in a run that the system property
 * {@value #NAMED} names another device for, that one alone. What is about the processor, or about
 * no device at all, carries the tag {@value #CPU} and takes no part in such a run.
 */
public final class Devices {
  /** A device as {@link Device#of} takes it; {@value #CPU} where it is not set. */
  public static final String NAMED = "io.recur.test.device";

  /** The processor: the name of the device, and the tag of tests for which no other matters. */
  public static final String CPU = "cpu";

  /** Around a tile of 2048 values and the widths of vector registers. */
  public static final int[] SIZES = {1, 3, 16, 17, 63, 64, 65, 257, 2049};

  /** What {@link #here} gives on a GPU, until the JVM ends. */
  private static @Nullable Device kept;

  private Devices() {}

  /** Every device that kernels are tested on; JUnit closes them. */
  public static Stream<Device> all() {
    return isCpu()
        ? Kernels.present().stream().map(set -> new CpuDevice(set, 2))
        : Stream.of(here());
  }

  /**
   * The device of this run, to be closed by the test. On a GPU the JVM keeps one for all tests,
   * since opening one takes half a second; what a test says of a device that is closed, broken,
   * counted or beside another is about one of {@link #opened}.
   */
  public static synchronized Device here() {
    if (isCpu()) {
      return opened();
    }
    if (kept == null) {
      kept = opened();
    }
    kept.share();
    return kept;
  }

  /** The device of this run, opened afresh; to be closed by the test. */
  public static Device opened() {
    return Device.of(name());
  }

  /** What the device of this run is called on a command line. */
  public static String name() {
    return System.getProperty(NAMED, CPU);
  }

  /** Whether a device runs the kernels in C. */
  public static boolean isNative(Device device) {
    return device instanceof CpuDevice && !device.name().endsWith("kernels java)");
  }

  /** Whether this run is one on the processor. */
  public static boolean isCpu() {
    return name().equals(CPU);
  }

  /**
   * Rounds of a law that a tenth of them shows as well, where the processor takes that many: the
   * CPU double of a GPU takes its time.
   */
  public static int rounds(int onCpu) {
    return isCpu() ? onCpu : Math.max(1, onCpu / 10);
  }

  /** Skips a test in a run on another device than the processor, saying why. */
  public static void onlyOnCpu(String reason) {
    assumeTrue(isCpu(), reason);
  }
}
