package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.cuLaunchKernel;
import static io.recur.bindings.cuda.cuda_h.cuMemcpyDtoDAsync_v2;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Launches the operations of a list on the stream, one call each, under the queue's monitor. */
final class StreamLauncher implements WorkList.Reader {
  private final Context context;
  private final Program program;
  private final Cublas blas;

  /** The arguments of a launch, eight bytes each, and pointers to them. The call reads them. */
  private final MemorySegment arguments;

  private final MemorySegment pointers;

  StreamLauncher(Context context, Program program, Cublas blas) {
    this.context = context;
    this.program = program;
    this.blas = blas;
    Arena arena = Arena.ofAuto();
    arguments = arena.allocate(ValueLayout.JAVA_LONG, Launch.MOST_ARGUMENTS);
    pointers = arena.allocate(ValueLayout.ADDRESS, Launch.MOST_ARGUMENTS);
    for (int i = 0; i < Launch.MOST_ARGUMENTS; i++) {
      pointers.setAtIndex(ValueLayout.ADDRESS, i, arguments.asSlice((long) i * Long.BYTES));
    }
  }

  @Override
  public void kernel(int kernel, int blocks, int threads, long[] words, int at, int count) {
    MemorySegment.copy(words, at, arguments, ValueLayout.JAVA_LONG, 0, count);
    int status =
        cuLaunchKernel(
            program.function(kernel),
            blocks,
            1,
            1,
            threads,
            1,
            1,
            0,
            context.stream(),
            pointers,
            MemorySegment.NULL);
    if (status != 0) {
      throw context.failed(
          "cuLaunchKernel of %s, blocks=%d, threads=%d, arguments=%d"
              .formatted(program.symbol(kernel), blocks, threads, count),
          status);
    }
  }

  @Override
  public void product(Product product) {
    blas.multiply(product);
  }

  @Override
  public void copy(long from, long target, long count) {
    int status = cuMemcpyDtoDAsync_v2(target, from, count * Float.BYTES, context.stream());
    context.check(status, "cuMemcpyDtoDAsync");
  }
}
