package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static io.recur.bindings.cuda.cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static io.recur.bindings.cuda.cuda_h.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED;
import static io.recur.bindings.cuda.cuda_h.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static io.recur.bindings.cuda.cuda_h.cuDeviceGet;
import static io.recur.bindings.cuda.cuda_h.cuDeviceGetAttribute;
import static io.recur.bindings.cuda.cuda_h.cuDeviceGetCount;
import static io.recur.bindings.cuda.cuda_h.cuDeviceGetName;
import static io.recur.bindings.cuda.cuda_h.cuDeviceTotalMem_v2;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A GPU of this machine.
 *
 * @param ordinal its number
 * @param device as the driver calls it
 * @param name such as NVIDIA H200
 * @param bytes of its memory
 * @param major of its compute capability
 * @param minor of its compute capability
 * @param multiprocessors how many it has
 * @param hasPools whether it gives memory in the order of a stream
 */
record Card(
    int ordinal,
    int device,
    String name,
    long bytes,
    int major,
    int minor,
    int multiprocessors,
    boolean hasPools) {
  private static final int NAME_BYTES = 256;

  /** The oldest that the kernels are compiled and checked for, and the first with TF32. */
  private static final int OLDEST_MAJOR = 8;

  /** All that the driver shows. The libraries must be loaded. */
  static List<Card> all() {
    List<Card> cards = new ArrayList<>();
    for (int ordinal = 0; ordinal < count(); ordinal++) {
      cards.add(read(ordinal));
    }
    return cards;
  }

  /**
   * One of them. The libraries must be loaded.
   *
   * @throws DeviceException if there is none of that number
   */
  static Card of(int ordinal) {
    int count = count();
    if (ordinal < 0 || ordinal >= count) {
      throw new DeviceException(
          "cuda: ordinal=%d, GPUs=%d; need 0 ≤ ordinal < GPUs (CUDA_VISIBLE_DEVICES may hide some)"
              .formatted(ordinal, count));
    }
    return read(ordinal);
  }

  private static int count() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      Status.check(cuDeviceGetCount(count), "cuDeviceGetCount");
      return count.get(JAVA_INT, 0);
    }
  }

  private static Card read(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      Status.check(cuDeviceGet(number, ordinal), "cuDeviceGet");
      int device = number.get(JAVA_INT, 0);
      MemorySegment name = arena.allocate(NAME_BYTES);
      Status.check(cuDeviceGetName(name, NAME_BYTES, device), "cuDeviceGetName");
      MemorySegment bytes = arena.allocate(JAVA_LONG);
      Status.check(cuDeviceTotalMem_v2(bytes, device), "cuDeviceTotalMem");
      return new Card(
          ordinal,
          device,
          name.getString(0),
          bytes.get(JAVA_LONG, 0),
          attribute(number, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR(), device),
          attribute(number, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR(), device),
          attribute(number, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT(), device),
          attribute(number, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED(), device) != 0);
    }
  }

  private static int attribute(MemorySegment value, int attribute, int device) {
    Status.check(cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
    return value.get(JAVA_INT, 0);
  }

  /** Refuses a card that the kernels are not made for. */
  void refuseOld() {
    if (major < OLDEST_MAJOR) {
      throw new DeviceException(
          """
          cuda: cuda:%d (%s); need compute capability %d.0 or later, such as A100 and RTX 30: take \
          another GPU with cuda:N, or run on Device.cpu()"""
              .formatted(ordinal, description(), OLDEST_MAJOR));
    }
  }

  /** The compute capability as NVRTC numbers it: 90 is 9.0. */
  int architecture() {
    return 10 * major + minor;
  }

  /** Such as {@code NVIDIA H200, 139.8 GiB, compute capability 9.0}. */
  String description() {
    return "%s, %.1f GiB, compute capability %d.%d"
        .formatted(name, bytes / (double) (1 << 30), major, minor);
  }
}
