package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.kernels.Band;
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

  /** A launch with the shape of W. */
  private Launch kernel(Kernel kernel, Band band) {
    return queue.kernel(kernel).integer(band.bandwidth()).integer(band.n()).integer(band.blocks());
  }

  @Override
  public void multiply(Band band, Buffer w, Buffer x, int columns, float beta, Buffer y, int ldy) {
    int rows = band.rows();
    kernel(Kernel.BAND_MULTIPLY, band)
        .pointer(w.segment(band.stored()))
        .pointer(x.segment((long) band.n() * columns))
        .integer(columns)
        .real(beta)
        .pointer(y.target(words(rows, columns, ldy)))
        .integer(ldy)
        .overColumns(rows, columns);
  }

  @Override
  public void multiplyTransposed(
      Band band, Buffer w, Buffer dy, int lddy, int columns, float beta, Buffer dx) {
    long all = (long) band.n() * columns;
    kernel(Kernel.BAND_MULTIPLY_TRANSPOSED, band)
        .pointer(w.segment(band.stored()))
        .pointer(dy.segment(words(band.rows(), columns, lddy)))
        .integer(lddy)
        .integer(columns)
        .real(beta)
        .pointer(dx.target(all))
        .overColumns(band.n(), columns);
  }

  @Override
  public void addGradient(Band band, Buffer dy, int lddy, Buffer x, int columns, Buffer dw) {
    long all = band.stored();
    MemorySegment to = dw.target(all);
    int shares = scratch.shares(all, columns, ColumnKernels.ROWS, ColumnKernels.LEAST_COLUMNS);
    synchronized (queue) {
      kernel(Kernel.ADD_BAND_GRADIENT, band)
          .pointer(dy.segment(words(band.rows(), columns, lddy)))
          .integer(lddy)
          .pointer(x.segment((long) band.n() * columns))
          .integer(columns)
          .integer(shares)
          .pointer(scratch.parts())
          .pointer(to)
          .blocks((all + ColumnKernels.ROWS - 1) / ColumnKernels.ROWS * shares, Launch.BLOCK);
      scratch.addParts(all, shares, to, MemorySegment.NULL);
    }
  }
}
