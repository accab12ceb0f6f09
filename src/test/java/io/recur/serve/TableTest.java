package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rows, ids, states and answers in native memory, against maps of the JDK. */
@Tag(Devices.CPU)
class TableTest {
  private static final int FLOATS = 3;

  /** A session as a map holds it. */
  private record Known(int row, float[] state, long number, float[] answer) {}

  private static Table table(int floats) {
    Table table = new Table(42);
    table.versions().admit(0, floats);
    return table;
  }

  private static Id id(Random random) {
    int number = random.nextInt(3000);
    return random.nextBoolean() ? Id.of(number) : Id.of("#".repeat(number % 60) + number);
  }

  private static float[] floats(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat();
    }
    return values;
  }

  private static void check(Table table, Id id, Known known) {
    int row = table.find(id);
    assertEquals(known.row(), row, id.toString());
    assertEquals(id, table.id(row));
    assertTrue(table.isOpen(row));
    assertArrayEquals(known.state(), table.state(row));
    assertEquals(known.number(), table.number(row));
    assertArrayEquals(known.answer(), table.answer(row));
  }

  @Test
  void aTableIsAMapOfSessions() {
    Random random = new Random(1);
    Map<Id, Known> known = new HashMap<>();
    try (Table table = table(FLOATS)) {
      for (int i = 0; i < 40_000; i++) {
        Id id = id(random);
        Known its = known.get(id);
        if (its == null) {
          assertEquals(Table.NONE, table.find(id));
          int row = table.open(id, 0);
          float[] state = floats(random, FLOATS);
          table.state(row, state);
          known.put(id, new Known(row, state, -1, null));
        } else if (random.nextInt(3) > 0) {
          check(table, id, its);
          float[] answer = floats(random, 1 + random.nextInt(400));
          table.keep(its.row(), i, 1, answer);
          known.put(id, new Known(its.row(), its.state(), i, answer));
        } else {
          table.close(its.row());
          known.remove(id);
          assertEquals(Table.NONE, table.find(id));
        }
        assertEquals(known.size(), table.count());
      }
      known.forEach((id, its) -> check(table, id, its));
      Set<Integer> rows = new HashSet<>();
      known.values().forEach(its -> rows.add(its.row()));
      assertEquals(known.size(), rows.size());
      assertTrue(table.end() >= known.size());
    }
  }

  @Test
  void fieldsOfARowBeginAfreshWithEachSession() {
    try (Table table = table(FLOATS)) {
      int row = table.open(Id.of(1), 0);
      table.failed(row, true);
      table.lastWaiting(row, 7);
      table.keep(row, 3, 1, 1, 2);
      table.close(row);
      assertFalse(table.isOpen(row));
      assertEquals(row, table.open(Id.of("other"), 0), "the row is used again");
      assertFalse(table.isFailed(row));
      assertEquals(0, table.lastWaiting(row));
      assertEquals(-1, table.number(row));
      assertNull(table.answer(row));
    }
  }

  /** 100 000 sessions need what their states, ids, rows and a half-full index need. */
  @Test
  void memoryGrowsBySlabsAndServesAgain() {
    int count = 100_000;
    int floats = 64;
    try (Table table = table(floats)) {
      long empty = table.bytes();
      for (int i = 0; i < count; i++) {
        table.open(Id.of(i), 0);
      }
      long each = 4 * floats + 32 + 8 + 24;
      assertTrue(table.bytes() - empty < count * each + (3 << 20), table.bytes() + " bytes");
      long full = table.bytes();
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < count; i++) {
          table.close(table.find(Id.of(i + (long) count * round)));
        }
        for (int i = 0; i < count; i++) {
          table.open(Id.of(i + (long) count * (round + 1)), 0);
        }
      }
      assertEquals(count, table.count());
      assertTrue(table.bytes() <= full + full / 50, table.bytes() + " after " + full);
    }
  }

  /** Versions of one size share memory; that of a size is given back with its last version. */
  @Test
  void statesOfVersionsMayDifferInSize() {
    Random random = new Random(4);
    try (Table table = table(FLOATS)) {
      table.versions().admit(1, 500);
      table.versions().admit(2, FLOATS);
      Map<Integer, float[]> states = new HashMap<>();
      for (int i = 0; i < 3000; i++) {
        int row = table.open(Id.of(i), i % 3);
        states.put(row, floats(random, table.floats(row)));
        table.state(row, states.get(row));
      }
      long full = table.bytes();
      for (int row : List.copyOf(states.keySet())) {
        int version = table.version(row);
        table.move(row, version == 1 ? 0 : 2);
        if (version == 1) {
          states.put(row, floats(random, FLOATS));
          table.state(row, states.get(row));
        }
      }
      assertEquals(1000, table.versions().of(0).count);
      assertEquals(0, table.versions().of(1).count);
      assertEquals(2000, table.versions().of(2).count);
      table.versions().dismiss(1);
      assertTrue(table.bytes() < full - 1000 * 4 * 400, table.bytes() + " after " + full);
      states.forEach((row, state) -> assertArrayEquals(state, table.state(row)));
    }
  }

  @Test
  void hashesDependOnTheSeedAndOnEachByte() {
    Set<Long> hashes = new HashSet<>();
    List<Id> ids = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      ids.add(Id.of(1L << i));
      char[] text = new char[64];
      Arrays.fill(text, 'a');
      text[i] = 'b';
      ids.add(Id.of(new String(text)));
      ids.add(Id.of("a".repeat(i + 1)));
    }
    for (long seed : new long[] {0, 1, -1}) {
      ids.forEach(id -> hashes.add(id.hash(seed)));
    }
    assertEquals(3 * ids.size(), hashes.size());
    assertNotEquals(Id.of("1"), Id.of(1));
    int[] tables = new int[256];
    for (int i = 0; i < 256 * 100; i++) {
      tables[(int) (Id.of(i).hash(9) >>> 56)]++;
    }
    assertTrue(Arrays.stream(tables).allMatch(n -> n > 50 && n < 150), Arrays.toString(tables));
  }

  @Test
  void blocksOfAnySizeDoNotOverlap() {
    Random random = new Random(3);
    try (Arena arena = Arena.ofConfined()) {
      Blocks blocks = new Blocks(arena);
      Map<Integer, Integer> sizes = new HashMap<>(); // by mark
      Map<Integer, Integer> numbers = new HashMap<>();
      for (int mark = 0; mark < 2000; mark++) {
        int bytes = 1 + (int) Math.exp(random.nextDouble() * Math.log(70_000));
        int block = blocks.take(bytes);
        long at = blocks.at(block, bytes);
        blocks.slab(block, bytes).asSlice(at, bytes).fill((byte) mark);
        sizes.put(mark, bytes);
        numbers.put(mark, block);
        if (random.nextInt(3) == 0) {
          int gone = sizes.keySet().iterator().next();
          blocks.giveBack(numbers.remove(gone), sizes.remove(gone));
        }
      }
      sizes.forEach(
          (mark, bytes) -> {
            int block = numbers.get(mark);
            for (int i = 0; i < bytes; i++) {
              byte found =
                  blocks.slab(block, bytes).get(ValueLayout.JAVA_BYTE, blocks.at(block, bytes) + i);
              assertEquals((byte) (int) mark, found);
            }
          });
    }
  }
}
