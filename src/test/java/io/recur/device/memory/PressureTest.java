package io.recur.device.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;
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

  /** Memory of one chunk; a second is refused, as on a machine whose memory is used up. */
  private static LongFunction<Buffer> oneChunk(Device device) {
    AtomicInteger chunks = new AtomicInteger();
    return floats -> {
      if (chunks.getAndIncrement() > 0) {
        throw new DeviceException("test: no memory");
      }
      return device.allocate(floats);
    };
  }

  private static void blockCleanersFor(long millis) {
    CountDownLatch begun = new CountDownLatch(1);
    Lifetime.CLEANER.register(
        new Object(),
        () -> {
          begun.countDown();
          LockSupport.parkNanos(millis * 1_000_000);
        });
    while (begun.getCount() > 0) {
      System.gc();
      Thread.onSpinWait();
    }
  }

  @Test
  void aPoolWaitsForWhatBusyCleanersHaveYetToGiveBack() {
    try (Device device = Devices.opened()) {
      Pressure pressure = new Pressure();
      long floats = 1 << 18; // a chunk of one buffer
      BufferPool pool =
          new BufferPool(floats, oneChunk(device), new Counting(pressure), Lifetime.CLEANER);
      pool.tie(pool.take(), new Object());
      blockCleanersFor(700);
      assertEquals(0, pool.take());
      assertThrows(DeviceException.class, pool::take); // nobody gives this one back
    }
  }

  /** The bytes of a pool, as a device counts them. */
  private record Counting(Pressure pressure) implements BufferPool.Account {
    @Override
    public void before() {
      pressure.relieve();
    }

    @Override
    public void used(long bytes) {
      pressure.add(bytes);
    }

    @Override
    public void failed() {
      pressure.relieveAll();
    }
  }

  /** A source that refuses as often as it is told to, then gives memory of the host. */
  private record Refusing(AtomicInteger refusals, Pressure pressure)
      implements DeviceMemory.Source {
    @Override
    public Allocator collected(boolean counts) {
      return closeable();
    }

    @Override
    public Allocator closeable() {
      Lifetime lifetime = new Lifetime();
      return new Allocator() {
        @Override
        public MemorySegment allocate(long floats) {
          if (refusals.getAndDecrement() > 0) {
            throw new DeviceException("test: no memory");
          }
          return lifetime.arena().allocate(floats * Float.BYTES, 64);
        }

        @Override
        public Lifetime lifetime() {
          return lifetime;
        }

        @Override
        public void close() {}
      };
    }
  }

  @Test
  void anAllocationThatFailsIsTriedAgainAfterACollection() {
    try (Device device = Devices.opened()) {
      Pressure pressure = new Pressure();
      AtomicInteger refusals = new AtomicInteger(1);
      DeviceMemory memory =
          new DeviceMemory(
              device,
              new Refusing(refusals, pressure),
              (segment, floats, keeper, isLasting) -> device.allocate(floats));
      assertEquals(16, memory.allocate(16).floats());
      refusals.set(1);
      try (Slab slab = memory.slab()) {
        assertEquals(16, slab.take(16).floats());
      }
      assertEquals(2, pressure.collections());
      refusals.set(2);
      assertThrows(DeviceException.class, () -> memory.allocate(16));
    }
  }
}
