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

/** A table of equal slots: no slot is somebody else's, and what was given back is taken first. */
class SlotsTest {
  @AutoClose private final Device device = Devices.opened();

  private Slots slots(long floats) {
    return KernelDevice.of(device).slots(floats);
  }

  @Test
  void aSizeHasOneTable() {
    assertSame(slots(32), slots(32));
    assertTrue(slots(32) != slots(48));
  }

  /** Slots of many to the block, of one to the block, and of more than a largest block. */
  @ParameterizedTest
  @ValueSource(longs = {16, 48, 1024, 80_000, 1 << 18, (1 << 18) + 16})
  void slotsAreAlignedAndDoNotOverlap(long floats) {
    Slots slots = slots(floats);
    int count = (int) Math.max(3, Math.min(Devices.rounds(20_000), (3 << 18) / floats));
    for (int i = 0; i < count; i++) {
      assertEquals(i, slots.take());
      assertEquals(0, slots.at(i).segment().address() % 64, "slot " + i);
      assertEquals(floats, slots.at(i).floats());
      slots.at(i).slice(0, 1).write(i);
      Buffer last = slots.at(i).slice(floats - 1, 1);
      last.write(i);
    }
    assertEquals(count, slots.used());
    float[] first = new float[1];
    for (int i = 0; i < count; i += 7) {
      slots.at(i).read(first);
      assertEquals(i, first[0]);
      assertEquals(i, slots.at(i).slice(floats - 1, 1).read()[0]);
    }
  }

  @Test
  void aSlotGivenBackIsTheNextAndKeepsItsPlace() {
    Slots slots = slots(64);
    Random random = new Random(1);
    Map<Integer, Float> inUse = new HashMap<>();
    for (int round = 0; round < Devices.rounds(5000); round++) {
      if (random.nextInt(3) > 0 || inUse.isEmpty()) {
        int slot = slots.take();
        slots.at(slot).slice(0, 1).write(round);
        assertEquals(null, inUse.put(slot, (float) round), "slot " + slot + " was taken twice");
      } else {
        int slot = inUse.keySet().iterator().next();
        assertEquals(inUse.remove(slot), slots.at(slot).slice(0, 1).read()[0]);
        slots.giveBack(slot);
        int again = slots.take();
        assertEquals(slot, again);
        slots.giveBack(again);
      }
      assertEquals(inUse.size(), slots.used());
    }
  }

  @Test
  void threadsTakeAndGiveBackAtOnce() throws InterruptedException {
    Slots slots = slots(16);
    Set<Integer> taken = ConcurrentHashMap.newKeySet();
    AtomicInteger wrong = new AtomicInteger();
    Thread[] threads = new Thread[4];
    for (int t = 0; t < threads.length; t++) {
      threads[t] =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 20_000; i++) {
                      int slot = slots.take();
                      if (!taken.add(slot)) {
                        wrong.incrementAndGet();
                      }
                      taken.remove(slot);
                      slots.giveBack(slot);
                    }
                  });
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, wrong.get());
    assertEquals(0, slots.used());
    Set<Integer> numbers = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      numbers.add(slots.take());
    }
    assertEquals(Set.of(0, 1, 2, 3), numbers); // no more than were ever in use at once
  }

  @Test
  void cleaningATieGivesBackOnce() {
    Slots slots = slots(16);
    var tie = slots.tie(slots.take(), new Object());
    tie.clean();
    tie.clean();
    assertEquals(0, slots.used());
    assertArrayEquals(new int[] {0, 1}, new int[] {slots.take(), slots.take()});
  }
}
