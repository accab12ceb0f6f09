package io.recur.device.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.kernels.KernelDevice;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pool of equal buffers: none is taken twice, and what was given back is taken first. */
class BufferPoolTest {
  @AutoClose private final Device device = Devices.opened();

  private BufferPool pool(long floats) {
    return KernelDevice.of(device).pool(floats);
  }

  @Test
  void aLengthHasOnePool() {
    assertSame(pool(32), pool(32));
    assertTrue(pool(32) != pool(48));
  }

  /** Buffers of many to the region, of one to the region, and of more than a largest region. */
  @ParameterizedTest
  @ValueSource(longs = {16, 48, 1024, 80_000, 1 << 18, (1 << 18) + 16})
  void buffersAreAlignedAndDoNotOverlap(long floats) {
    BufferPool pool = pool(floats);
    int count = (int) Math.max(3, Math.min(Devices.rounds(20_000), (3 << 18) / floats));
    for (int i = 0; i < count; i++) {
      assertEquals(i, pool.take());
      assertEquals(0, pool.at(i).segment().address() % 64, "buffer " + i);
      assertEquals(floats, pool.at(i).floats());
      pool.at(i).slice(0, 1).write(i);
      Buffer last = pool.at(i).slice(floats - 1, 1);
      last.write(i);
    }
    assertEquals(count, pool.used());
    float[] first = new float[1];
    for (int i = 0; i < count; i += 7) {
      pool.at(i).read(first);
      assertEquals(i, first[0]);
      assertEquals(i, pool.at(i).slice(floats - 1, 1).read()[0]);
    }
  }

  @Test
  void aBufferGivenBackIsTheNextAndKeepsItsPlace() {
    BufferPool pool = pool(64);
    Random random = new Random(1);
    Map<Integer, Float> inUse = new HashMap<>();
    for (int round = 0; round < Devices.rounds(5000); round++) {
      if (random.nextInt(3) > 0 || inUse.isEmpty()) {
        int number = pool.take();
        pool.at(number).slice(0, 1).write(round);
        assertEquals(
            null, inUse.put(number, (float) round), "buffer " + number + " was taken twice");
      } else {
        int number = inUse.keySet().iterator().next();
        assertEquals(inUse.remove(number), pool.at(number).slice(0, 1).read()[0]);
        pool.giveBack(number);
        int again = pool.take();
        assertEquals(number, again);
        pool.giveBack(again);
      }
      assertEquals(inUse.size(), pool.used());
    }
  }

  @Test
  void threadsTakeAndGiveBackAtOnce() throws InterruptedException {
    BufferPool pool = pool(16);
    Set<Integer> taken = ConcurrentHashMap.newKeySet();
    AtomicInteger wrong = new AtomicInteger();
    Thread[] threads = new Thread[4];
    for (int t = 0; t < threads.length; t++) {
      threads[t] =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 20_000; i++) {
                      int number = pool.take();
                      if (!taken.add(number)) {
                        wrong.incrementAndGet();
                      }
                      taken.remove(number);
                      pool.giveBack(number);
                    }
                  });
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, wrong.get());
    assertEquals(0, pool.used());
    Set<Integer> numbers = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      numbers.add(pool.take());
    }
    assertEquals(Set.of(0, 1, 2, 3), numbers); // no more than were ever in use at once
  }

  @Test
  void cleaningATieGivesBackOnce() {
    BufferPool pool = pool(16);
    var tie = pool.tie(pool.take(), new Object());
    tie.clean();
    tie.clean();
    assertEquals(0, pool.used());
    assertArrayEquals(new int[] {0, 1}, new int[] {pool.take(), pool.take()});
  }

  @Test
  void fewLengthsServeManySizes() {
    Set<Long> lengths = new HashSet<>();
    for (long floats = 16; floats <= 1 << 24; floats += 16) {
      long length = BufferPool.length(floats);
      assertEquals(0, length % 16);
      assertTrue(length >= floats && length <= floats + floats / 8, floats + ": " + length);
      assertTrue(floats > 1024 || length == floats);
      lengths.add(length);
    }
    assertEquals(64 + 14 * 8, lengths.size()); // 14 doublings above 1024
  }
}
