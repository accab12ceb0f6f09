package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Reduction;
import io.recur.device.kernels.Reductions;
import java.lang.foreign.MemorySegment;

/** Reductions over a dimension, see {@code native/cuda/reductions.cu}. */
final class ReductionKernels implements Reductions {
  private final Queue queue;

  ReductionKernels(Queue queue) {
    this.queue = queue;
  }

  private static long words(int m, int n, int t) {
    return (long) m * n * t;
  }

  @Override
  public void reduce(Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y) {
    MemorySegment to = y.target(Reductions.results(d, m, n, t));
    reduce(r, false, d, m, n, t, x.segment(words(m, n, t)), to, MemorySegment.NULL);
  }

  @Override
  public void addSum(Dimension d, int m, int n, int t, Buffer x, Buffer y) {
    MemorySegment to = y.target(Reductions.results(d, m, n, t));
    KernelDevice device = KernelDevice.of(y.device());
    MemorySegment carry = device.keepsCarry(y) ? device.carryOf(y).target() : MemorySegment.NULL;
    reduce(Reduction.SUM, true, d, m, n, t, x.segment(words(m, n, t)), to, carry);
  }

  private void reduce(
      Reduction r,
      boolean accumulate,
      Dimension d,
      int m,
      int n,
      int t,
      MemorySegment x,
      MemorySegment y,
      MemorySegment carry) {
    int stride = d.stride(m, n, t);
    int length = d.length(m, n, t);
    int count = d.count(m, n, t);
    Launch launch =
        queue
            .kernel(d == Dimension.ROWS ? Kernel.REDUCE_ROWS : Kernel.REDUCE_COLUMNS)
            .integer(r.ordinal())
            .integer(accumulate ? 1 : 0);
    if (d == Dimension.ROWS) {
      launch.integer(length).integer(count).integer(ColumnKernels.group(length));
    } else {
      launch.integer(stride).integer(length);
    }
    launch
        .pointer(x)
        .pointer(y)
        .pointer(carry)
        .blocks(blocks(d, stride, length, count), Launch.BLOCK);
  }

  /** {@return the blocks that reduce: one per 32 results, or for the columns that fill the card} */
  private long blocks(Dimension d, int stride, int length, int count) {
    return d == Dimension.ROWS
        ? ColumnKernels.blocks(length, count, queue.mostBlocks())
        : (stride + ColumnKernels.ROWS - 1L) / ColumnKernels.ROWS * count;
  }

  @Override
  public void addDerivative(
      Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    int stride = d.stride(m, n, t);
    int length = d.length(m, n, t);
    int count = d.count(m, n, t);
    long blocks = blocks(d, stride, length, count);
    long shares = shares(r, d, length, blocks);
    Launch launch;
    if (d == Dimension.ROWS) {
      launch = queue.kernel(Kernel.ADD_ROWS_DERIVATIVE).integer(r.ordinal());
      launch.integer(length).integer(count).integer(ColumnKernels.group(length));
    } else {
      launch = queue.kernel(Kernel.ADD_COLUMNS_DERIVATIVE).integer(r.ordinal());
      launch.integer(stride).integer(length).integer(shares);
    }
    long results = Reductions.results(d, m, n, t);
    launch
        .pointer(x.segment(words(m, n, t)))
        .pointer(y.segment(results))
        .pointer(dy.segment(results))
        .pointer(dx.target(words(m, n, t)))
        .blocks(blocks * shares, Launch.BLOCK);
  }

  /**
   * {@return the blocks that share one run of values} They fill the card where no block needs all
   * values of a run.
   */
  private long shares(Reduction r, Dimension d, int length, long blocks) {
    boolean spreads = r == Reduction.SUM || r == Reduction.MEAN;
    long most = Math.max(1, length / ColumnKernels.LEAST_COLUMNS);
    return spreads && d != Dimension.ROWS
        ? Math.clamp(queue.residentBlocks() / blocks, 1, most)
        : 1;
  }
}
