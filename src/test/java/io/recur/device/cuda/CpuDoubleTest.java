package io.recur.device.cuda;

import static io.recur.bindings.cublas.cublas_v2_h.*;
import static io.recur.bindings.cuda.cuda_h.*;
import static io.recur.bindings.nvrtc.nvrtc_h.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The CPU double sees each of the mistakes that it is there for. */
class CpuDoubleTest {
  private static final int SUCCESS = RawCuda.SUCCESS;

  /** Devices that no other test uses. */
  private static final int ORDINAL = 1;

  private static final int OTHER = 2;

  @AutoClose private RawCuda cuda = new RawCuda(ORDINAL);

  @Test
  void itSaysThatItIsNoGpu() {
    MemorySegment name = cuda.arena.allocate(64);
    assertEquals(SUCCESS, cuDeviceGetName(name, 64, 0));
    assertEquals("CPU double (not a GPU)", name.getString(0));
  }

  @Test
  void freshMemoryIsNotANumber() {
    long x = cuda.allocate(100);
    for (float value : cuda.peek(x, 100)) {
      assertTrue(Float.isNaN(value));
    }
  }

  @Test
  void theHostCannotFollowAnAddress() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    assumeTrue(Files.isReadable(maps), "only Linux tells what can be followed");
    long x = cuda.allocate(1f);
    assertEquals(SUCCESS, cuda.launch("fault_fill", 1, 1, x));
    assertEquals(SUCCESS, cuda.await());
    for (String line : Files.readAllLines(maps)) {
      String[] words = line.split("[- ]", 4); // begin, end, rights
      if (Long.parseUnsignedLong(words[0], 16) <= x && x < Long.parseUnsignedLong(words[1], 16)) {
        assertTrue(line.contains(" ---p "), line);
        return;
      }
    }
  }

  /** Right behind the end: a page that nobody can touch, or, up to 256 bytes, canaries. */
  @ParameterizedTest
  @ValueSource(ints = {64, 1, 3, 65, 1024})
  void aKernelBeyondTheEndIsStopped(int floats) {
    long x = cuda.allocate(floats);
    assertEquals(SUCCESS, cuda.launch("fault_fill", 32, floats, x));
    assertEquals(SUCCESS, cuda.await());
    assertEquals(SUCCESS, cuda.launch("fault_fill", 32, floats + 1, x));
    assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuda.await());
  }

  @Test
  void aKernelBeforeTheBeginIsSeen() {
    long x = cuda.allocate(64);
    assertEquals(SUCCESS, cuda.launch("fault_fill", 1, 1, x - Float.BYTES));
    long y = cuda.allocate(64);
    assertEquals(SUCCESS, cuda.launch("fault_fill", 1, 1, x));
    assertEquals(SUCCESS, cuda.launch("fault_fill", 1, 1, y));
    assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuda.await());
  }

  @Test
  void aFaultSticksUntilTheContextIsReleased() {
    assertEquals(SUCCESS, cuda.launch("fault_fill", 1, 1, 16));
    assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuda.await());
    MemorySegment out = cuda.arena.allocate(ValueLayout.JAVA_LONG);
    assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuMemAlloc_v2(out, 4));
    assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuMemsetD32Async(16, 0, 1, cuda.stream));
    cuda.close();
    cuda = new RawCuda(ORDINAL);
    assertEquals(SUCCESS, cuMemFree_v2(cuda.allocate(1L)));
  }

  @Test
  void copiesBeyondTheEndAreRefused() {
    long x = cuda.allocate(4);
    MemorySegment host = cuda.arena.allocate(ValueLayout.JAVA_FLOAT, 5);
    int refused = CUDA_ERROR_INVALID_VALUE();
    assertEquals(refused, cuMemcpyHtoD_v2(x, host, 20));
    assertEquals(refused, cuMemcpyDtoHAsync_v2(host, x + 4, 16, cuda.stream));
    assertEquals(refused, cuMemsetD32Async(x, 0, 5, cuda.stream));
  }

  @Test
  void whatCrossesTheBusIsCounted() {
    long x = cuda.allocate(4);
    MemorySegment host = cuda.arena.allocate(ValueLayout.JAVA_FLOAT, 4);
    long to = CpuDouble.bytes("cuMemcpyHtoDAsync_v2");
    long from = CpuDouble.bytes("cuMemcpyDtoHAsync_v2");
    assertEquals(SUCCESS, cuMemcpyHtoDAsync_v2(x, host, 16, cuda.stream));
    assertEquals(SUCCESS, cuMemcpyDtoHAsync_v2(host, x, 8, cuda.stream));
    assertEquals(SUCCESS, cuda.await());
    assertEquals(to + 16, CpuDouble.bytes("cuMemcpyHtoDAsync_v2"));
    assertEquals(from + 8, CpuDouble.bytes("cuMemcpyDtoHAsync_v2"));
  }

  @Test
  void whereNobodyWaitsThereIsNothing() {
    long x = cuda.allocate(3);
    MemorySegment host = cuda.arena.allocate(ValueLayout.JAVA_FLOAT, 3);
    assertEquals(SUCCESS, cuda.launch("fault_fill", 3, 3, x));
    assertEquals(SUCCESS, cuMemcpyDtoHAsync_v2(host, x, 12, cuda.stream));
    assertArrayEquals(new float[3], host.toArray(ValueLayout.JAVA_FLOAT));
    assertTrue(Float.isNaN(cuda.peek(x, 3)[1])); // a copy does not wait for this stream
    assertEquals(SUCCESS, cuda.await());
    assertArrayEquals(new float[] {0, 1, 2}, host.toArray(ValueLayout.JAVA_FLOAT));
  }

  @Test
  void memoryOfTheHostIsReadWhenTheCopyRuns() {
    long x = cuda.allocate(1);
    MemorySegment host = cuda.arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
    assertEquals(SUCCESS, cuMemcpyHtoDAsync_v2(x, host, 4, cuda.stream));
    host.set(ValueLayout.JAVA_FLOAT, 0, 2);
    assertEquals(SUCCESS, cuda.await());
    assertEquals(2, cuda.peek(x, 1)[0]);
  }

  @Test
  void freedMemoryIsKnown() {
    long x = cuda.allocate(64);
    assertEquals(SUCCESS, cuMemFree_v2(x));
    assertEquals(CUDA_ERROR_INVALID_VALUE(), cuMemFree_v2(x));
    assertTrue(x != cuda.allocate(64));
    assertEquals(SUCCESS, cuda.launch("fault_fill", 1, 1, x));
    assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuda.await());
  }

  @Test
  void whatIsLeftBehindIsCounted() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    cuda.allocate(64);
    assertEquals(SUCCESS, cuEventCreate(out, CU_EVENT_DEFAULT()));
    assertEquals(SUCCESS, cuMemHostAlloc(out, 64, 0));
    long before = CpuDouble.leaks();
    cuda.close();
    cuda = null;
    assertEquals(before + 3, CpuDouble.leaks());
  }

  @Test
  void handlesThatAreGoneAreKnown() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    assertEquals(SUCCESS, cuStreamCreate(out, 0));
    MemorySegment gone = out.get(ValueLayout.ADDRESS, 0);
    assertEquals(SUCCESS, cuStreamDestroy_v2(gone));
    assertEquals(CUDA_ERROR_INVALID_HANDLE(), cuStreamSynchronize(gone));
    assertEquals(CUDA_ERROR_INVALID_HANDLE(), cuStreamDestroy_v2(gone));
    assertEquals(CUDA_ERROR_INVALID_HANDLE(), cuEventDestroy_v2(cuda.stream));
    assertEquals(CUDA_ERROR_INVALID_HANDLE(), cuEventDestroy_v2(MemorySegment.ofAddress(1234)));
  }

  @Test
  void aThreadNeedsAContext() throws InterruptedException {
    MemorySegment out = cuda.arena.allocate(ValueLayout.JAVA_LONG);
    assertEquals(CUDA_ERROR_INVALID_CONTEXT(), elsewhere(() -> cuMemAlloc_v2(out, 4)));
    MemorySegment context = cuda.context;
    cuda.close();
    cuda = null;
    int gone = cuCtxSetCurrent(context);
    assertEquals(CUDA_ERROR_INVALID_CONTEXT(), gone);
  }

  private static int elsewhere(IntSupplier call) throws InterruptedException {
    int[] status = new int[1];
    Thread thread = new Thread(() -> status[0] = call.getAsInt());
    thread.start();
    thread.join();
    return status[0];
  }

  @Test
  void eachContextHasItsOwnMemoryAndHandles() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    assertEquals(SUCCESS, cublasCreate_v2(out));
    MemorySegment blas = out.get(ValueLayout.ADDRESS, 0);
    long x = cuda.allocate(64);
    try (RawCuda other = new RawCuda(OTHER)) {
      assertEquals(CUBLAS_STATUS_EXECUTION_FAILED(), cublasSetStream_v2(blas, other.stream));
      assertEquals(CUDA_ERROR_INVALID_HANDLE(), cuStreamSynchronize(cuda.stream));
      assertEquals(SUCCESS, other.launch("fault_fill", 1, 1, x));
      assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), other.await());
    }
    assertEquals(SUCCESS, cuCtxSetCurrent(cuda.context));
    assertEquals(SUCCESS, cublasDestroy_v2(blas));
    assertEquals(CUBLAS_STATUS_NOT_INITIALIZED(), cublasDestroy_v2(blas));
  }

  @Test
  void aCaptureRunsNothingAndItsGraphAsOftenAsItIsLaunched() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    long x = cuda.allocate(5f, 5);
    assertEquals(SUCCESS, cuStreamBeginCapture_v2(cuda.stream, 0));
    assertEquals(SUCCESS, cuda.launch("fault_fill", 2, 2, x));
    assertEquals(SUCCESS, cuStreamEndCapture(cuda.stream, out));
    MemorySegment graph = out.get(ValueLayout.ADDRESS, 0);
    assertEquals(SUCCESS, cuda.await());
    assertArrayEquals(new float[] {5, 5}, cuda.peek(x, 2));
    assertEquals(SUCCESS, cuGraphInstantiateWithFlags(out, graph, 0));
    MemorySegment ready = out.get(ValueLayout.ADDRESS, 0);
    assertEquals(SUCCESS, cuGraphDestroy(graph));
    for (int i = 0; i < 2; i++) {
      assertEquals(SUCCESS, cuMemsetD32Async(x, 0, 2, cuda.stream));
      assertEquals(SUCCESS, cuGraphLaunch(ready, cuda.stream));
      assertEquals(SUCCESS, cuda.await());
      assertArrayEquals(new float[] {0, 1}, cuda.peek(x, 2));
    }
    assertEquals(SUCCESS, cuGraphExecDestroy(ready));
    assertEquals(CUDA_ERROR_INVALID_VALUE(), cuGraphLaunch(ready, cuda.stream));
  }

  @Test
  void whatACaptureForbidsEndsIt() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    int forbidden = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED();
    for (IntSupplier call :
        new IntSupplier[] {
          cuda::await, () -> cuMemAlloc_v2(out, 4), io.recur.bindings.cuda.cuda_h::cuCtxSynchronize
        }) {
      assertEquals(SUCCESS, cuStreamBeginCapture_v2(cuda.stream, 0));
      assertEquals(forbidden, call.getAsInt());
      assertEquals(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED(), cuda.launch("fault_fill", 1, 0, 0));
      assertEquals(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED(), cuStreamEndCapture(cuda.stream, out));
    }
    assertEquals(CUDA_ERROR_ILLEGAL_STATE(), cuStreamEndCapture(cuda.stream, out));
  }

  @Test
  void aMissingBarrierShows() {
    float[] x = new float[256];
    Arrays.fill(x, 1);
    long from = cuda.allocate(x);
    long to = cuda.allocate(256);
    assertEquals(SUCCESS, cuda.launch("fault_neighbours", 256, 1, from, to));
    assertEquals(SUCCESS, cuda.await());
    assertArrayEquals(x, cuda.peek(to, 256));
    assertEquals(SUCCESS, cuda.launch("fault_neighbours", 256, 0, from, to));
    assertEquals(SUCCESS, cuda.await());
    float[] first = cuda.peek(to, 256); // of the thread that ran first: 0 or, in reverse, 255
    assertTrue(Float.isNaN(first[0]) || Float.isNaN(first[255]));
  }

  @ParameterizedTest
  @ValueSource(strings = {"fault_few_wait", "fault_two_barriers"})
  void aBarrierIsForAllThreads(String kernel) {
    long y = cuda.allocate(256);
    assertEquals(SUCCESS, cuda.launch(kernel, 256, 256, y));
    assertEquals(SUCCESS, cuda.await());
    assertEquals(SUCCESS, cuda.launch(kernel, 256, 255, y));
    assertEquals(CUDA_ERROR_LAUNCH_FAILED(), cuda.await());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 17, 256, 1024})
  void threadsMeetAtEveryBarrier(int threads) {
    float[] x = new float[threads];
    Arrays.fill(x, 3);
    long y = cuda.allocate(1);
    assertEquals(SUCCESS, cuda.launch("fault_none", threads, cuda.allocate(x), y));
    assertEquals(SUCCESS, cuda.await());
    assertEquals(3 * threads, cuda.peek(y, 1)[0]);
  }

  @Test
  void limitsAndNamesAreChecked() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    MemorySegment name = cuda.arena.allocateFrom("fault_unknown");
    assertEquals(CUDA_ERROR_NOT_FOUND(), cuModuleGetFunction(out, cuda.module, name));
    assertEquals(CUDA_ERROR_INVALID_VALUE(), cuda.launch("fault_fill", 1025, 0, 0));
    assertEquals(CUDA_ERROR_INVALID_IMAGE(), cuModuleLoadData(out, name));
  }

  @Test
  void aChangedSourceIsRefusedWithItsLine() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    MemorySegment log = cuda.arena.allocate(1024);
    String changed = "#line 1 \"a.cu\"\n" + RawCuda.source().replace("(float)i;", "(float)i + 1;");
    MemorySegment text = cuda.arena.allocateFrom(changed);
    assertEquals(
        SUCCESS,
        nvrtcCreateProgram(
            out, text, MemorySegment.NULL, 0, MemorySegment.NULL, MemorySegment.NULL));
    MemorySegment program = out.get(ValueLayout.ADDRESS, 0);
    assertEquals(NVRTC_ERROR_COMPILATION(), nvrtcCompileProgram(program, 0, MemorySegment.NULL));
    assertEquals(SUCCESS, nvrtcGetProgramLog(program, log));
    String before = changed.substring(0, changed.indexOf("(float)i + 1"));
    String place = "a.cu(" + (before.lines().count() - 1) + "): error: ";
    assertTrue(log.getString(0).startsWith(place), place + log.getString(0));
    assertEquals(SUCCESS, nvrtcDestroyProgram(out));
  }

  @Test
  void aProgramThatDoesNotCompileSaysWhy() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.ADDRESS);
    MemorySegment log = cuda.arena.allocate(1 << 16);
    MemorySegment text =
        cuda.arena.allocateFrom(Source.words() + "DEVICE int f(void) { return g; }\n");
    MemorySegment name = cuda.arena.allocateFrom(Compiler.PROGRAM);
    assertEquals(
        SUCCESS, nvrtcCreateProgram(out, text, name, 0, MemorySegment.NULL, MemorySegment.NULL));
    MemorySegment program = out.get(ValueLayout.ADDRESS, 0);
    MemorySegment options = cuda.arena.allocate(ValueLayout.ADDRESS);
    options.set(ValueLayout.ADDRESS, 0, cuda.arena.allocateFrom("--gpu-architecture=sm_90"));
    assertEquals(NVRTC_ERROR_COMPILATION(), nvrtcCompileProgram(program, 1, options));
    assertEquals(SUCCESS, nvrtcGetProgramLog(program, log));
    String said = log.getString(0);
    assertTrue(said.startsWith("error: the host's C compiler ended with 1"), said);
    assertTrue(said.contains("undeclared"), said);
    assertEquals(SUCCESS, nvrtcDestroyProgram(out));
  }

  @Test
  void aCallCanBeMadeToFailOnce() {
    MemorySegment out = cuda.arena.allocate(ValueLayout.JAVA_LONG);
    long before = CpuDouble.count("cuMemAlloc_v2");
    CpuDouble.fail("cuMemAlloc_v2", CUDA_ERROR_OUT_OF_MEMORY());
    assertEquals(CUDA_ERROR_OUT_OF_MEMORY(), cuMemAlloc_v2(out, 4));
    cuda.allocate(1);
    assertEquals(before + 2, CpuDouble.count("cuMemAlloc_v2"));
  }
}
