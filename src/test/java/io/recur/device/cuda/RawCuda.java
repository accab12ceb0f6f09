package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.*;
import static io.recur.bindings.nvrtc.nvrtc_h.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A context of the CPU double with a stream of its own and the kernels of {@code
 * native/double/faults.cu}, by the driver's calls alone: what the device would never do can be done
 * here.
 */
final class RawCuda implements AutoCloseable {
  static final int SUCCESS = 0;
  private static final MemorySegment NONE = MemorySegment.NULL;

  /** Of all that the calls are handed. */
  final Arena arena = Arena.ofShared();

  final MemorySegment context;
  final MemorySegment stream;
  final MemorySegment module;
  private final byte[] cubin;
  private final int ordinal;

  /**
   * Makes the context current on this thread; skips the test where the run's device is not the
   * double.
   */
  RawCuda(int ordinal) {
    CpuDouble.assumeHere();
    this.ordinal = ordinal;
    Libraries.load();
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    assertEquals(SUCCESS, cuDevicePrimaryCtxRetain(out, ordinal));
    context = out.get(ValueLayout.ADDRESS, 0);
    assertEquals(SUCCESS, cuCtxSetCurrent(context));
    assertEquals(SUCCESS, cuStreamCreate(out, CU_STREAM_NON_BLOCKING()));
    stream = out.get(ValueLayout.ADDRESS, 0);
    cubin = compiled(source());
    assertEquals(SUCCESS, cuModuleLoadData(out, Program.data(arena, cubin)));
    module = out.get(ValueLayout.ADDRESS, 0);
  }

  /** The program of kernels with faults. */
  static String source() {
    try {
      return Files.readString(Path.of("native/cuda/prelude.cu"))
          + Files.readString(Path.of("native/double/faults.cu"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** What NVRTC makes of that program. */
  byte[] cubin() {
    return cubin;
  }

  private byte[] compiled(String source) {
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG);
    MemorySegment text = arena.allocateFrom(source);
    assertEquals(SUCCESS, nvrtcCreateProgram(out, text, NONE, 0, NONE, NONE));
    MemorySegment program = out.get(ValueLayout.ADDRESS, 0);
    MemorySegment options = arena.allocate(ValueLayout.ADDRESS);
    options.set(ValueLayout.ADDRESS, 0, arena.allocateFrom("--gpu-architecture=sm_90"));
    assertEquals(SUCCESS, nvrtcCompileProgram(program, 1, options));
    assertEquals(SUCCESS, nvrtcGetCUBINSize(program, bytes));
    MemorySegment image = arena.allocate(bytes.get(ValueLayout.JAVA_LONG, 0));
    assertEquals(SUCCESS, nvrtcGetCUBIN(program, image));
    assertEquals(SUCCESS, nvrtcDestroyProgram(out));
    return image.toArray(ValueLayout.JAVA_BYTE);
  }

  long allocate(long floats) {
    MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
    assertEquals(SUCCESS, cuMemAlloc_v2(out, floats * Float.BYTES));
    return out.get(ValueLayout.JAVA_LONG, 0);
  }

  /** Values on the device. */
  long allocate(float... values) {
    long address = allocate(values.length);
    MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    assertEquals(SUCCESS, cuMemcpyHtoD_v2(address, from, from.byteSize()));
    return address;
  }

  /** What is there now, whatever waits in the stream. */
  float[] peek(long address, int floats) {
    MemorySegment to = arena.allocate(ValueLayout.JAVA_FLOAT, floats);
    assertEquals(SUCCESS, cuMemcpyDtoH_v2(to, address, to.byteSize()));
    return to.toArray(ValueLayout.JAVA_FLOAT);
  }

  MemorySegment function(String kernel) {
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    assertEquals(SUCCESS, cuModuleGetFunction(out, module, arena.allocateFrom(kernel)));
    return out.get(ValueLayout.ADDRESS, 0);
  }

  /** Asks the stream for a kernel, and gives the call's status. */
  int launch(String kernel, int threads, long... arguments) {
    MemorySegment list = arguments(arguments);
    return cuLaunchKernel(function(kernel), 1, 1, 1, threads, 1, 1, 0, stream, list, NONE);
  }

  /** Arguments as a launch takes them. */
  MemorySegment arguments(long... arguments) {
    MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_LONG, arguments);
    MemorySegment list = arena.allocate(ValueLayout.ADDRESS, arguments.length);
    for (int i = 0; i < arguments.length; i++) {
      list.setAtIndex(ValueLayout.ADDRESS, i, values.asSlice(i * Long.BYTES));
    }
    return list;
  }

  int await() {
    return cuStreamSynchronize(stream);
  }

  /** Releases the context with all that is left in it. */
  @Override
  public void close() {
    cuModuleUnload(module);
    cuStreamDestroy_v2(stream);
    cuDevicePrimaryCtxRelease_v2(ordinal);
    cuCtxSetCurrent(NONE);
    arena.close();
  }
}
