package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.bindings.cuda.CUlaunchAttributeValue_union;
import io.recur.bindings.cuda.CUlaunchAttribute_st;
import io.recur.bindings.cuda.CUlaunchConfig_st;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The CPU double refuses what a card refuses before a kernel's first instruction. */
class CpuDoubleLimitsTest {
  private static final int SUCCESS = RawCuda.SUCCESS;
  private static final int ORDINAL = 1;
  private static final int MULTIPROCESSORS = 4;

  @AutoClose private RawCuda cuda = new RawCuda(ORDINAL);

  /** Of a float, a double and an int64_t: the bytes of an address that is wrong by the least. */
  @ParameterizedTest
  @CsvSource({"fault_float, 4, 2", "fault_double, 8, 4", "fault_integer, 8, 4"})
  void aPointeeThatDoesNotLieOnItsSizeIsSeenAndSticks(String kernel, int whole, int part) {
    long x = cuda.allocate(1, 2, 3, 4);
    long y = cuda.allocate(1);
    assertEquals(SUCCESS, cuda.launch(kernel, 1, x + whole, y));
    assertEquals(SUCCESS, cuda.await());
    assertEquals(SUCCESS, cuda.launch(kernel, 1, x + part, y));
    assertEquals(CUDA_ERROR_MISALIGNED_ADDRESS(), cuda.await());
    MemorySegment out = cuda.arena.allocate(ValueLayout.JAVA_LONG);
    assertEquals(CUDA_ERROR_MISALIGNED_ADDRESS(), cuMemAlloc_v2(out, 4));
  }

  /** A cubin knows its own end, but a driver that takes it for a text reads on. */
  @Test
  void aCubinIsHandedOverWithZerosBehindIt() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    byte[] cubin = cuda.cubin();
    MemorySegment image = cuda.arena.allocate(cubin.length + 64L).fill((byte) 'x');
    image.copyFrom(MemorySegment.ofArray(cubin));
    assertEquals(CUDA_ERROR_INVALID_IMAGE(), cuModuleLoadData(out, image));
    image.asSlice(cubin.length).fill((byte) 0);
    assertEquals(SUCCESS, cuModuleLoadData(out, image));
    assertEquals(SUCCESS, cuModuleUnload(out.get(ValueLayout.ADDRESS, 0)));
  }

  private int launchTogether(int blocks, int threads, int shared) {
    MemorySegment arguments = cuda.arguments(0, cuda.allocate(1));
    MemorySegment kernel = cuda.function("fault_fill");
    assertEquals(
        SUCCESS,
        cuFuncSetAttribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES(), shared));
    int status =
        cuLaunchCooperativeKernel(
            kernel, blocks, 1, 1, threads, 1, 1, shared, cuda.stream, arguments);
    MemorySegment attribute = CUlaunchAttribute_st.allocate(cuda.arena);
    CUlaunchAttribute_st.id(attribute, CU_LAUNCH_ATTRIBUTE_COOPERATIVE());
    CUlaunchAttributeValue_union.cooperative(CUlaunchAttribute_st.value(attribute), 1);
    MemorySegment grid = CUlaunchConfig_st.allocate(cuda.arena);
    CUlaunchConfig_st.gridDimX(grid, blocks);
    CUlaunchConfig_st.gridDimY(grid, 1);
    CUlaunchConfig_st.gridDimZ(grid, 1);
    CUlaunchConfig_st.blockDimX(grid, threads);
    CUlaunchConfig_st.blockDimY(grid, 1);
    CUlaunchConfig_st.blockDimZ(grid, 1);
    CUlaunchConfig_st.sharedMemBytes(grid, shared);
    CUlaunchConfig_st.hStream(grid, cuda.stream);
    CUlaunchConfig_st.attrs(grid, attribute);
    CUlaunchConfig_st.numAttrs(grid, 1);
    assertEquals(status, cuLaunchKernelEx(grid, kernel, arguments, MemorySegment.NULL));
    CUlaunchConfig_st.numAttrs(grid, 0);
    assertEquals(SUCCESS, cuLaunchKernelEx(grid, kernel, arguments, MemorySegment.NULL));
    return status;
  }

  /** Threads and bytes of shared memory, and how many such blocks a multiprocessor holds. */
  @ParameterizedTest
  @CsvSource({"1, 0, 32", "64, 0, 32", "256, 0, 8", "1024, 0, 2", "1000, 0, 2", "256, 100000, 2"})
  void blocksThatMayWaitForEachOtherMustFitTheChip(int threads, int shared, int blocks) {
    MemorySegment out = cuda.arena.allocate(ValueLayout.JAVA_INT);
    MemorySegment kernel = cuda.function("fault_fill");
    assertEquals(
        SUCCESS, cuOccupancyMaxActiveBlocksPerMultiprocessor(out, kernel, threads, shared));
    assertEquals(blocks, out.get(ValueLayout.JAVA_INT, 0));
    assertEquals(SUCCESS, launchTogether(MULTIPROCESSORS * blocks, threads, shared));
    assertEquals(
        CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE(),
        launchTogether(MULTIPROCESSORS * blocks + 1, threads, shared));
    assertEquals(SUCCESS, cuda.await()); // the refusal is no fault
  }
}
