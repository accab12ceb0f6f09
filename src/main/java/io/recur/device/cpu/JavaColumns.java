package io.recur.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.kernels.Indexes;
import io.recur.device.kernels.KernelDevice;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Kernels on columns. Each column passes through the thread's heap arrays. */
final class JavaColumns implements Columns {
  /** The columns that are added in float before a double takes the sum: 15 roundings. */
  static final int BLOCK_COLUMNS = 16;

  private final ThreadLocal<Workspace> workspaces;

  JavaColumns(ThreadLocal<Workspace> workspaces) {
    this.workspaces = workspaces;
  }

  @Override
  public void add(int m, int n, Buffer x, Buffer b, Buffer y) {
    Workspace work = workspaces.get();
    float[] bias = work.load(0, b, 0, m);
    for (int j = 0; j < n; j++) {
      float[] column = work.load(1, x, (long) j * m, m);
      Loops.addTo(column, bias, m);
      Workspace.store(column, 0, y, (long) j * m, m);
    }
  }

  @Override
  public void addSum(int m, int n, Buffer x, Buffer y) {
    Workspace work = workspaces.get();
    double[] total = work.sums(m);
    Arrays.fill(total, 0, m, 0);
    for (int from = 0; from < n; from += BLOCK_COLUMNS) {
      float[] block = work.load(0, x, (long) from * m, m);
      for (int j = from + 1; j < Math.min(n, from + BLOCK_COLUMNS); j++) {
        Loops.addTo(block, work.load(1, x, (long) j * m, m), m);
      }
      for (int i = 0; i < m; i++) {
        total[i] += block[i];
      }
    }
    float[] sum = work.load(0, y, 0, m);
    if (KernelDevice.of(y.device()).keepsCarry(y)) {
      float[] carry = work.load(1, KernelDevice.of(y.device()).carryOf(y), 0, m);
      addTo(sum, carry, total, m);
      Workspace.store(carry, 0, KernelDevice.of(y.device()).carryOf(y), 0, m);
    } else {
      for (int i = 0; i < m; i++) {
        sum[i] = (float) (sum[i] + total[i]);
      }
    }
    Workspace.store(sum, 0, y, 0, m);
  }

  @Override
  public void repeat(int m, int n, Buffer b, Buffer y) {
    float[] column = workspaces.get().load(0, b, 0, m);
    for (int j = 0; j < n; j++) {
      Workspace.store(column, 0, y, (long) j * m, m);
    }
  }

  @Override
  public void block(int m, int n, Buffer x, int ldx, boolean accumulate, Buffer y, int ldy) {
    if (m == 1) {
      singleValues(n, x.segment(), ldx, accumulate, y.target(), ldy);
      return;
    }
    Workspace work = workspaces.get();
    for (int j = 0; j < n; j++) {
      float[] column = work.load(0, x, (long) j * ldx, m);
      if (accumulate) {
        Loops.addTo(column, work.load(1, y, (long) j * ldy, m), m);
      }
      Workspace.store(column, 0, y, (long) j * ldy, m);
    }
  }

  /** Columns of one value, as a transposition has them, without a copy to the heap for each. */
  private static void singleValues(
      int n, MemorySegment x, long ldx, boolean accumulate, MemorySegment y, long ldy) {
    for (int j = 0; j < n; j++) {
      float value = x.getAtIndex(JAVA_FLOAT, j * ldx);
      y.setAtIndex(
          JAVA_FLOAT, j * ldy, accumulate ? y.getAtIndex(JAVA_FLOAT, j * ldy) + value : value);
    }
  }

  @Override
  public void gather(int m, int n, Buffer w, Buffer index, @Nullable Buffer b, Buffer y) {
    MemorySegment indexes = Indexes.check("gather", index, n, w.floats() / m);
    Workspace work = workspaces.get();
    float[] column = work.array(0, m);
    float[] bias = b == null ? null : work.load(1, b, 0, m);
    for (int j = 0; j < n; j++) {
      int from = indexes.getAtIndex(JAVA_INT, j);
      Workspace.load(w, (long) from * m, column, 0, m);
      if (bias != null) {
        Loops.addTo(column, bias, m);
      }
      Workspace.store(column, 0, y, (long) j * m, m);
    }
  }

  @Override
  public void scatterAdd(int m, int n, Buffer y, Buffer index, Buffer w) {
    MemorySegment indexes = Indexes.check("scatterAdd", index, n, w.floats() / m);
    Workspace work = workspaces.get();
    double[] terms = work.sums(m);
    for (int j = 0; j < n; j++) {
      long to = (long) indexes.getAtIndex(JAVA_INT, j) * m;
      float[] sum = work.load(0, w, to, m);
      float[] carry = work.load(1, KernelDevice.of(w.device()).carryOf(w), to, m);
      float[] column = work.load(2, y, (long) j * m, m);
      for (int i = 0; i < m; i++) {
        terms[i] = column[i];
      }
      addTo(sum, carry, terms, m);
      Workspace.store(sum, 0, w, to, m);
      Workspace.store(carry, 0, KernelDevice.of(w.device()).carryOf(w), to, m);
    }
  }

  @Override
  public void softmax(int m, int n, boolean logarithm, Buffer x, Buffer y) {
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / m);
    double[] totals = work.totals();
    for (int first = 0; first < n; first += tile) {
      int columns = Math.min(tile, n - first);
      float[] shifted = work.load(0, x, (long) first * m, columns * m);
      float[] p = exponentials(work, shifted, m, columns, totals);
      for (int j = 0; j < columns; j++) {
        if (logarithm) {
          addTo(shifted, j * m, m, -(float) Math.log(totals[j]));
        } else {
          scale(p, j * m, m, (float) (1 / totals[j]));
        }
      }
      Workspace.store(logarithm ? shifted : p, 0, y, (long) first * m, columns * m);
    }
  }

  @Override
  public void addSoftmaxDerivative(
      int m, int n, boolean logarithm, Buffer y, Buffer dy, Buffer dx) {
    Workspace work = workspaces.get();
    for (int j = 0; j < n; j++) {
      long at = (long) j * m;
      float[] output = work.load(0, y, at, m);
      float[] upstream = work.load(1, dy, at, m);
      float[] sum = work.load(2, dx, at, m);
      if (logarithm) {
        work.exp(output, m);
        float total = (float) Loops.sum(upstream, 0, m);
        for (int i = 0; i < m; i++) {
          sum[i] += upstream[i] - output[i] * total;
        }
      } else {
        double dot = 0;
        for (int i = 0; i < m; i++) {
          dot += (double) output[i] * upstream[i];
        }
        float mean = (float) dot;
        for (int i = 0; i < m; i++) {
          sum[i] += output[i] * (upstream[i] - mean);
        }
      }
      Workspace.store(sum, 0, dx, at, m);
    }
  }

  @Override
  public void crossEntropy(int m, int n, Buffer x, Buffer index, Buffer p, Buffer loss) {
    MemorySegment targets = Indexes.check("crossEntropy", index, n, m);
    Workspace work = workspaces.get();
    int tile = Math.max(1, Workspace.TILE / m);
    double[] totals = work.totals();
    double sum = 0;
    for (int first = 0; first < n; first += tile) {
      int columns = Math.min(tile, n - first);
      float[] shifted = work.load(0, x, (long) first * m, columns * m);
      float[] shares = exponentials(work, shifted, m, columns, totals);
      for (int j = 0; j < columns; j++) {
        int target = targets.getAtIndex(JAVA_INT, first + j);
        sum += Math.log(totals[j]) - shifted[j * m + target];
        scale(shares, j * m, m, (float) (1 / totals[j]));
      }
      Workspace.store(shares, 0, p, (long) first * m, columns * m);
    }
    loss.target().set(JAVA_FLOAT, 0, (float) (sum / n));
  }

  @Override
  public void addCrossEntropyDerivative(
      int m, int n, Buffer p, Buffer index, Buffer dloss, Buffer dx) {
    MemorySegment targets = Indexes.check("addCrossEntropyDerivative", index, n, m);
    Workspace work = workspaces.get();
    float factor = dloss.segment().get(JAVA_FLOAT, 0) / n;
    for (int j = 0; j < n; j++) {
      float[] share = work.load(0, p, (long) j * m, m);
      float[] sum = work.load(1, dx, (long) j * m, m);
      share[targets.getAtIndex(JAVA_INT, j)] -= 1;
      for (int i = 0; i < m; i++) {
        sum[i] += factor * share[i];
      }
      Workspace.store(sum, 0, dx, (long) j * m, m);
    }
  }

  /**
   * Subtracts from each column its largest value. Returns the exponentials, in array 1, and writes
   * their sums to {@code totals}.
   */
  private static float[] exponentials(
      Workspace work, float[] x, int m, int columns, double[] totals) {
    for (int j = 0; j < columns; j++) {
      addTo(x, j * m, m, -largest(x, j * m, m));
    }
    float[] p = work.copy(1, x, columns * m);
    work.exp(p, columns * m);
    for (int j = 0; j < columns; j++) {
      totals[j] = Loops.sum(p, j * m, m);
    }
    return p;
  }

  /** {@return the largest value, perhaps ignoring NaN} Four chains wait less than one. */
  private static float largest(float[] x, int from, int n) {
    float a = x[from];
    float b = a;
    float c = a;
    float d = a;
    int i = from;
    for (; i + 3 < from + n; i += 4) {
      a = x[i] > a ? x[i] : a;
      b = x[i + 1] > b ? x[i + 1] : b;
      c = x[i + 2] > c ? x[i + 2] : c;
      d = x[i + 3] > d ? x[i + 3] : d;
    }
    for (; i < from + n; i++) {
      a = x[i] > a ? x[i] : a;
    }
    return Math.max(Math.max(a, b), Math.max(c, d));
  }

  /** {@code y += x}, where the carry keeps what y cannot hold. */
  static void addTo(float[] y, float[] carry, double[] x, int n) {
    for (int i = 0; i < n; i++) {
      double exact = sum(y[i], carry[i], x[i]);
      y[i] = (float) exact;
      carry[i] = (float) (exact - y[i]);
    }
  }

  /** {@return sum + carry + more; without the carry if that would change the float} */
  private static double sum(float sum, float carry, double more) {
    return (sum + carry == sum ? (double) sum + carry : sum) + more;
  }

  static void addTo(float[] y, int from, int n, float x) {
    for (int i = from; i < from + n; i++) {
      y[i] += x;
    }
  }

  private static void scale(float[] y, int from, int n, float factor) {
    for (int i = from; i < from + n; i++) {
      y[i] *= factor;
    }
  }
}
