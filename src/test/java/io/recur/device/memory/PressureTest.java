package io.recur.device.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When a collection is asked for, and what it is good for. */
@Tag(Devices.CPU)
class PressureTest {
  private static final long LEAST = Pressure.LEAST_BYTES;

  /** Holds bytes until nothing refers to it. */
  private static Object holder(Pressure pressure, long bytes) {
    Object holder = new Object();
    pressure.add(bytes);
    Lifetime.CLEANER.register(holder, () -> pressure.free(bytes));
    return holder;
  }

  @Test
  void upTo64MegabytesNothingIsCollected() {
    Pressure pressure = new Pressure();
    pressure.add(LEAST);
    pressure.relieve();
    assertEquals(0, pressure.collections());
    assertEquals(LEAST, pressure.held());
  }

  @Test
  void whatNothingRefersToIsGivenBack() {
    Pressure pressure = new Pressure();
    for (int i = 0; i < 1000; i++) {
      holder(pressure, 1 << 20);
      pressure.relieve();
      assertTrue(pressure.held() <= LEAST + (1 << 20), "held " + pressure.held());
    }
    assertTrue(pressure.collections() <= 20, pressure.collections() + " collections");
  }

  @Test
  void memoryInUseIsCollectedForOnlyWhenItHasDoubled() {
    Pressure pressure = new Pressure();
    List<Object> alive = new ArrayList<>();
    for (int i = 0; i < 1024; i++) {
      pressure.relieve();
      alive.add(holder(pressure, 1 << 20));
    }
    // when 65, 131, 263 and 527 MB are held
    assertEquals(4, pressure.collections());
    assertEquals(1L << 30, pressure.held());
    for (int i = 0; i < 1000; i++) {
      pressure.relieve(); // takes nothing: no more collections
    }
    assertEquals(4, pressure.collections());
    assertEquals(1024, alive.size());
  }

  @Test
  void severalThreadsWaitForOneCollection() throws InterruptedException {
    Pressure pressure = new Pressure();
    pressure.add(LEAST + 1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      threads.add(Thread.ofPlatform().start(pressure::relieve));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(1, pressure.collections());
  }
}
