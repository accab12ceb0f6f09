package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rows by the hashes of their ids, where hashes collide and where memory ends. */
@Tag(Devices.CPU)
class IndexTest {
  private boolean isFull;
  private int open;

  /** Memory that may be at its end, and that is counted. */
  private Arena arena() {
    Arena whole = Arena.ofConfined();
    open++;
    return new Arena() {
      @Override
      public MemorySegment allocate(long bytes, long alignment) {
        if (isFull) {
          throw new OutOfMemoryError("no more of it");
        }
        return whole.allocate(bytes, alignment);
      }

      @Override
      public MemorySegment.Scope scope() {
        return whole.scope();
      }

      @Override
      public void close() {
        open--;
        whole.close();
      }
    };
  }

  /**
   * Hashes of one table of 16 entries, of three places at its end: a row is beside its place, round
   * the end, or has the very hash of another.
   */
  @Test
  void aRowIsFoundWhateverRowsBesideItGo() {
    Random random = new Random(1);
    Map<Integer, Long> known = new HashMap<>();
    try (Index index = new Index(this::arena)) {
      for (int i = 0; i < 20_000; i++) {
        int row = random.nextInt(12);
        Long hash = known.remove(row);
        if (hash == null) {
          hash = 14L + random.nextInt(3) | (long) random.nextInt(2) << 24;
          index.add(hash, row);
          known.put(row, hash);
        } else {
          index.remove(hash, row);
        }
        for (int each = 0; each < 12; each++) {
          int wanted = each;
          long its = known.getOrDefault(wanted, 15L);
          int expected = known.containsKey(wanted) ? wanted : -1;
          assertEquals(expected, index.find(its, found -> found == wanted), "step " + i);
        }
      }
    }
    assertEquals(0, open);
  }

  @Test
  void anIndexThatCannotGrowStaysAsItIs() {
    try (Index index = new Index(this::arena)) {
      int tables = open;
      for (int row = 0; row < 12; row++) {
        index.add(row, row);
      }
      long bytes = index.bytes();
      isFull = true;
      Thrown.says(
          DeviceException.class,
          () -> index.add(12, 12),
          "asked for 256 bytes of native memory",
          "-XX:MaxDirectMemorySize=SIZE",
          "no more of it");
      assertEquals(bytes, index.bytes());
      assertEquals(-1, index.find(12, row -> true));
      isFull = false;
      index.add(12, 12);
      for (int row = 0; row < 13; row++) {
        assertEquals(row, index.find(row, found -> true));
      }
      assertEquals(tables, open);
    }
    assertEquals(0, open);
  }

  /** A session that finds no place in the index takes none elsewhere. */
  @Test
  void aSessionWithoutMemoryIsNotOpen() {
    try (Table table = new Table(1, this::arena)) {
      table.versions().admit(0, 3);
      int opened = 0;
      isFull = true;
      DeviceException refused = null;
      while (refused == null) {
        try {
          table.open(Id.of(opened), 0);
          opened++;
        } catch (DeviceException e) {
          refused = e;
        }
      }
      assertEquals(opened, table.count());
      assertEquals(Table.NONE, table.find(Id.of(opened)));
      int rows = 0;
      for (int row = 0; row < table.end(); row++) {
        rows += table.isOpen(row) ? 1 : 0;
      }
      assertEquals(opened, rows);
      int end = table.end();
      isFull = false;
      table.open(Id.of(opened), 0);
      assertEquals(end, table.end(), "its row was given back");
    }
  }
}
