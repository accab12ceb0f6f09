package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_INVALID_IMAGE;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_NO_BINARY_FOR_GPU;
import static io.recur.bindings.cuda.cuda_h.cuModuleGetFunction;
import static io.recur.bindings.cuda.cuda_h.cuModuleLoadData;
import static io.recur.bindings.cuda.cuda_h.cuModuleUnload;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The kernels, loaded on a card. */
final class Program {
  private static final int ZEROS = 16;

  private final MemorySegment module;
  private final MemorySegment[] functions;

  private Program(MemorySegment module, MemorySegment[] functions) {
    this.module = module;
    this.functions = functions;
  }

  /** Compiles the kernels or reads them from the cache, and loads them. The context is current. */
  static Program load(Context context, Libraries libraries) {
    Compiler compiler = new Compiler(libraries, Source.read());
    int architecture = context.card().architecture();
    byte[] image = compiler.image(architecture);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      int status = cuModuleLoadData(out, data(arena, image));
      if (status == CUDA_ERROR_INVALID_IMAGE() || status == CUDA_ERROR_NO_BINARY_FOR_GPU()) {
        // made by an earlier build of this NVRTC
        status = cuModuleLoadData(out, data(arena, compiler.compiled(architecture)));
      }
      context.refuse(status, "cuModuleLoadData of the kernels on " + context);
      MemorySegment module = out.get(ValueLayout.ADDRESS, 0);
      try {
        return new Program(module, functions(context, arena, module, out));
      } catch (DeviceException e) {
        cuModuleUnload(module);
        throw e;
      }
    }
  }

  private static MemorySegment[] functions(
      Context context, Arena arena, MemorySegment module, MemorySegment out) {
    Kernel[] kernels = Kernel.values();
    MemorySegment[] functions = new MemorySegment[kernels.length];
    for (int i = 0; i < kernels.length; i++) {
      String symbol = kernels[i].symbol();
      int status = cuModuleGetFunction(out, module, arena.allocateFrom(symbol));
      context.refuse(status, "cuModuleGetFunction of " + symbol);
      functions[i] = out.get(ValueLayout.ADDRESS, 0);
    }
    return functions;
  }

  /** {@return the image with zeros after it: a driver that takes it for text stops at the first} */
  static MemorySegment data(Arena arena, byte[] image) {
    MemorySegment data = arena.allocate(image.length + ZEROS);
    return data.copyFrom(MemorySegment.ofArray(image));
  }

  MemorySegment function(Kernel kernel) {
    return functions[kernel.ordinal()];
  }

  void close() {
    cuModuleUnload(module);
  }
}
