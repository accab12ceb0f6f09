package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.natives.CacheFolder;
import io.recur.device.natives.PackedFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Another program on the same card, a driver that is replaced, a cache that is not as it should be:
 * on the second card of the double, which is nobody else's.
 */
class TroubleTest {
  private static final int MEMORY = 2;
  private static final int BLAS_MEMORY = 3;
  private static final int SHUT_DOWN = 4;
  private static final int TAKEN = 46;
  private static final int INVALID_IMAGE = 200;
  private static final int NO_BINARY = 209;
  private static final int LAUNCH_FAILED = 719;
  private static final int REPLACED = 803;
  private static final int UNKNOWN = 999;

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
    CpuDouble.taken(Card.of(1).bytes() - bytes);
    return bytes;
  }

  @Test
  void aCardThatOthersHaveFilledIsToldWithItsBytesAndTheRemedy() {
    long total = Card.of(1).bytes();
    long leaks = CpuDouble.leaks();
    try {
      leave(4);
      Thrown.says(
          DeviceException.class,
          TroubleTest::tryToOpen,
          "cuda: cuDevicePrimaryCtxRetain of cuda:1: 2 CUDA_ERROR_OUT_OF_MEMORY",
          "of " + total + " bytes fewer are free than a context takes",
          Remedy.MEMORY);
      long few = leave(12);
      Thrown.says(
          DeviceException.class,
          TroubleTest::tryToOpen,
          "cuda: cublasCreate on cuda:1: 3 CUBLAS_STATUS_ALLOC_FAILED",
          few + " of " + total + " bytes are free",
          Remedy.MEMORY);
      long some = leave(24);
      Thrown.says(
          DeviceException.class,
          TroubleTest::tryToOpen,
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
          TroubleTest::tryToOpen,
          "cuda: " + call.replace("WithPriority", ""),
          "2 CUDA_ERROR_OUT_OF_MEMORY",
          " bytes are free; " + Remedy.MEMORY);
    }
    for (String call : List.of("cuLaunchKernel", "cuGraphInstantiateWithFlags", "cuGraphLaunch")) {
      ends(call, MEMORY, " bytes are free; " + Remedy.MEMORY);
    }
    CpuDouble.fail("cuMemHostAlloc", MEMORY);
    Thrown.says(
        DeviceException.class,
        TroubleTest::tryToOpen,
        "cuda: cuMemHostAlloc of ",
        "the host has not that much page-locked memory");
    CpuDouble.fail("cublasCreate_v2", 1); // what cuBLAS says as often
    Thrown.says(
        DeviceException.class,
        TroubleTest::tryToOpen,
        "1 CUBLAS_STATUS_NOT_INITIALIZED",
        " bytes are free; " + Remedy.MEMORY);
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
          " bytes are free; " + Remedy.MEMORY);
    }
  }

  // A driver that is replaced.

  /** The error names that call and the remedy; the device refuses work and can be closed. */
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
    String replaced = Remedy.of(REPLACED);
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
  void aReplacedDriverIsReportedWhenADeviceIsOpened() {
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
      Thrown.says(DeviceException.class, TroubleTest::tryToOpen, call, "803 ", Remedy.of(REPLACED));
    }
    CpuDouble.fail("cuDevicePrimaryCtxRetain", TAKEN);
    Thrown.says(
        DeviceException.class, TroubleTest::tryToOpen, "46 ", "another program has the GPU");
    assertEquals(leaks, CpuDouble.leaks());
    tryToOpen();
  }

  /** Work that nobody waited for may have failed. */
  @Test
  void aFailingCloseIsReportedAndFreesEverything() {
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

  /** Another build of the same NVRTC may have made it. */
  @Test
  void aKeptProgramThatTheDriverRefusesIsCompiledAgain() {
    open().close();
    for (int status : new int[] {INVALID_IMAGE, NO_BINARY}) {
      long compiled = CpuDouble.count("nvrtcCompileProgram");
      CpuDouble.fail("cuModuleLoadData", status);
      open().close();
      assertEquals(compiled + 1, CpuDouble.count("nvrtcCompileProgram"));
    }
  }

  @Test
  void aForeignFileOfTheCacheNeverReachesTheDriver() throws IOException {
    Compiler compiler = new Compiler(Libraries.load(), Source.read());
    Path cache = CacheFolder.ofUser().path();
    Path mine = cache.resolve(compiler.name(Card.of(1).architecture()));
    Path other = cache.resolve(compiler.name(80));
    open().close();
    byte[] whole = Files.readAllBytes(mine);
    try {
      compiler.compiled(80);
      byte[] ofAnotherCard = Files.readAllBytes(other);
      byte[] text = "another program, whole".getBytes(StandardCharsets.UTF_8);
      ByteArrayOutputStream anotherProgram = new ByteArrayOutputStream();
      anotherProgram.writeBytes(PackedFile.digest().digest(text));
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
}
