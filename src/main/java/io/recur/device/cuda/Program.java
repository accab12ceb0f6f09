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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The kernels, loaded on a card. Those of {@link Kernel} have the numbers of their entries; those
 * of cells, which are loaded later, the numbers after them.
 */
final class Program {
  private static final int ZEROS = 16;

  private final Context context;
  private final List<MemorySegment> modules = new ArrayList<>();
  private final List<MemorySegment> functions = new ArrayList<>();
  private final List<String> symbols = new ArrayList<>();

  private Program(Context context) {
    this.context = context;
  }

  /** Compiles the kernels or reads them from the cache, and loads them. The context is current. */
  static Program load(Context context, Libraries libraries) {
    Compiler compiler = new Compiler(libraries, Source.read());
    Program program = new Program(context);
    program.load(compiler, Arrays.stream(Kernel.values()).map(Kernel::symbol).toList());
    return program;
  }

  /**
   * Loads further kernels, compiled or from the cache. The context is current, under the queue's
   * monitor.
   *
   * @return the number of the first
   */
  int load(Compiler compiler, List<String> names) {
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
        List<MemorySegment> found = functions(arena, module, names, out);
        int first = functions.size();
        modules.add(module);
        functions.addAll(found);
        symbols.addAll(names);
        return first;
      } catch (DeviceException e) {
        cuModuleUnload(module);
        throw e;
      }
    }
  }

  private List<MemorySegment> functions(
      Arena arena, MemorySegment module, List<String> names, MemorySegment out) {
    List<MemorySegment> found = new ArrayList<>();
    for (String symbol : names) {
      int status = cuModuleGetFunction(out, module, arena.allocateFrom(symbol));
      context.refuse(status, "cuModuleGetFunction of " + symbol);
      found.add(out.get(ValueLayout.ADDRESS, 0));
    }
    return found;
  }

  /** {@return the image with zeros after it: a driver that takes it for text stops at the first} */
  static MemorySegment data(Arena arena, byte[] image) {
    MemorySegment data = arena.allocate(image.length + ZEROS);
    return data.copyFrom(MemorySegment.ofArray(image));
  }

  MemorySegment function(int kernel) {
    return functions.get(kernel);
  }

  /** {@return the name of the C function} */
  String symbol(int kernel) {
    return symbols.get(kernel);
  }

  void close() {
    modules.forEach(module -> cuModuleUnload(module));
  }
}
