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
 * @param ordinal the card's number
 * @param device the driver's handle
 * @param name the card's name, such as NVIDIA H200
 * @param bytes the size of its memory
 * @param major the compute capability before the point
 * @param minor the compute capability after the point
 * @param multiprocessors the number of multiprocessors
 * @param hasPools whether it allocates memory in the order of a stream
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

  /** The kernels are compiled and checked from this one on; it is the first with TF32. */
  private static final int OLDEST_MAJOR = 8;

  /** {@return all cards that the driver shows} The libraries must be loaded. */
  static List<Card> all() {
    List<Card> cards = new ArrayList<>();
    for (int ordinal = 0; ordinal < count(); ordinal++) {
      cards.add(read(ordinal));
    }
    return cards;
  }

  /**
   * {@return the card of this number} The libraries must be loaded.
   *
   * @throws DeviceException if there is no such card
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

  /** Throws if the kernels do not run on this card. */
  void refuseOld() {
    if (major < OLDEST_MAJOR) {
      throw new DeviceException(
          """
          cuda: cuda:%d (%s); need compute capability %d.0 or later, such as A100 and RTX 30: take \
          another GPU with cuda:N, or run on Device.cpu()"""
              .formatted(ordinal, description(), OLDEST_MAJOR));
    }
  }

  /** {@return the compute capability in NVRTC's numbers: 90 is 9.0} */
  int architecture() {
    return 10 * major + minor;
  }

  /** {@return such as {@code NVIDIA H200, 139.8 GiB, compute capability 9.0}} */
  String description() {
    return "%s, %.1f GiB, compute capability %d.%d"
        .formatted(name, bytes / (double) (1 << 30), major, minor);
  }
}
