package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Device;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the parts of sums, between the kernel that leaves them and the one that adds them up.
 * Whoever puts two such launches on the queue holds the queue's monitor, so that nobody else's come
 * between them.
 */
final class Scratch {
  /** The floats that parts may take. */
  static final int FLOATS = 1 << 18;

  /** The doubles that parts may take of a sum that becomes one number. */
  static final int MOST_PARTS = 512;

  /** Values a block for each of its parts, at least: four a thread. */
  private static final int LEAST_PART = 4 * Launch.BLOCK;

  /** Shares of the columns of a matrix: one thread adds their sums up. */
  private static final int MOST_SHARES = 64;

  private final Device device;
  private final Queue queue;
  private @Nullable Buffer memory;
  private @Nullable Buffer total;

  Scratch(Device device, Queue queue) {
    this.device = device;
    this.queue = queue;
  }

  /** Where parts lie. */
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

  /** Records the sum of x or of its squares as parts; gives their number. */
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

  /** Records that s, a double, becomes the sum of so many parts or grows by it. */
  void total(boolean accumulate, int parts, MemorySegment s) {
    queue
        .kernel(Kernel.TOTAL)
        .integer(accumulate ? 1 : 0)
        .integer(parts)
        .pointer(parts())
        .pointer(s)
        .blocks(1, Launch.BLOCK);
  }

  /** Records {@code y = alpha/n} times the sum of so many parts. */
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

  /** The sum of x or of its squares, waited for. */
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
   * In how many shares to sum up n columns of m values, so that there are enough blocks for the
   * device, long shares, few of them, and room for their sums.
   */
  int shares(long m, int n, int rowsOfBlock, int leastColumns) {
    long blocks = (m + rowsOfBlock - 1) / rowsOfBlock;
    long most = Math.min(MOST_SHARES, Math.min(n / leastColumns, FLOATS / 2 / m)); // doubles
    return (int) Math.clamp(queue.residentBlocks() / 2 / blocks, 1, Math.max(1, most));
  }

  /** Records that y grows by that many parts of m doubles each, if there is more than one. */
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
