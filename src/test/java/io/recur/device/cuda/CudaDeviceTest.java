package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.Precision;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import io.recur.device.natives.CacheFolder;
import io.recur.device.natives.PackedFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What can go wrong with a GPU, shown on its double where no GPU can be made to fail. */
class CudaDeviceTest {
  private static final int ILLEGAL_ADDRESS = 700;
  private static final int LAUNCH_FAILED = 719;
  private static final int BLAS_EXECUTION_FAILED = 13;

  @BeforeEach
  void onlyWithAGpu() {
    CpuDouble.assumeCuda();
  }

  /** On the double's second GPU, whose context ends with this device. */
  private static Device alone() {
    return Device.cuda(1);
  }

  private static void work(Device device, Buffer x) {
    device.pointwise().scale(2, x, x, x.floats());
    x.read();
  }

  @Test
  void theNameTellsCardVersionsAndPrecision() {
    String versions = ", driver \\d+\\.\\d+, NVRTC \\d+\\.\\d+, cuBLAS \\d+\\.\\d+, ";
    try (Device device = Device.cuda(0, Precision.TF32)) {
      String name = device.name();
      assertTrue(
          name.matches("cuda:0 \\(.+ GiB, compute capability .+" + versions + "tf32\\)"), name);
    }
    assertTrue(Device.cudaReport().getFirst().startsWith("cuda:0 ("));
  }

  @Test
  void anOrdinalThatIsNotThereIsToldWithTheNumberOfGpus() {
    Thrown.says(
        DeviceException.class,
        () -> Device.cuda(99),
        "cuda: ordinal=99, GPUs=",
        "0 ≤ ordinal < GPUs");
    Thrown.says(DeviceException.class, () -> Device.cuda(-1), "cuda: ordinal=-1, GPUs=");
  }

  @Test
  void memoryThatIsNotThereIsToldWithAskedFreeAndTotal() {
    try (Device device = Devices.opened()) {
      Buffer x = device.allocate(3);
      Thrown.says(
          DeviceException.class,
          () -> device.allocate(1L << 42),
          "cuda:0: asked for " + (1L << 44) + " bytes of device memory, free ",
          " of ",
          "use smaller batches");
      x.write(1, 2, 3);
      work(device, x);
      assertArrayEquals(new float[] {2, 4, 6}, x.read());
    }
  }

  @Test
  void garbageMakesRoom() {
    CpuDouble.assumeHere();
    long memory = 256L << 20;
    CpuDouble.memory(memory);
    try (Device device = alone()) {
      for (int i = 0; i < 40; i++) {
        work(device, device.allocate(8L << 20 >> 2));
        work(device, device.allocate(16L << 20 >> 2));
      }
    } finally {
      CpuDouble.memory(8L << 30);
    }
  }

  @Test
  void aFaultIsNamedAndEndsTheDevice() {
    CpuDouble.assumeHere();
    try (Device device = Devices.opened()) {
      Buffer x = device.allocate(3);
      work(device, x);
      CpuDouble.fail("cuLaunchKernel", ILLEGAL_ADDRESS);
      Thrown.says(
          DeviceException.class,
          () -> work(device, x),
          "cuda:0: cuLaunchKernel of recur_affine, blocks=1, threads=",
          "700 CUDA_ERROR_ILLEGAL_ADDRESS",
          "-Dio.recur.cuda.check=true");
      for (Runnable use :
          new Runnable[] {
            () -> x.read(),
            () -> x.write(1, 2, 3),
            () -> device.allocate(1),
            () -> device.pointwise().fill(1, x, 3),
            () ->
                KernelDevice.of(device)
                    .blas()
                    .multiply(false, false, 1, 1, 1, 1, x, 1, x, 1, 0, x, 1)
          }) {
        Thrown.says(
            DeviceException.class,
            use::run,
            "cuda:0 is unusable since a call failed; start a new JVM. The failure: cuda:0: cuLaunch",
            "CUDA_ERROR_ILLEGAL_ADDRESS");
      }
    }
  }

  @Test
  void aFaultThatComesToLightLaterTellsTheWaitingCall() {
    CpuDouble.assumeHere();
    try (Device device = Devices.opened()) {
      Buffer x = device.allocate(3);
      CpuDouble.fail("cuStreamSynchronize", LAUNCH_FAILED);
      Thrown.says(
          DeviceException.class,
          () -> work(device, x),
          "cuStreamSynchronize after ",
          "719 CUDA_ERROR");
    }
  }

  @Test
  void aFaultOfCublasIsNamedWithItsSizes() {
    CpuDouble.assumeHere();
    try (Device device = Devices.opened()) {
      Buffer x = device.allocate(64);
      CpuDouble.fail("cublasGemmEx_64", BLAS_EXECUTION_FAILED);
      KernelDevice.of(device)
          .blas()
          .multiply(false, false, 2, 3, 4, 1, x, 2, x, 4, 0, x.slice(32, 6), 2);
      Thrown.says(
          DeviceException.class,
          x::read,
          "cuda:0: cublasGemmEx m=2, n=3, k=4: 13 CUBLAS_STATUS_EXECUTION_FAILED");
    }
  }

  @Test
  void checkingTellsTheOperationThatFailed() {
    CpuDouble.assumeHere();
    System.setProperty(Queue.CHECK, "true");
    try (Device device = Devices.opened()) {
      Buffer x = device.allocate(3);
      device.pointwise().fill(1, x, 3);
      CpuDouble.fail("cuStreamSynchronize", LAUNCH_FAILED);
      Thrown.says(
          DeviceException.class,
          () -> device.pointwise().map(Elementwise.TANH, x, x, 3),
          "cuStreamSynchronize after recur_map: 719 CUDA_ERROR");
    } finally {
      System.clearProperty(Queue.CHECK);
    }
  }

  @Test
  void checkingTellsOfSlabsLeftOpen() {
    System.setProperty(Queue.CHECK, "true");
    try {
      Device device = Devices.opened();
      Slab slab = KernelDevice.of(device).slab();
      slab.take(1);
      Thrown.says(
          IllegalStateException.class, device::close, "was closed before 1 of its slabs or tapes");
      slab.close();
    } finally {
      System.clearProperty(Queue.CHECK);
    }
  }

  @Test
  void workAfterCloseIsRefused() {
    Device device = Devices.opened();
    Buffer x = device.allocate(3);
    Slab slab = KernelDevice.of(device).slab();
    Buffer y = slab.take(3);
    device.close();
    for (Runnable use :
        new Runnable[] {
          () -> x.read(),
          () -> y.read(),
          () -> x.write(1, 2, 3),
          () -> device.pointwise().fill(1, x, 3),
          () -> device.pointwise().sum(x, 3),
          () ->
              KernelDevice.of(device).blas().multiply(false, false, 1, 1, 1, 1, x, 1, x, 1, 0, y, 1)
        }) {
      IllegalStateException thrown = assertThrows(IllegalStateException.class, use::run);
      assertTrue(thrown.getMessage().contains("is closed; open it before"), thrown.getMessage());
    }
    slab.close();
  }

  @Test
  void nothingIsLeftBehind() {
    CpuDouble.assumeHere();
    long before = CpuDouble.leaks();
    try (Device device = alone();
        Slab slab = KernelDevice.of(device).slab()) {
      work(device, device.allocate(100));
      work(device, slab.take(1 << 20));
      Buffer large = device.allocate(1 << 20);
      large.write(new float[1 << 20]);
      for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 8; k++) {
          device.pointwise().scale(2, large, large, 1 << 20);
        }
        large.slice(0, 1).read();
      }
    }
    assertEquals(before, CpuDouble.leaks());
  }

  @Test
  void aDeviceThatCannotBeMadeLeavesNothingBehind() {
    CpuDouble.assumeHere();
    long before = CpuDouble.leaks();
    for (String call :
        new String[] {
          "cuDevicePrimaryCtxRetain",
          "cuDeviceGetDefaultMemPool",
          "cuMemPoolSetAttribute",
          "cuModuleGetFunction",
          "cublasCreate_v2",
          "cublasSetWorkspace_v2",
          "cuMemHostAlloc",
          "cuEventCreate"
        }) {
      CpuDouble.fail(call, 1);
      DeviceException thrown = assertThrows(DeviceException.class, CudaDeviceTest::alone, call);
      String told = call.replaceFirst("_v2$", "");
      assertTrue(
          thrown.getMessage().matches("cuda.*: " + told + ".*: 1 CU.*"), thrown.getMessage());
      assertEquals(before, CpuDouble.leaks(), call);
    }
    alone().close();
  }

  @Test
  void kernelsThatDoNotCompileAreToldWithTheirLog() {
    Compiler compiler = new Compiler(Libraries.load(), "__global__ void broken() { int x = y; }\n");
    Thrown.says(
        DeviceException.class,
        () -> compiler.compiled(Card.of(0).architecture()),
        "cuda: nvrtcCompileProgram for sm_",
        "6 NVRTC_ERROR_COMPILATION; its log:",
        "error");
  }

  @Test
  void aDamagedFileOfTheCacheIsMadeAnew() throws IOException {
    Compiler compiler = new Compiler(Libraries.load(), Source.read());
    int architecture = Card.of(0).architecture();
    Path file = CacheFolder.ofUser().path().resolve(compiler.name(architecture));
    Devices.opened().close();
    byte[] whole = Files.readAllBytes(file);
    byte[] flipped = whole.clone();
    flipped[whole.length - 1] ^= 1;
    for (byte[] damaged :
        List.of(
            new byte[0],
            new byte[100],
            new byte[whole.length],
            Arrays.copyOf(whole, whole.length - 1),
            flipped)) {
      Files.write(file, damaged);
      Devices.opened().close();
      assertArrayEquals(whole, Files.readAllBytes(file));
    }
    Files.delete(file);
    Devices.opened().close();
    assertArrayEquals(whole, Files.readAllBytes(file));
  }

  /** Its SHA-256 fits, but a driver would read it as PTX, on to the next zero. */
  @Test
  void aFileOfTheCacheThatIsNoCubinNeverReachesTheDriver() throws IOException {
    CpuDouble.assumeHere();
    Compiler compiler = new Compiler(Libraries.load(), Source.read());
    String name = compiler.name(Card.of(0).architecture());
    Devices.opened().close();
    byte[] whole = Files.readAllBytes(CacheFolder.ofUser().path().resolve(name));
    byte[] text = "no cubin".getBytes(StandardCharsets.UTF_8);
    CacheFolder.ofUser()
        .put(
            name,
            out -> {
              MessageDigest digest = PackedFile.digest();
              digest.update(name.getBytes(StandardCharsets.UTF_8));
              out.write(digest.digest(text));
              out.write(text);
            });
    long before = CpuDouble.count("cuModuleLoadData");
    Devices.opened().close();
    assertEquals(before + 1, CpuDouble.count("cuModuleLoadData"));
    assertArrayEquals(whole, Files.readAllBytes(CacheFolder.ofUser().path().resolve(name)));
  }

  @Test
  void aCubinIsAnElfFileAndPtxEndsWithAZero() {
    byte[] cubin = {0x7F, 'E', 'L', 'F', 2};
    byte[] ptx = {'/', '/', 0};
    assertTrue(Compiler.isProgram("sm_90", cubin));
    assertTrue(Compiler.isProgram("compute_90", ptx));
    for (byte[] none : List.of(new byte[0], new byte[] {0x7F, 'E', 'L'}, ptx)) {
      assertFalse(Compiler.isProgram("sm_90", none));
    }
    assertFalse(Compiler.isProgram("compute_90", new byte[0]));
    assertFalse(Compiler.isProgram("compute_90", cubin));
  }

  @Test
  void twoDevicesKeepTheirMemoryApart() {
    CpuDouble.assumeHere();
    try (Device first = Device.cuda(0);
        Device second = Device.cuda(1)) {
      Buffer x = first.allocate(2);
      Buffer y = second.allocate(2);
      for (int i = 0; i < 3; i++) {
        x.write(1, i);
        y.write(3, i);
        first.pointwise().scale(2, x, x, 2);
        second.pointwise().scale(2, y, y, 2);
        assertArrayEquals(new float[] {6, 2 * i}, y.read());
        assertArrayEquals(new float[] {2, 2 * i}, x.read());
      }
    }
  }

  @Test
  void precisionIsThatOfTheProductsAlone() {
    int n = 1024; // smaller products may take plain kernels, whatever the precision
    float[] values = new float[n * n];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i);
    }
    float[] exact = product(Precision.FLOAT32, values, n);
    double tf32 = distance(exact, product(Precision.TF32, values, n));
    double bf16 = distance(exact, product(Precision.BF16, values, n));
    // 2^-11 and 2^-8 of each factor, and sums of n of them; bf16 may be computed as tf32
    assertTrue(tf32 > 0 && tf32 < 2e-3, "tf32 " + tf32);
    assertTrue(bf16 > 0 && bf16 < 2e-2, "bf16 " + bf16);
  }

  private static float[] product(Precision precision, float[] values, int n) {
    try (Device device = Device.cuda(0, precision)) {
      Buffer a = device.allocate(values.length);
      Buffer c = device.allocate(values.length);
      a.write(values);
      KernelDevice.of(device).blas().multiply(true, false, n, n, n, 1, a, n, a, n, 0, c, n);
      return c.read();
    }
  }

  /** Of the largest value. */
  private static double distance(float[] a, float[] b) {
    double most = 0;
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
      largest = Math.max(largest, Math.abs(a[i]));
    }
    return most / largest;
  }
}
