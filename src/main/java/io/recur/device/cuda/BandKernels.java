package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.kernels.Bands;
import java.lang.foreign.MemorySegment;

/** Products with band matrices, one thread per value, see {@code native/cuda/bands.cu}. */
final class BandKernels implements Bands {
  private final Queue queue;
  private final Scratch scratch;

  BandKernels(Queue queue, Scratch scratch) {
    this.queue = queue;
    this.scratch = scratch;
  }

  /** {@return the words from the first to the last of columns of m rows in a matrix of ld rows} */
  private static long words(long m, int columns, int ld) {
    return columns == 0 ? 0 : (columns - 1L) * ld + m;
  }

  private static long stored(int reach, int n, int blocks) {
    return (long) blocks * Bands.stored(reach, n);
  }

  @Override
  public void multiply(
      int reach,
      int n,
      int blocks,
      Buffer w,
      Buffer x,
      int columns,
      float beta,
      Buffer y,
      int ldy) {
    long rows = (long) blocks * n;
    queue
        .kernel(Kernel.BAND_MULTIPLY)
        .integer(reach)
        .integer(n)
        .integer(blocks)
        .pointer(w.segment(stored(reach, n, blocks)))
        .pointer(x.segment((long) n * columns))
        .integer(columns)
        .real(beta)
        .pointer(y.target(words(rows, columns, ldy)))
        .integer(ldy)
        .overColumns(rows, columns);
  }

  @Override
  public void multiplyTransposed(
      int reach,
      int n,
      int blocks,
      Buffer w,
      Buffer dy,
      int lddy,
      int columns,
      float beta,
      Buffer dx) {
    long all = (long) n * columns;
    queue
        .kernel(Kernel.BAND_MULTIPLY_TRANSPOSED)
        .integer(reach)
        .integer(n)
        .integer(blocks)
        .pointer(w.segment(stored(reach, n, blocks)))
        .pointer(dy.segment(words((long) blocks * n, columns, lddy)))
        .integer(lddy)
        .integer(columns)
        .real(beta)
        .pointer(dx.target(all))
        .overColumns(n, columns);
  }

  @Override
  public void addGradient(
      int reach, int n, int blocks, Buffer dy, int lddy, Buffer x, int columns, Buffer dw) {
    long all = stored(reach, n, blocks);
    MemorySegment to = dw.target(all);
    int shares = scratch.shares(all, columns, ColumnKernels.ROWS, ColumnKernels.LEAST_COLUMNS);
    synchronized (queue) {
      queue
          .kernel(Kernel.ADD_BAND_GRADIENT)
          .integer(reach)
          .integer(n)
          .integer(blocks)
          .pointer(dy.segment(words((long) blocks * n, columns, lddy)))
          .integer(lddy)
          .pointer(x.segment((long) n * columns))
          .integer(columns)
          .integer(shares)
          .pointer(scratch.parts())
          .pointer(to)
          .blocks((all + ColumnKernels.ROWS - 1) / ColumnKernels.ROWS * shares, Launch.BLOCK);
      scratch.addParts(all, shares, to, MemorySegment.NULL);
    }
  }
}
