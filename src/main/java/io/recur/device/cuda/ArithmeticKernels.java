package io.recur.device.cuda;

import static io.recur.device.kernels.Arithmetic.column;
import static io.recur.device.kernels.Arithmetic.row;

import io.recur.device.Buffer;
import io.recur.device.kernels.Arithmetic;
import io.recur.device.kernels.Binary;

/** Elementwise arithmetic, see {@code native/cuda/pointwise.cu} and {@code binary.cu}. */
final class ArithmeticKernels implements Arithmetic {
  private final Queue queue;

  ArithmeticKernels(Queue queue) {
    this.queue = queue;
  }

  @Override
  public void affine(float factor, Buffer x, float constant, Buffer y, long n) {
    queue
        .kernel(Kernel.AFFINE)
        .upload(factor, constant)
        .pointer(x.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void clamp(float low, float high, Buffer x, Buffer y, long n) {
    queue
        .kernel(Kernel.CLAMP)
        .real(low)
        .real(high)
        .pointer(x.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void addClampDerivative(float low, float high, Buffer x, Buffer dy, Buffer dx, long n) {
    queue
        .kernel(Kernel.ADD_CLAMP_DERIVATIVE)
        .real(low)
        .real(high)
        .pointer(x.segment(n))
        .pointer(dy.segment(n))
        .pointer(dx.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void apply(
      Binary f,
      int m,
      int n,
      Buffer a,
      int rowsA,
      int columnsA,
      Buffer b,
      int rowsB,
      int columnsB,
      Buffer y) {
    if (m > 1 && isFlat(m, n, rowsA, columnsA) && isFlat(m, n, rowsB, columnsB)) {
      apply(f, 1, m * n, a, 1, rowsA * columnsA, b, 1, rowsB * columnsB, y);
      return;
    }
    Launch launch = queue.kernel(Kernel.BINARY).integer(f.ordinal()).integer(m).integer(n);
    operand(launch, a, rowsA, columnsA);
    operand(launch, b, rowsB, columnsB);
    launch.pointer(y.target((long) m * n)).overFoursOfColumns(m, n);
  }

  @Override
  public void derivative(
      Binary f,
      boolean ofB,
      boolean accumulate,
      int m,
      int n,
      Buffer a,
      int rowsA,
      int columnsA,
      Buffer b,
      int rowsB,
      int columnsB,
      Buffer d,
      Buffer y) {
    if (m > 1 && isFlat(m, n, rowsA, columnsA) && isFlat(m, n, rowsB, columnsB)) {
      int whole = m * n;
      derivative(
          f, ofB, accumulate, 1, whole, a, 1, rowsA * columnsA, b, 1, rowsB * columnsB, d, y);
      return;
    }
    long all = (long) m * n;
    Launch launch =
        queue
            .kernel(Kernel.BINARY_DERIVATIVE)
            .integer(f.ordinal())
            .integer(ofB ? 1 : 0)
            .integer(accumulate ? 1 : 0)
            .integer(m)
            .integer(n);
    operand(launch, a, rowsA, columnsA);
    operand(launch, b, rowsB, columnsB);
    launch.pointer(d.segment(all)).pointer(y.target(all)).overFoursOfColumns(m, n);
  }

  /**
   * {@return whether an operand has all values or one} If both do, the values are one row, of which
   * the threads take four at a time.
   */
  private static boolean isFlat(int m, int n, int rows, int columns) {
    return (rows == m && columns == n) || (rows == 1 && columns == 1);
  }

  private static void operand(Launch launch, Buffer values, int rows, int columns) {
    launch
        .pointer(values.segment((long) rows * columns))
        .integer(row(rows))
        .integer(column(rows, columns));
  }
}
