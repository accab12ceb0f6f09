package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeviceTest {
  static Stream<Device> devices() {
    return Devices.isCpu() ? Devices.all() : Stream.of(Devices.opened());
  }

  @Test
  void theNameTellsWhatItRunsOn() {
    Devices.onlyOnCpu("the name of the processor's device");
    try (Device device = Device.cpu()) {
      assertTrue(
          device.name().matches("cpu \\(OpenBLAS [0-9.]+.*, \\d+ threads.*\\)"), device.name());
      assertEquals(device.name(), device.toString());
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void aSecondCloseDoesNothing(Device device) {
    device.close();
    device.close();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void useAfterCloseThrowsAndSaysWhatToDo(Device device) {
    Slab slab = KernelDevice.of(device).slab();
    device.close();
    for (var thrown :
        new IllegalStateException[] {
          assertThrows(IllegalStateException.class, () -> device.allocate(1)),
          assertThrows(IllegalStateException.class, KernelDevice.of(device)::slab),
          assertThrows(IllegalStateException.class, device::checkOpen),
          assertThrows(IllegalStateException.class, () -> slab.take(1)),
        }) {
      assertTrue(thrown.getMessage().contains(device.name()), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("is closed; open it before"), thrown.getMessage());
    }
    slab.close();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void aSharedDeviceEndsWithTheLastOfItsHolders(Device device) {
    device.share();
    device.close();
    device.allocate(1).write(1);
    device.close();
    assertThrows(IllegalStateException.class, () -> device.allocate(1));
    assertThrows(IllegalStateException.class, device::share);
  }

  @Test
  void devicesAreIndependent() {
    Device first = Devices.opened();
    try (Device second = Devices.opened()) {
      first.close();
      second.allocate(1).write(1);
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void aDeviceStaysUsableAfterAnImpossibleAllocation(Device device) {
    long[] wrong = {0, -1, (1L << 56) + 1, 1L << 61, 1L << 62, (1L << 62) + 1, Long.MIN_VALUE};
    try (device;
        Slab slab = KernelDevice.of(device).slab()) {
      for (long floats : wrong) {
        var allocated = assertThrows(IllegalArgumentException.class, () -> device.allocate(floats));
        assertTrue(allocated.getMessage().startsWith("allocate: floats=" + floats + "; need 1"));
        assertThrows(IllegalArgumentException.class, () -> slab.take(floats));
      }
      Buffer buffer = device.allocate(1);
      buffer.write(3);
      assertEquals(3, buffer.read()[0]);
      assertEquals(4, slab.take(4).floats());
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void threadsMayUseOneDeviceAtOnce(Device device) throws InterruptedException {
    int n = 5000;
    float[] wrong = new float[4];
    Thread[] threads = new Thread[4];
    for (int t = 0; t < threads.length; t++) {
      int id = t;
      threads[t] =
          new Thread(
              () -> {
                Buffer x = device.allocate(n);
                Buffer y = device.allocate(n);
                for (int round = 0; round < 50; round++) {
                  device.pointwise().fill(id + 1, x, n);
                  device.pointwise().map(Elementwise.SQUARE, x, y, n);
                  if (device.pointwise().sum(y, n) != n * (id + 1.0) * (id + 1.0)) {
                    wrong[id]++;
                  }
                }
              });
      threads[t].start();
    }
    for (int t = 0; t < threads.length; t++) {
      threads[t].join();
      assertEquals(0, wrong[t], "thread " + t);
    }
    device.close();
  }
}
