package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.kernels.KernelDevice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A driver, a card or a cache that is not as it should be, and another program on the same card: on
 * the double, in this JVM where it can be, else in a JVM of its own that opens a device again and
 * again. Its second card is nobody else's.
 */
class CudaTroubleTest {
  private static final int MEMORY = 2;
  private static final int BLAS_MEMORY = 3;
  private static final int SHUT_DOWN = 4;
  private static final int TAKEN = 46;
  private static final int LAUNCH_FAILED = 719;
  private static final int REPLACED = 803;
  private static final int UNKNOWN = 999;

  @TempDir private Path folder;

  @BeforeEach
  void onlyOnTheDouble() {
    CpuDouble.assumeHere();
  }

  private static Device open() {
    return Device.cuda(1);
  }

  /** Leaves nothing open for the tests to come, where it does not throw as it should. */
  private static void tryToOpen() {
    open().close();
  }

  private static void work(Device device, Buffer x) {
    for (int i = 0; i < 4; i++) {
      device.pointwise().scale(1, x, x, x.floats());
    }
    x.read();
  }

  // Another program on the card.

  /** Other programs leave that many bytes of the card. */
  private static long leave(int mebibytes) {
    long bytes = (long) mebibytes << 20;
    CpuDouble.taken(CudaCard.of(1).bytes() - bytes);
    return bytes;
  }

  @Test
  void aCardThatOthersHaveFilledIsToldWithItsBytesAndTheRemedy() {
    long total = CudaCard.of(1).bytes();
    long leaks = CpuDouble.leaks();
    try {
      leave(4);
      Thrown.says(
          DeviceException.class,
          CudaTroubleTest::tryToOpen,
          "cuda: cuDevicePrimaryCtxRetain of cuda:1: 2 CUDA_ERROR_OUT_OF_MEMORY",
          "of " + total + " bytes fewer are free than a context takes",
          CudaRemedy.MEMORY);
      long few = leave(12);
      Thrown.says(
          DeviceException.class,
          CudaTroubleTest::tryToOpen,
          "cuda: cublasCreate on cuda:1: 3 CUBLAS_STATUS_ALLOC_FAILED",
          few + " of " + total + " bytes are free",
          CudaRemedy.MEMORY);
      long some = leave(24);
      Thrown.says(
          DeviceException.class,
          CudaTroubleTest::tryToOpen,
          "cuda:1: asked for " + (32L << 20) + " bytes of device memory",
          "free %d of %d, held by this device 0, ".formatted(some, total),
          "libraries " + (total - some),
          "nvidia-smi");
      assertEquals(leaks, CpuDouble.leaks());
      long enough = leave(64);
      try (Device device = open()) {
        Buffer x = device.allocate(3);
        Thrown.says(
            DeviceException.class,
            () -> device.allocate(enough),
            "cuda:1: asked for " + 4 * enough + " bytes",
            "others, contexts and libraries " + (total - enough));
        work(device, x);
      }
    } finally {
      CpuDouble.taken(0);
    }
  }

  /** It may also run out where nobody asks for memory. */
  @Test
  void everyCallThatFindsNoMemoryTellsHowMuchThereIs() {
    for (String call :
        List.of("cuStreamCreateWithPriority", "cuModuleLoadData", "cuModuleGetFunction")) {
      CpuDouble.fail(call, MEMORY);
      Thrown.says(
          DeviceException.class,
          CudaTroubleTest::tryToOpen,
          "cuda: " + call.replace("WithPriority", ""),
          "2 CUDA_ERROR_OUT_OF_MEMORY",
          " bytes are free; " + CudaRemedy.MEMORY);
    }
    for (String call : List.of("cuLaunchKernel", "cuGraphInstantiateWithFlags", "cuGraphLaunch")) {
      ends(call, MEMORY, " bytes are free; " + CudaRemedy.MEMORY);
    }
    CpuDouble.fail("cuMemHostAlloc", MEMORY);
    Thrown.says(
        DeviceException.class,
        CudaTroubleTest::tryToOpen,
        "cuda: cuMemHostAlloc of ",
        "the host has not that much page-locked memory");
    CpuDouble.fail("cublasCreate_v2", 1); // what cuBLAS says as often
    Thrown.says(
        DeviceException.class,
        CudaTroubleTest::tryToOpen,
        "1 CUBLAS_STATUS_NOT_INITIALIZED",
        " bytes are free; " + CudaRemedy.MEMORY);
    try (Device device = open()) {
      Buffer x = device.allocate(64);
      CpuDouble.fail("cublasGemmEx_64", BLAS_MEMORY);
      KernelDevice.of(device)
          .blas()
          .multiply(false, false, 2, 2, 2, 1, x, 2, x, 2, 0, x.slice(32, 4), 2);
      Thrown.says(
          DeviceException.class,
          x::read,
          "3 CUBLAS_STATUS_ALLOC_FAILED",
          " bytes are free; " + CudaRemedy.MEMORY);
    }
  }

  // A driver that is replaced.

  /** That call's failure is told with the remedy, the device refuses work and can be closed. */
  private static void ends(String call, int status, String... words) {
    long leaks = CpuDouble.leaks();
    try (Device device = open()) {
      Buffer x = device.allocate(3);
      work(device, x); // piece by piece; the second time it becomes a graph
      CpuDouble.fail(call, status);
      Thrown.says(
          DeviceException.class,
          () -> {
            device.allocate(1);
            work(device, x);
          },
          words);
      Thrown.says(DeviceException.class, x::read, "cuda:1 is unusable since a call failed");
    }
    assertEquals(leaks, CpuDouble.leaks(), call);
  }

  @Test
  void aDriverThatIsReplacedUnderADeviceEndsItWithTheRemedy() {
    String replaced = CudaRemedy.of(REPLACED);
    assertTrue(replaced.contains("restart the machine"));
    for (String call :
        List.of(
            "cuCtxSetCurrent",
            "cuMemAllocAsync",
            "cuMemsetD32Async",
            "cuStreamBeginCapture_v2",
            "cuGraphLaunch",
            "cuMemcpyDtoHAsync_v2",
            "cuStreamSynchronize")) {
      ends(call, REPLACED, "803 CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", replaced);
    }
    ends("cuStreamSynchronize", UNKNOWN, "999 CUDA_ERROR_UNKNOWN", "replaced or reset");
    ends("cuMemcpyDtoHAsync_v2", SHUT_DOWN, "4 CUDA_ERROR_DEINITIALIZED", "start a new JVM");
  }

  @Test
  void aDriverThatWasReplacedSinceTheLastDeviceIsToldWhenTheNextIsOpened() {
    long leaks = CpuDouble.leaks();
    for (String call :
        List.of(
            "cuDeviceGetCount",
            "cuDeviceGetAttribute",
            "cuDevicePrimaryCtxRetain",
            "cuCtxSetCurrent",
            "cuMemPoolSetAttribute",
            "cuModuleLoadData",
            "cuMemHostAlloc")) {
      CpuDouble.fail(call, REPLACED);
      Thrown.says(
          DeviceException.class, CudaTroubleTest::tryToOpen, call, "803 ", CudaRemedy.of(REPLACED));
    }
    CpuDouble.fail("cuDevicePrimaryCtxRetain", TAKEN);
    Thrown.says(
        DeviceException.class, CudaTroubleTest::tryToOpen, "46 ", "another program has the GPU");
    assertEquals(leaks, CpuDouble.leaks());
    tryToOpen();
  }

  /** Work that nobody waited for may have failed. */
  @Test
  void whatFailsWhenADeviceIsClosedIsToldAndEverythingIsGivenBack() {
    long leaks = CpuDouble.leaks();
    Device device = open();
    Buffer x = device.allocate(3);
    work(device, x);
    CpuDouble.fail("cuStreamSynchronize", LAUNCH_FAILED);
    Thrown.says(
        DeviceException.class,
        device::close,
        "cuda:1: cuStreamSynchronize when it was closed: 719 CUDA_ERROR_LAUNCH_FAILED");
    device.close();
    assertEquals(leaks, CpuDouble.leaks());
  }

  // The cache of compiled kernels.

  @Test
  void aFileOfTheCacheThatIsNotThisProgramForThisCardNeverGetsToTheDriver() throws IOException {
    CudaCompiler compiler = new CudaCompiler(CudaLibraries.load(), CudaSource.read());
    Path cache = CacheFolder.ofUser().path();
    Path mine = cache.resolve(compiler.name(CudaCard.of(1).architecture()));
    Path other = cache.resolve(compiler.name(80));
    open().close();
    byte[] whole = Files.readAllBytes(mine);
    try {
      compiler.compiled(80);
      byte[] ofAnotherCard = Files.readAllBytes(other);
      byte[] text = "another program, whole".getBytes(StandardCharsets.UTF_8);
      ByteArrayOutputStream anotherProgram = new ByteArrayOutputStream();
      anotherProgram.writeBytes(NativeFile.digest().digest(text));
      anotherProgram.writeBytes(text);
      for (byte[] wrong :
          List.of(
              ofAnotherCard,
              anotherProgram.toByteArray(),
              new byte[whole.length],
              Arrays.copyOf(whole, whole.length / 2))) {
        Files.write(mine, wrong);
        long compiled = CpuDouble.count("nvrtcCompileProgram");
        long loaded = CpuDouble.count("cuModuleLoadData");
        open().close();
        assertEquals(compiled + 1, CpuDouble.count("nvrtcCompileProgram"));
        assertEquals(loaded + 1, CpuDouble.count("cuModuleLoadData"));
        assertArrayEquals(whole, Files.readAllBytes(mine));
      }
    } finally {
      Files.deleteIfExists(other);
      Files.write(mine, whole);
    }
  }

  // What shows when the first device of a process is opened.

  /** What the other JVM runs. */
  static final class Program {
    private Program() {}

    /**
     * Opens a device, and tells what the command tells.
     *
     * @param times how often
     */
    public static void main(String[] times) {
      for (int i = 0; i < Integer.parseInt(times[0]); i++) {
        try (Device device = Device.cuda(0)) {
          System.out.println("opened " + device.name());
        } catch (DeviceException e) {
          System.out.println("refused " + e.getMessage());
        }
      }
      Device.cudaReport().forEach(line -> System.out.println("report " + line));
    }
  }

  /** The lines of a JVM that opens a device; it ends well, whatever it meets. */
  private List<String> lines(int times, Map<String, String> variables)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m"));
    command.add(NativeChild.ACCESS);
    String library =
        Path.of(System.getProperty(CudaLibraries.PROPERTY)).toAbsolutePath().toString();
    command.add("-D" + CudaLibraries.PROPERTY + "=" + library);
    command.add("-D" + CacheFolder.PROPERTY + "=" + folder.resolve("cache"));
    command.addAll(List.of("-cp", NativeChild.classPath(), Program.class.getName(), "" + times));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(variables);
    Path output = Files.createTempFile(folder, "output", ".txt");
    Process process = builder.redirectOutput(output.toFile()).start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES), "the child does not end");
    List<String> lines = Files.readAllLines(output);
    assertEquals(0, process.exitValue(), () -> String.join("\n", lines));
    return lines;
  }

  /** The child's line of that beginning has all the words. */
  private static Consumer<String> line(String start, String... words) {
    return line -> {
      assertTrue(line.startsWith(start), line);
      for (String word : words) {
        assertTrue(line.contains(word), () -> "no '" + word + "' in: " + line);
      }
    };
  }

  @SafeVarargs
  private void shows(Map<String, String> variables, int times, Consumer<String>... expected)
      throws IOException, InterruptedException {
    List<String> lines = lines(times, variables);
    for (int i = 0; i < expected.length; i++) {
      expected[i].accept(lines.get(i));
    }
  }

  @Test
  void aDriverThatDoesNotStartIsToldWithTheRemedyAndTriedAgain() throws Exception {
    String here = "refused cuda: cuInit of the driver ";
    shows(
        Map.of(
            "RECUR_DOUBLE_FAIL",
            "cuInit=34,cuInit=46,cuInit=100,cuInit=304,cuInit=802,cuInit=803,cuInit=804,cuInit=999"),
        9,
        line(here, "librecur-double.so, version 13.0: 34 CUDA_ERROR_STUB_LIBRARY", "stubs"),
        line(here, "46 CUDA_ERROR_DEVICE_UNAVAILABLE", "nvidia-smi -q -d COMPUTE"),
        line(here, "100 CUDA_ERROR_NO_DEVICE", "CUDA_VISIBLE_DEVICES"),
        line(here, "304 CUDA_ERROR_OPERATING_SYSTEM", "/dev/nvidia"),
        line(here, "802 CUDA_ERROR_SYSTEM_NOT_READY", "nvidia-fabricmanager"),
        line(here, "803 CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "restart the machine"),
        line(here, "804 CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", "compat"),
        line(here, "999 CUDA_ERROR_UNKNOWN", "restart the machine"),
        line("opened cuda:0 ("));
  }

  @Test
  void aDriverThatIsTooOldIsRefused() throws Exception {
    String need = "is of CUDA 11.8; need 12.0 or later: install a newer one";
    shows(
        Map.of("RECUR_DOUBLE_DRIVER", "11080"),
        1,
        line("refused cuda: the driver ", need),
        line("report cuda: the driver ", need));
  }

  @Test
  void aCompilerOfALaterCudaThanTheDriversIsRefused() throws Exception {
    shows(
        Map.of("RECUR_DOUBLE_DRIVER", "12040"),
        1,
        line(
            "refused cuda: the NVRTC ",
            "is of CUDA 13.0, the driver of CUDA 12.4; need a driver of CUDA 13 or later",
            "-Dio.recur.cuda=FOLDER"));
  }

  @Test
  void aCardThatIsTooOldIsRefusedAndTheReportTellsIt() throws Exception {
    String need = "compute capability 7.5); need compute capability 8.0 or later";
    shows(
        Map.of("RECUR_DOUBLE_CAPABILITY", "75"),
        1,
        line("refused cuda: cuda:0 (CPU double", need, "run on Device.cpu()"),
        line("report cuda:0 (CPU double", "compute capability 7.5) cannot be used: ", need));
  }

  /** NVRTC gives PTX then, and the driver must be as new as NVRTC. */
  @Test
  void aCardThatTheCompilerDoesNotKnowNeedsADriverAsNewAsTheCompiler() throws Exception {
    shows(
        Map.of(
            "RECUR_DOUBLE_CAPABILITY",
            "121",
            "RECUR_DOUBLE_FAIL",
            "cuModuleLoadData=222,cuModuleLoadData=221"),
        3,
        line("refused cuda: cuModuleLoadData", "222 ", "NVRTC is newer than the driver"),
        line("refused cuda: cuModuleLoadData", "221 ", "libnvidia-ptxjitcompiler"),
        line("opened cuda:0 (", "compute capability 12.1"));
  }

  @Test
  void noCardIsToldWithWhatMayHideThem() throws Exception {
    shows(
        Map.of("RECUR_DOUBLE_DEVICES", "0"),
        1,
        line("refused cuda: ordinal=0, GPUs=0; need ", "CUDA_VISIBLE_DEVICES"));
  }
}
