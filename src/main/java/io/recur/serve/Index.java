package io.recur.serve;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;

/**
 * Finds rows by the hashes of their ids, in native memory: open addressing with linear probing. 256
 * small tables by the highest bits of a hash grow one by one, so that no insertion copies more than
 * a 256th of all. An entry is 8 bytes: the low half of the hash, and the row plus 1. A table is at
 * most three quarters full.
 */
final class Index implements AutoCloseable {
  private static final int TABLES = 256;
  private static final int FIRST = 16;
  private static final long ROW = 0xffffffffL;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  /** Whether a row is that of an id that is looked for. */
  @FunctionalInterface
  interface Match {
    boolean isAt(int row);
  }

  private final Arena[] arenas = new Arena[TABLES];
  private final MemorySegment[] tables = new MemorySegment[TABLES];
  private final int[] counts = new int[TABLES];
  private long bytes;

  private final Supplier<Arena> memory;

  /**
   * An empty index.
   *
   * @param memory gives the memory of a table, for as many threads as use the index
   */
  Index(Supplier<Arena> memory) {
    this.memory = memory;
    for (int t = 0; t < TABLES; t++) {
      allocate(t, FIRST);
    }
  }

  private void allocate(int t, int entries) {
    Arena arena = memory.get();
    try {
      tables[t] = arena.allocate(LONG, entries);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw Cells.noMemory((long) entries * Long.BYTES, bytes, e);
    }
    arenas[t] = arena;
    bytes += tables[t].byteSize();
  }

  private static int table(long hash) {
    return (int) (hash >>> 56);
  }

  private static int mask(MemorySegment table) {
    return (int) (table.byteSize() / Long.BYTES) - 1;
  }

  private static long get(MemorySegment table, int at) {
    return table.getAtIndex(LONG, at);
  }

  /** The row of the entry at which a search for this hash begins; -1 where it is empty. */
  int guess(long hash) {
    MemorySegment table = tables[table(hash)];
    return (int) (get(table, (int) hash & mask(table)) & ROW) - 1;
  }

  /** The row with this hash that matches; -1 where there is none. */
  int find(long hash, Match match) {
    MemorySegment table = tables[table(hash)];
    int mask = mask(table);
    for (int at = (int) hash & mask; ; at = at + 1 & mask) {
      long entry = get(table, at);
      if (entry == 0) {
        return -1;
      }
      int row = (int) (entry & ROW) - 1;
      if ((int) (entry >>> 32) == (int) hash && match.isAt(row)) {
        return row;
      }
    }
  }

  /**
   * Adds a row that is not in it.
   *
   * @throws io.recur.device.DeviceException if there is no memory; it is then not added
   */
  void add(long hash, int row) {
    int t = table(hash);
    if (4L * (counts[t] + 1) > 3L * (mask(tables[t]) + 1L)) {
      grow(t);
    }
    put(tables[t], hash << 32 | row + 1L);
    counts[t]++;
  }

  private static void put(MemorySegment table, long entry) {
    int mask = mask(table);
    int at = (int) (entry >>> 32) & mask;
    while (get(table, at) != 0) {
      at = at + 1 & mask;
    }
    table.setAtIndex(LONG, at, entry);
  }

  private void grow(int t) {
    MemorySegment before = tables[t];
    Arena arena = arenas[t];
    int entries = mask(before) + 1;
    allocate(t, 2 * entries);
    for (int at = 0; at < entries; at++) {
      long entry = get(before, at);
      if (entry != 0) {
        put(tables[t], entry);
      }
    }
    bytes -= before.byteSize();
    arena.close();
  }

  /** Removes a row. The entries behind it that its place kept from theirs move up. */
  void remove(long hash, int row) {
    int t = table(hash);
    MemorySegment table = tables[t];
    int mask = mask(table);
    int hole = (int) hash & mask;
    while (get(table, hole) != (hash << 32 | row + 1L)) {
      hole = hole + 1 & mask;
    }
    for (int at = hole + 1 & mask; ; at = at + 1 & mask) {
      long entry = get(table, at);
      if (entry == 0) {
        break;
      }
      int home = (int) (entry >>> 32) & mask;
      if ((at - home & mask) >= (at - hole & mask)) {
        table.setAtIndex(LONG, hole, entry);
        hole = at;
      }
    }
    table.setAtIndex(LONG, hole, 0L);
    counts[t]--;
  }

  /** The bytes of all tables. */
  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    for (Arena arena : arenas) {
      arena.close();
    }
  }
}
