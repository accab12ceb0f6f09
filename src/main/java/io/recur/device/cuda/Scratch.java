package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Device;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the parts of a sum. One kernel writes them, the next one adds them up. The caller
 * holds the queue's monitor over both launches, so that no other launch comes between them.
 */
final class Scratch {
  /** The most floats that the parts of a sum take. */
  static final int FLOATS = 1 << 18;

  /** The most doubles that the parts take if the sum is one number. */
  static final int MOST_PARTS = 512;

  /** The fewest values per part, which one block adds up: four per thread. */
  private static final int LEAST_PART = 4 * Launch.BLOCK;

  /** The most shares of the columns of a matrix. One thread adds the sums of all shares. */
  private static final int MOST_SHARES = 64;

  private final Device device;
  private final Queue queue;
  private @Nullable Buffer memory;
  private @Nullable Buffer total;

  Scratch(Device device, Queue queue) {
    this.device = device;
    this.queue = queue;
  }

  /** {@return the memory of the parts} */
  MemorySegment parts() {
    return memory().target();
  }

  private Buffer memory() {
    Buffer known = memory;
    if (known == null) {
      known = device.allocate(FLOATS + 2);
      memory = known;
      total = known.slice(FLOATS, 2);
    }
    return known;
  }

  /** Records the sum of x or of its squares as parts. Returns the number of parts. */
  int sum(boolean squares, Buffer x, long n) {
    int parts = Math.clamp((n + LEAST_PART - 1) / LEAST_PART, 1, MOST_PARTS);
    queue
        .kernel(Kernel.SUM)
        .integer(squares ? 1 : 0)
        .pointer(x.segment(n))
        .integer(n)
        .pointer(parts())
        .blocks(parts, Launch.BLOCK);
    return parts;
  }

  /** Records that the double s becomes the sum of the parts, or grows by it. */
  void total(boolean accumulate, int parts, MemorySegment s) {
    queue
        .kernel(Kernel.TOTAL)
        .integer(accumulate ? 1 : 0)
        .integer(parts)
        .pointer(parts())
        .pointer(s)
        .blocks(1, Launch.BLOCK);
  }

  /** Records that y becomes {@code alpha/n} times the sum of the parts. */
  void sumInto(float alpha, long n, int parts, MemorySegment y) {
    queue
        .kernel(Kernel.SUM_INTO)
        .real(alpha)
        .integer(n)
        .integer(parts)
        .pointer(parts())
        .pointer(y)
        .blocks(1, Launch.BLOCK);
  }

  /** Waits for the sum of x or of its squares and returns it. */
  double read(boolean squares, Buffer x, long n) {
    synchronized (queue) {
      int parts = sum(squares, x, n);
      total(false, parts, total.target());
      float[] words = total.read();
      long low = Float.floatToRawIntBits(words[0]) & 0xFFFFFFFFL;
      long high = (long) Float.floatToRawIntBits(words[1]) << Integer.SIZE;
      return Double.longBitsToDouble(high | low);
    }
  }

  /**
   * {@return the number of shares in which to sum n columns of m values} The shares give the device
   * enough blocks, are long and few, and leave room for their sums.
   */
  int shares(long m, int n, int rowsOfBlock, int leastColumns) {
    long blocks = (m + rowsOfBlock - 1) / rowsOfBlock;
    long most = Math.min(MOST_SHARES, Math.min(n / leastColumns, FLOATS / 2 / m)); // doubles
    return (int) Math.clamp(queue.residentBlocks() / 2 / blocks, 1, Math.max(1, most));
  }

  /** Records that y grows by the parts of m doubles per share, if there is more than one share. */
  void addParts(long m, int shares, MemorySegment y, MemorySegment carry) {
    if (shares > 1) {
      queue
          .kernel(Kernel.ADD_PARTS)
          .integer(m)
          .integer(shares)
          .pointer(parts())
          .pointer(y)
          .pointer(carry)
          .over(m);
    }
  }
}
