package io.recur.serve;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Equal cells of native memory, numbered from 0, taken and given back one by one. They grow by
 * slabs of one size: nothing is copied, and at most one slab is ahead of need. The cell that was
 * given back last is taken next. A cell that is free holds the number of the next free one.
 */
final class Cells {
  static final long LARGE_SLAB = 1L << 20;
  static final long SMALL_SLAB = 1L << 14;

  private static final long ALIGNMENT = 64;
  private static final int NONE = -1;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final Arena arena;
  private final long bytes;

  /** The binary logarithm of the cells of a slab. */
  private final int power;

  private MemorySegment[] slabs = {};
  private int count;
  private int unused;
  private int free = NONE;

  /**
   * No cells yet.
   *
   * @param arena whose thread alone uses them
   * @param bytes of a cell, 4 or more
   * @param slab bytes of a slab at most, where a cell is not larger
   */
  Cells(Arena arena, long bytes, long slab) {
    this.arena = arena;
    this.bytes = bytes;
    this.power = 63 - Long.numberOfLeadingZeros(Math.max(1, slab / bytes));
  }

  /** Takes a cell of unspecified content. */
  int take() {
    if (free != NONE) {
      int cell = free;
      free = slab(cell).get(INT, at(cell));
      return cell;
    }
    if (unused >> power == count) {
      grow();
    }
    return unused++;
  }

  private void grow() {
    MemorySegment slab;
    try {
      slab = arena.allocate(bytes << power, ALIGNMENT);
    } catch (OutOfMemoryError e) {
      throw noMemory(bytes << power, bytes(), e);
    }
    if (count == slabs.length) {
      slabs = Arrays.copyOf(slabs, Math.max(16, 2 * count));
    }
    slabs[count++] = slab;
  }

  static DeviceException noMemory(long asked, long held, OutOfMemoryError cause) {
    return new DeviceException(
        """
        sessions: asked for %d bytes of native memory, %d are held; close sessions, or raise \
        -XX:MaxDirectMemorySize=SIZE (without this flag it is as large as -Xmx): %s"""
            .formatted(asked, held, cause.getMessage()),
        cause);
  }

  void giveBack(int cell) {
    slab(cell).set(INT, at(cell), free);
    free = cell;
  }

  /** The memory that holds a cell. */
  MemorySegment slab(int cell) {
    return slabs[cell >> power];
  }

  /** The first byte of a cell in its memory. */
  long at(int cell) {
    return (cell & (1 << power) - 1) * bytes;
  }

  /** One more than the largest number that was ever taken. */
  int end() {
    return unused;
  }

  /** The bytes of all slabs. */
  long bytes() {
    return count * (bytes << power);
  }
}
