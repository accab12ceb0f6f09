package io.recur.device.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.bindings.Opened;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** What the CPU double of a GPU lets tests do to it, see {@code native/README.md}. */
public final class CpuDouble {
  private static final long MOST_READS = 1 << 14;

  private CpuDouble() {}

  /** Skips a test where the run's device is none of NVIDIA's or its double. */
  public static void assumeCuda() {
    assumeTrue(
        Devices.name().startsWith("cuda"), "about a GPU or its double, this run has neither");
  }

  /** The device of this run; skips a test where that is none of NVIDIA's or its double. */
  static Device hereOnCuda() {
    assumeCuda();
    return Devices.here();
  }

  /** Skips a test where the run's device is not the double: nobody can make a GPU fail. */
  public static void assumeHere() {
    assumeCuda();
    assumeTrue(isHere(), () -> "about the double, this is " + Libraries.load().blas());
  }

  /** Whether NVIDIA's libraries are the double; no device is opened to see it. */
  private static boolean isHere() {
    return Libraries.load().blas().getFileName().toString().startsWith("librecur-double.");
  }

  /** Makes the next call of this name fail. */
  public static void fail(String call, int status) {
    try (Arena arena = Arena.ofConfined()) {
      var descriptor = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
      handle("recur_double_fail", descriptor).invokeExact(arena.allocateFrom(call), status);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** How often a call of this name was made. */
  public static long count(String call) {
    return ask("recur_double_count", call);
  }

  /** The bytes that calls of this name were asked to take across the bus. */
  public static long bytes(String call) {
    return ask("recur_double_bytes", call);
  }

  /** The nanoseconds that callers have spent inside of the double. */
  public static long nanos() {
    try {
      var descriptor = FunctionDescriptor.of(ValueLayout.JAVA_LONG);
      return (long) handle("recur_double_nanos", descriptor).invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static long ask(String question, String call) {
    try (Arena arena = Arena.ofConfined()) {
      var descriptor = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
      MemorySegment name = arena.allocateFrom(call);
      return (long) handle(question, descriptor).invokeExact(name);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** How many handles and allocations were left behind by devices closed so far. */
  public static long leaks() {
    try {
      var descriptor = FunctionDescriptor.of(ValueLayout.JAVA_LONG);
      return (long) handle("recur_double_leaks", descriptor).invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** How many bytes of each device other programs hold from now on. */
  public static void taken(long bytes) {
    try {
      var descriptor = FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG);
      handle("recur_double_taken", descriptor).invokeExact(bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** How many bytes a device has from now on. */
  public static void memory(long bytes) {
    try {
      var descriptor = FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG);
      handle("recur_double_memory", descriptor).invokeExact(bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** From now on what that thread of that block reads is noted; of none where the block is −1. */
  public static void watch(long block, long thread) {
    try {
      var descriptor = FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
      handle("recur_double_watch", descriptor).invokeExact(block, thread);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /**
   * The addresses that a kernel marks as read, in the order of the watched thread; 0 stands where
   * it needs all that it has read.
   */
  public static long[] reads() {
    try (Arena arena = Arena.ofConfined()) {
      var descriptor =
          FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
      MemorySegment list = arena.allocate(ValueLayout.JAVA_LONG, MOST_READS);
      long count = (long) handle("recur_double_reads", descriptor).invokeExact(list, MOST_READS);
      return list.asSlice(0, count * Long.BYTES).toArray(ValueLayout.JAVA_LONG);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker()
        .downcallHandle(Opened.SYMBOLS.find(name).orElseThrow(), descriptor);
  }
}
