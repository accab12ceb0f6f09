package io.recur.device.cpu;

import static io.recur.device.kernels.Arithmetic.column;
import static io.recur.device.kernels.Arithmetic.row;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.recur.device.Buffer;
import io.recur.device.kernels.Arithmetic;
import io.recur.device.kernels.Binary;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Elementwise arithmetic in Java, tile by tile through the thread's heap arrays. */
final class JavaArithmetic implements Arithmetic {
  private final ThreadLocal<Workspace> workspaces;

  JavaArithmetic(ThreadLocal<Workspace> workspaces) {
    this.workspaces = workspaces;
  }

  @Override
  public void affine(float factor, Buffer x, float constant, Buffer y, long n) {
    Workspace work = workspaces.get();
    for (long at = 0; at < n; at += Workspace.TILE) {
      int tile = (int) Math.min(Workspace.TILE, n - at);
      float[] values = work.load(0, x, at, tile);
      for (int i = 0; i < tile; i++) {
        values[i] = factor * values[i] + constant;
      }
      Workspace.store(values, 0, y, at, tile);
    }
  }

  @Override
  public void clamp(float low, float high, Buffer x, Buffer y, long n) {
    Workspace work = workspaces.get();
    for (long at = 0; at < n; at += Workspace.TILE) {
      int tile = (int) Math.min(Workspace.TILE, n - at);
      float[] values = work.load(0, x, at, tile);
      for (int i = 0; i < tile; i++) {
        values[i] = values[i] < low ? low : values[i] > high ? high : values[i];
      }
      Workspace.store(values, 0, y, at, tile);
    }
  }

  @Override
  public void addClampDerivative(float low, float high, Buffer x, Buffer dy, Buffer dx, long n) {
    Workspace work = workspaces.get();
    for (long at = 0; at < n; at += Workspace.TILE) {
      int tile = (int) Math.min(Workspace.TILE, n - at);
      float[] values = work.load(0, x, at, tile);
      float[] upstream = work.load(1, dy, at, tile);
      float[] sum = work.load(2, dx, at, tile);
      for (int i = 0; i < tile; i++) {
        sum[i] += values[i] >= low && values[i] <= high ? upstream[i] : 0;
      }
      Workspace.store(sum, 0, dx, at, tile);
    }
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
    Workspace work = workspaces.get();
    JavaBinary function = JavaBinary.of(f);
    int across = columns(m);
    for (long j = 0; j < n; j += across) {
      int columns = (int) Math.min(across, n - j);
      for (long i = 0; i < m; i += Workspace.TILE) {
        int rows = (int) Math.min(Workspace.TILE, m - i);
        float[] left = load(work, 0, a, row(rowsA), column(rowsA, columnsA), i, rows, j, columns);
        float[] right = load(work, 1, b, row(rowsB), column(rowsB, columnsB), i, rows, j, columns);
        float[] value = work.array(2, rows * columns);
        function.value(left, right, value, rows * columns);
        Workspace.store(value, 0, y, j * m + i, rows * columns);
      }
    }
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
    Workspace work = workspaces.get();
    JavaBinary function = JavaBinary.of(f);
    int across = columns(m);
    for (long j = 0; j < n; j += across) {
      int columns = (int) Math.min(across, n - j);
      for (long i = 0; i < m; i += Workspace.TILE) {
        int rows = (int) Math.min(Workspace.TILE, m - i);
        float[] left = load(work, 0, a, row(rowsA), column(rowsA, columnsA), i, rows, j, columns);
        float[] right = load(work, 1, b, row(rowsB), column(rowsB, columnsB), i, rows, j, columns);
        long at = j * m + i;
        float[] share = work.load(2, d, at, rows * columns);
        if (ofB) {
          function.toB(left, right, share, rows * columns);
        } else {
          function.toA(left, right, share, rows * columns);
        }
        if (accumulate) {
          Loops.addTo(share, work.load(3, y, at, rows * columns), rows * columns);
        }
        Workspace.store(share, 0, y, at, rows * columns);
      }
    }
  }

  /** {@return the whole columns of a tile; one where a column is longer} */
  private static int columns(int m) {
    return Math.max(1, Workspace.TILE / m);
  }

  /**
   * The values of a tile, of {@code rows} from row i on and {@code columns} from column j on, with
   * those of an operand that is repeated written out.
   */
  private static float[] load(
      Workspace work,
      int number,
      Buffer operand,
      int row,
      int column,
      long i,
      int rows,
      long j,
      int columns) {
    long from = j * column + i * row;
    if ((row == 1 || rows == 1) && (column == rows || columns == 1)) {
      return work.load(number, operand, from, rows * columns);
    }
    float[] tile = work.array(number, rows * columns);
    if (row == 1) {
      Workspace.load(operand, from, tile, 0, rows);
      for (int k = 1; k < columns; k++) {
        System.arraycopy(tile, 0, tile, k * rows, rows);
      }
    } else {
      MemorySegment values = operand.segment();
      for (int k = 0; k < columns; k++) {
        float value = values.getAtIndex(JAVA_FLOAT, from + (long) k * column);
        Arrays.fill(tile, k * rows, (k + 1) * rows, value);
      }
    }
    return tile;
  }
}
