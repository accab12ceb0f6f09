package io.recur.nn;

import io.recur.device.kernels.Band;
import io.recur.device.kernels.Bands;
import io.recur.device.kernels.KernelDevice;
import io.recur.grad.DropConnect;
import io.recur.grad.Graph;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;

/** A band matrix, or several of them stacked along rows; only the diagonals are stored. */
final class BandMatrix extends Matrix {
  private final Band band;

  private BandMatrix(int bandwidth, int rows, int columns, Parameter values) {
    super(rows, columns, values);
    this.band = new Band(bandwidth, columns, rows / columns);
  }

  private static int stored(int bandwidth, int rows, int columns) {
    if (rows < 1 || columns <= bandwidth || rows % columns != 0) {
      throw new ShapeException(
          "band matrix: rows=%d, columns=%d; need square blocks, rows a multiple of columns"
              .formatted(rows, columns));
    }
    long diagonals = 2L * bandwidth + 1;
    long stored = rows / columns * (diagonals * columns - bandwidth * (bandwidth + 1L));
    if (stored > Integer.MAX_VALUE) {
      throw new ShapeException(
          "band matrix: rows=%d, columns=%d, %d values; need at most %d"
              .formatted(rows, columns, stored, Integer.MAX_VALUE));
    }
    return (int) stored;
  }

  static BandMatrix random(int bandwidth, int rows, int columns) {
    int stored = stored(bandwidth, rows, columns);
    float limit = (float) Math.sqrt(6.0 / ((double) rows + columns));
    Parameter values =
        Parameter.of(
            Shape.of(stored),
            (array, random) -> {
              for (int i = 0; i < array.length; i++) {
                array[i] = (2 * random.nextFloat() - 1) * limit;
              }
            });
    return new BandMatrix(bandwidth, rows, columns, values);
  }

  static BandMatrix ofDiagonal(Parameter values) {
    Shape shape = values.shape();
    if (shape.columns() != 1) {
      throw new ShapeException(
          "diagonal matrix: values=%s; need one column, the diagonal".formatted(shape));
    }
    return new BandMatrix(0, shape.rows(), shape.rows(), values);
  }

  static BandMatrix of(int bandwidth, int rows, int columns, float[] dense) {
    int stored = stored(bandwidth, rows, columns);
    if (dense.length != (long) rows * columns) {
      throw new ShapeException(
          "band matrix: rows=%d, columns=%d, %d values; need %d"
              .formatted(rows, columns, dense.length, (long) rows * columns));
    }
    float[] kept = new float[stored];
    int at = 0;
    for (int block = 0; block < rows / columns; block++) {
      for (int d = -bandwidth; d <= bandwidth; d++) {
        for (int row = Math.max(-d, 0); row < columns - Math.max(d, 0); row++) {
          kept[at++] = dense[block * columns + row + (row + d) * rows];
        }
      }
    }
    return new BandMatrix(bandwidth, rows, columns, Parameter.of(Shape.of(kept.length), kept));
  }

  @Override
  public Tensor times(Tensor x) {
    if (x.shape().rows() != columns()) {
      throw new ShapeException(
          "matmul: W=%s, x=%s; need W.cols == x.rows, %d != %d: x is features × batch × time"
              .formatted(this, x.shape(), columns(), x.shape().rows()));
    }
    Tensor values = DropConnect.read(values(), x);
    try (OpContext context = OpContext.of("matmul", values, x)) {
      Product op = context.reuse(Product.class, Product::new);
      op.kernels = KernelDevice.of(context.device());
      op.w = this;
      op.values = values;
      op.x = x;
      op.y = context.output(x.shape(), rows(), true);
      int n = x.shape().columns();
      op.kernels.bands().multiply(band, values.value(), x.value(), n, 0, op.y.value(), rows());
      return context.record(op, op.y);
    }
  }

  private static final class Product implements Op {
    private KernelDevice kernels;
    private BandMatrix w;
    private Tensor values;
    private Tensor x;
    private Tensor y;

    @Override
    public void trace(Trace trace) {
      int parameter = trace.matrix(values);
      int bandwidth = w.band.bandwidth();
      trace.give(y, new Graph.Node.BandProduct(parameter, bandwidth, w.rows(), trace.number(x)));
    }

    @Override
    public void backward() {
      int n = x.shape().columns();
      Bands bands = kernels.bands();
      if (values.isDifferentiable()) {
        bands.addGradient(w.band, y.gradient(), w.rows(), x.value(), n, values.accumulator());
      }
      if (x.isDifferentiable()) {
        bands.multiplyTransposed(
            w.band, values.value(), y.gradient(), w.rows(), n, 1, x.accumulator());
      }
    }
  }

  @Override
  public String kind() {
    return band.bandwidth() == 0 ? "diagonal" : "tridiagonal";
  }
}
