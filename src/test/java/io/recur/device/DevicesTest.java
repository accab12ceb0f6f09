package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.recur.device.cuda.CpuDouble;
import org.junit.jupiter.api.Test;

/** What a run on a GPU opens: each opening takes half a second of a card's time. */
class DevicesTest {
  private static long opened() {
    return CpuDouble.count("cuDevicePrimaryCtxRetain");
  }

  @Test
  void theTestsOfAJvmShareOneGpu() {
    CpuDouble.assumeHere();
    Device first = Devices.here();
    first.close();
    long before = opened();
    for (int i = 1; i < 4; i++) {
      try (Device again = Devices.here()) {
        assertSame(first, again);
        Buffer x = again.allocate(1);
        x.write(i);
        assertArrayEquals(new float[] {i}, x.read());
      }
    }
    assertEquals(before, opened());
  }

  @Test
  void aTestMayHaveAGpuOfItsOwn() {
    CpuDouble.assumeHere();
    try (Device shared = Devices.here();
        Device own = Devices.opened()) {
      assertNotSame(shared, own);
    }
  }

  @Test
  void nothingIsOpenedToSeeWhatIsHere() {
    CpuDouble.assumeHere();
    long before = opened();
    CpuDouble.assumeHere();
    assertEquals(before, opened());
  }
}
