package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.kernels.KernelDevice;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Passes over columns, see {@code native/cuda/columns.cu} and {@code softmax.cu}. */
final class ColumnKernels implements Columns {
  /** The rows of a block that sums columns, and the fewest columns of a share. */
  static final int ROWS = 32;

  static final int LEAST_COLUMNS = 64;

  /** The threads per column of softmax: a warp, or a whole block for a long column. */
  private static final int WARP = 32;

  private static final int LONG_COLUMN = 1024;

  private final Queue queue;
  private final Scratch scratch;

  ColumnKernels(Queue queue, Scratch scratch) {
    this.queue = queue;
    this.scratch = scratch;
  }

  /** {@return the words from the first to the last of n columns of m rows, ld words apart} */
  private static long words(int m, int n, int ld) {
    return n == 0 ? 0 : (n - 1L) * ld + m;
  }

  private static long words(int m, int n) {
    return (long) m * n;
  }

  @Override
  public void add(int m, int n, Buffer x, Buffer b, Buffer y) {
    long all = words(m, n);
    queue
        .kernel(Kernel.ADD_COLUMN)
        .integer(m)
        .integer(n)
        .pointer(x.segment(all))
        .pointer(b.segment(m))
        .pointer(y.target(all))
        .overFoursOfColumns(m, n);
  }

  @Override
  public void addSum(int m, int n, Buffer x, Buffer y) {
    MemorySegment from = x.segment(words(m, n));
    MemorySegment to = y.target(m);
    MemorySegment carry =
        KernelDevice.of(y.device()).keepsCarry(y)
            ? KernelDevice.of(y.device()).carryOf(y).target()
            : MemorySegment.NULL;
    int shares = scratch.shares(m, n, ROWS, LEAST_COLUMNS);
    synchronized (queue) {
      queue
          .kernel(Kernel.ADD_COLUMN_SUM)
          .integer(m)
          .integer(n)
          .integer(shares)
          .pointer(from)
          .pointer(scratch.parts())
          .pointer(to)
          .pointer(carry)
          .blocks((m + ROWS - 1L) / ROWS * shares, Launch.BLOCK);
      scratch.addParts(m, shares, to, carry);
    }
  }

  @Override
  public void repeat(int m, int n, Buffer b, Buffer y) {
    block(m, n, b.segment(m), 0, false, y.target(words(m, n)), m);
  }

  @Override
  public void block(int m, int n, Buffer x, int ldx, boolean accumulate, Buffer y, int ldy) {
    MemorySegment from = x.segment(words(m, n, ldx));
    block(m, n, from, ldx, accumulate, y.target(words(m, n, ldy)), ldy);
  }

  private void block(
      int m, int n, MemorySegment x, int ldx, boolean accumulate, MemorySegment y, int ldy) {
    queue
        .kernel(Kernel.BLOCK)
        .integer(m)
        .integer(n)
        .pointer(x)
        .integer(ldx)
        .integer(accumulate ? 1 : 0)
        .pointer(y)
        .integer(ldy)
        .overColumns(m, n);
  }

  @Override
  public void gather(int m, int n, Buffer w, Buffer index, @Nullable Buffer b, Buffer y) {
    queue
        .kernel(Kernel.GATHER)
        .integer(m)
        .integer(n)
        .integer(w.floats() / m)
        .pointer(w.segment())
        .pointer(index.segment(n))
        .pointer(b == null ? MemorySegment.NULL : b.segment(m))
        .pointer(y.target(words(m, n)))
        .pointer(queue.indexes().address())
        .overColumns(m, n);
  }

  @Override
  public void scatterAdd(int m, int n, Buffer y, Buffer index, Buffer w) {
    long columns = w.floats() / m;
    long pieces = (m + Launch.BLOCK - 1) / Launch.BLOCK;
    MemorySegment carry = KernelDevice.of(w.device()).carryOf(w).target();
    queue
        .kernel(Kernel.SCATTER_ADD)
        .integer(m)
        .integer(n)
        .integer(columns)
        .pointer(y.segment(words(m, n)))
        .pointer(index.segment(n))
        .pointer(w.target())
        .pointer(carry)
        .pointer(queue.indexes().address())
        .blocks(Math.clamp(columns, Math.min(n, 1), n) * pieces, Launch.BLOCK);
  }

  /** {@return the threads per column} */
  static int group(int m) {
    return m > LONG_COLUMN ? Launch.BLOCK : WARP;
  }

  /** {@return the blocks for n columns of m values} */
  static long blocks(int m, int n, long most) {
    int columns = Launch.BLOCK / group(m);
    return Math.min((n + columns - 1L) / columns, most);
  }

  @Override
  public void softmax(int m, int n, boolean logarithm, Buffer x, Buffer y) {
    long all = words(m, n);
    queue
        .kernel(Kernel.SOFTMAX)
        .integer(m)
        .integer(n)
        .integer(group(m))
        .integer(logarithm ? 1 : 0)
        .pointer(x.segment(all))
        .pointer(y.target(all))
        .blocks(blocks(m, n, queue.mostBlocks()), Launch.BLOCK);
  }

  @Override
  public void addSoftmaxDerivative(
      int m, int n, boolean logarithm, Buffer y, Buffer dy, Buffer dx) {
    long all = words(m, n);
    queue
        .kernel(Kernel.ADD_SOFTMAX_DERIVATIVE)
        .integer(m)
        .integer(n)
        .integer(group(m))
        .integer(logarithm ? 1 : 0)
        .pointer(y.segment(all))
        .pointer(dy.segment(all))
        .pointer(dx.target(all))
        .blocks(blocks(m, n, queue.mostBlocks()), Launch.BLOCK);
  }

  @Override
  public void crossEntropy(int m, int n, Buffer x, Buffer index, Buffer p, Buffer loss) {
    long all = words(m, n);
    MemorySegment to = loss.target(1);
    long parts = blocks(m, n, Scratch.MOST_PARTS);
    synchronized (queue) {
      queue
          .kernel(Kernel.CROSS_ENTROPY)
          .integer(m)
          .integer(n)
          .integer(group(m))
          .pointer(x.segment(all))
          .pointer(index.segment(n))
          .pointer(p.target(all))
          .pointer(scratch.parts())
          .pointer(queue.indexes().address())
          .blocks(parts, Launch.BLOCK);
      scratch.sumInto(1, n, (int) parts, to);
    }
  }

  @Override
  public void addCrossEntropyDerivative(
      int m, int n, Buffer p, Buffer index, Buffer dloss, Buffer dx) {
    long all = words(m, n);
    queue
        .kernel(Kernel.ADD_CROSS_ENTROPY_DERIVATIVE)
        .integer(m)
        .integer(n)
        .pointer(p.segment(all))
        .pointer(index.segment(n))
        .pointer(dloss.segment(1))
        .pointer(dx.target(all))
        .pointer(queue.indexes().address())
        .overColumns(m, n);
  }
}
