package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.UpdateRule;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class QueueTest {
  /** More than a graph needs, fewer than a list holds. */
  private static final int OPERATIONS = 10;

  @BeforeEach
  void onlyWithAGpu() {
    CpuDouble.assumeCuda();
  }

  private static CudaDevice open() {
    return (CudaDevice) Device.cuda(0);
  }

  /** {@code x := 2¹⁰·(value, −value)}. */
  private static float[] round(Device device, Buffer x, float value) {
    x.write(value, -value);
    for (int i = 0; i < OPERATIONS; i++) {
      device.pointwise().scale(2, x, x, 2);
    }
    return x.read();
  }

  @Test
  void whatComesBackIsLaunchedAsAGraphWithOtherValues() {
    CpuDouble.assumeHere();
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(2);
      round(device, x, 1);
      assertEquals(0, device.queue().graphs());
      round(device, x, 2);
      assertEquals(1, device.queue().graphs());
      long kernels = CpuDouble.count("cuLaunchKernel");
      long graphs = CpuDouble.count("cuGraphLaunch");
      for (int i = 3; i < 10; i++) {
        assertArrayEquals(new float[] {1024 * i, -1024 * i}, round(device, x, i));
      }
      assertEquals(kernels, CpuDouble.count("cuLaunchKernel"));
      assertEquals(graphs + 7, CpuDouble.count("cuGraphLaunch"));
      assertEquals(1, device.queue().graphs());
    }
  }

  /** Another thread may close the owner between a launch's first argument and its record. */
  @Test
  void memoryThatWasClosedSinceItsAddressWasTakenIsNotRecorded() {
    try (CudaDevice device = open()) {
      Slab slab = device.slab();
      MemorySegment closed = slab.take(16).target();
      Launch launch = device.queue().kernel(Kernel.FILL).real(1).pointer(closed).integer(16);
      slab.close();
      assertThrows(IllegalStateException.class, () -> launch.over(16));
      Buffer x = device.allocate(2);
      x.write(1, 2);
      assertArrayEquals(new float[] {1, 2}, x.read(), "the device can be used");
    }
  }

  /** After a read the device has nothing to do: it gets a short list, then long ones. */
  @Test
  void theFirstListAfterAReadIsShort() {
    CpuDouble.assumeHere();
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(2);
      for (int step = 0; step < 3; step++) { // piece by piece, captured, as a graph
        x.write(1, 1);
        x.read();
        assertEquals(
            List.of(32, 32 + 256, 32 + 2 * 256), handedOver(device, x, 600), "step " + step);
        x.read();
      }
    }
  }

  /** The number of operations after which a list was submitted. */
  private static List<Integer> handedOver(CudaDevice device, Buffer x, int operations) {
    List<Integer> after = new ArrayList<>();
    long before = launches();
    for (int i = 1; i <= operations; i++) {
      device.pointwise().scale(1, x, x, 2);
      if (launches() > before) {
        after.add(i);
        before = launches();
      }
    }
    return after;
  }

  private static long launches() {
    return CpuDouble.count("cuLaunchKernel") + CpuDouble.count("cuGraphLaunch");
  }

  @Test
  void anOptimiserWhoseRateChangesIsOneGraph() {
    try (CudaDevice device = open()) {
      Buffer w = device.allocate(3);
      Buffer g = device.allocate(3);
      Buffer[] none = {};
      float expected = 0;
      for (int step = 1; step < 9; step++) {
        for (int i = 0; i < OPERATIONS; i++) {
          device.pointwise().fill(1, g, 3);
          KernelDevice.of(device)
              .updates()
              .update(UpdateRule.SGD, new float[] {step}, w, g, none, 3);
          expected -= step;
        }
        assertArrayEquals(new float[] {expected, expected, expected}, w.read());
      }
      assertEquals(1, device.queue().graphs());
    }
  }

  @Test
  void graphsCanBeDoneWithout() {
    System.setProperty(Queue.GRAPHS, "false");
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(2);
      for (int i = 1; i < 5; i++) {
        assertArrayEquals(new float[] {1024 * i, -1024 * i}, round(device, x, i));
      }
      assertEquals(0, device.queue().graphs());
    } finally {
      System.clearProperty(Queue.GRAPHS);
    }
  }

  @Test
  void checkingGivesTheSameValues() {
    System.setProperty(Queue.CHECK, "true");
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(2);
      for (int i = 1; i < 5; i++) {
        assertArrayEquals(new float[] {1024 * i, -1024 * i}, round(device, x, i));
      }
      assertEquals(0, device.queue().graphs());
    } finally {
      System.clearProperty(Queue.CHECK);
    }
  }

  @Test
  void thereAreNeverMoreGraphsThanArePlacesForThem() {
    try (CudaDevice device = open()) {
      List<Buffer> buffers = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        buffers.add(device.allocate(2));
      }
      for (int pass = 0; pass < 5; pass++) {
        for (int i = 0; i < buffers.size(); i++) {
          assertArrayEquals(
              new float[] {1024 * (i + 1), -1024 * (i + 1)}, round(device, buffers.get(i), i + 1));
        }
      }
      assertTrue(device.queue().graphs() <= 128, "graphs " + device.queue().graphs());
    }
  }

  @Test
  void aListOfAnyLengthRuns() {
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(1);
      for (int round = 0; round < 3; round++) {
        x.write(0);
        for (int i = 0; i < 3 * Queue.MOST_OPERATIONS + 5; i++) {
          device.pointwise().addBroadcast(1, one(device), x, 1);
        }
        assertEquals(3 * Queue.MOST_OPERATIONS + 5, x.read()[0]);
      }
    }
  }

  /** A buffer that nobody refers to once it has been used. */
  private static Buffer one(Device device) {
    Buffer one = device.allocate(1);
    one.write(1);
    return one;
  }

  @Test
  void transfersOfEverySizeArriveAndComeBack() {
    int large = (int) (Staging.LARGE_BYTES / Float.BYTES);
    try (CudaDevice device = open()) {
      for (int n : new int[] {1, 15, 16, 17, large - 1, large, large + 1, 1 << 18, (1 << 22) + 3}) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
          values[i] = i % 9973;
        }
        Buffer x = device.allocate(n);
        x.write(values);
        device.pointwise().scale(3, x, x, n);
        float[] back = x.read();
        for (int i = 0; i < n; i++) {
          assertEquals(3f * values[i], back[i]);
        }
      }
    }
  }

  @Test
  void noTransferOvertakesAnother() {
    int n = 50_000; // several go into a stage, many more are under way than there are stages
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(n);
      Buffer sum = device.allocate(n);
      float[] values = new float[n];
      for (int round = 1; round <= 60; round++) {
        Arrays.fill(values, round);
        x.write(values);
        device.pointwise().addScaled(1, x, sum, n);
      }
      float[] sums = sum.read();
      for (float value : sums) {
        assertEquals(60 * 61 / 2, value);
      }
    }
  }

  @Test
  void largeTransfersFollowTheWorkBeforeThem() {
    int n = 1 << 20;
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(n);
      Buffer y = device.allocate(n);
      float[] values = new float[n];
      for (int round = 1; round < 4; round++) {
        Arrays.fill(values, round);
        x.write(values);
        device.pointwise().copy(x, y, n);
        Arrays.fill(values, -1);
        x.write(values); // y was copied before
        float[] copied = y.read();
        assertEquals(round, copied[0]);
        assertEquals(round, copied[n - 1]);
      }
    }
  }

  @Test
  void indexesTravelAsTheyAre() {
    try (CudaDevice device = open()) {
      Buffer x = device.allocate(4);
      x.writeIndexes(0, -1, Integer.MAX_VALUE, 0x7F800001);
      float[] bits = x.read();
      assertEquals(-1, Float.floatToRawIntBits(bits[1]));
      assertEquals(Integer.MAX_VALUE, Float.floatToRawIntBits(bits[2]));
      assertEquals(0x7F800001, Float.floatToRawIntBits(bits[3]));
    }
  }

  @Test
  void nothingIsAllocatedInTheSteadyState() {
    CpuDouble.assumeHere();
    try (CudaDevice device = open();
        Slab slab = KernelDevice.of(device).slab()) {
      long before = 0;
      for (int step = 0; step < 8; step++) {
        Buffer x = slab.take(1000);
        Buffer y = slab.take(1000);
        x.slice(0, 3).write(1, 2, 3);
        device.pointwise().fill(1, y, 1000);
        for (int i = 0; i < OPERATIONS; i++) {
          KernelDevice.of(device)
              .blas()
              .multiply(false, true, 10, 10, 10, 1, x, 10, y, 10, 1, y.slice(500, 100), 10);
        }
        device.pointwise().sum(y, 1000);
        slab.rewind();
        long now = CpuDouble.count("cuMemAllocAsync") + CpuDouble.count("cuMemHostAlloc");
        assertTrue(step < 2 || now == before, "step " + step);
        before = now;
      }
    }
  }

  @Test
  void whatNobodyRefersToIsFreed() throws InterruptedException {
    CpuDouble.assumeHere();
    try (CudaDevice device = open()) {
      long before = CpuDouble.count("cuMemFreeAsync");
      for (int i = 0; i < 20; i++) {
        one(device);
      }
      for (int i = 0; i < 100 && CpuDouble.count("cuMemFreeAsync") < before + 20; i++) {
        System.gc();
        Thread.sleep(10);
        one(device).read();
      }
      assertTrue(CpuDouble.count("cuMemFreeAsync") >= before + 20);
    }
  }

  @Test
  void threadsRecordAndReadAtOnce() throws InterruptedException {
    AtomicReference<Throwable> wrong = new AtomicReference<>();
    try (CudaDevice device = open()) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 1; t <= 4; t++) {
        float value = t;
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try (Slab slab = KernelDevice.of(device).slab()) {
                        Buffer x = slab.take(2);
                        for (int i = 0; i < 50; i++) {
                          assertArrayEquals(
                              new float[] {1024 * value, -1024 * value}, round(device, x, value));
                          assertEquals(0, device.pointwise().sum(x, 2));
                        }
                      } catch (Throwable e) {
                        wrong.set(e);
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertNull(wrong.get());
  }

  @Test
  void aProductBeyondItsBuffersIsRefused() {
    try (CudaDevice device = open()) {
      Buffer a = device.allocate(6);
      Buffer c = device.allocate(4);
      KernelDevice.of(device).blas().multiply(false, true, 2, 2, 3, 1, a, 2, a, 2, 0, c, 2);
      assertThrows(
          IndexOutOfBoundsException.class,
          () ->
              KernelDevice.of(device)
                  .blas()
                  .multiply(false, true, 2, 2, 4, 1, a, 2, a, 2, 0, c, 2));
      assertThrows(
          IndexOutOfBoundsException.class,
          () ->
              KernelDevice.of(device)
                  .blas()
                  .multiply(false, true, 2, 2, 3, 1, a, 2, a, 2, 0, c, 3));
      c.read();
    }
  }

  @Test
  void aClosedDeviceIsGarbageThoughItsThreadLives() throws InterruptedException {
    WeakReference<CudaDevice> closed = closed();
    for (int i = 0; i < 100 && closed.get() != null; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertNull(closed.get());
  }

  private static WeakReference<CudaDevice> closed() {
    try (CudaDevice device = open()) {
      round(device, device.allocate(2), 1);
      return new WeakReference<>(device);
    }
  }
}
