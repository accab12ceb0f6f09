package io.recur.serve;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Native memory of any size, taken and given back block by block: cells of a size for each kind of
 * size. A block is a multiple of 8 bytes up to 1 KiB, else at most an eighth larger than asked for.
 */
final class Blocks {
  private static final int FINE = 1024;
  private static final int FINE_KINDS = FINE / 8;
  private static final int FINE_POWER = 10;

  private final Arena arena;
  private final @Nullable Cells[] cells = new Cells[FINE_KINDS + 8 * (32 - FINE_POWER)];

  Blocks(Arena arena) {
    this.arena = arena;
  }

  /** The number of the kind of a size: 8, 16 … 1024 bytes, then eight for each octave. */
  private static int kind(int bytes) {
    if (bytes <= FINE) {
      return (bytes + 7) / 8 - 1;
    }
    int power = 31 - Integer.numberOfLeadingZeros(bytes - 1);
    int eighth = (bytes - 1 - (1 << power)) >> (power - 3);
    return FINE_KINDS + 8 * (power - FINE_POWER) + eighth;
  }

  private static long size(int kind) {
    if (kind < FINE_KINDS) {
      return 8L * (kind + 1);
    }
    int power = FINE_POWER + (kind - FINE_KINDS) / 8;
    return (1L << power) + ((kind - FINE_KINDS) % 8 + 1L << power - 3);
  }

  private Cells of(int bytes) {
    int kind = kind(bytes);
    Cells known = cells[kind];
    if (known == null) {
      known = new Cells(arena, size(kind), Cells.SMALL_SLAB);
      cells[kind] = known;
    }
    return known;
  }

  /** Takes a block of one byte or more; its number is one among those of its size. */
  int take(int bytes) {
    return of(bytes).take();
  }

  void giveBack(int block, int bytes) {
    of(bytes).giveBack(block);
  }

  MemorySegment slab(int block, int bytes) {
    return of(bytes).slab(block);
  }

  long at(int block, int bytes) {
    return of(bytes).at(block);
  }

  /** The bytes of all slabs. */
  long bytes() {
    long all = 0;
    for (Cells its : cells) {
      all += its == null ? 0 : its.bytes();
    }
    return all;
  }
}
