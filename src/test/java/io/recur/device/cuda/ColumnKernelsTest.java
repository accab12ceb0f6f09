package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Columns;
import io.recur.device.Device;
import io.recur.device.Guarded;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How a GPU's kernels go over the columns of matrices: in which order they add, and what they
 * reach.
 */
class ColumnKernelsTest {
  /** Columns of a matrix that a block of {@code recur_scatter_add} looks at in a turn. */
  private static final int TURN = 8192;

  private static final int AHEAD = 8;

  @AutoClose private final Device device = CpuDouble.hereOnCuda();
  private final Guarded memory = new Guarded(device, 9);

  /** For few columns and for many, see the kernel. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 30_000})
  void columnsAreAddedInDoubleInTheirOrder(int columns) {
    int m = 2;
    int n = 2 * TURN + 100;
    Guarded.Piece y = memory.input(m * n);
    Guarded.Piece index = memory.indexes(n, columns);
    Guarded.Piece w = memory.inOut(m * columns);
    device.columns().scatterAdd(m, n, y.buffer(), index.buffer(), w.buffer());
    double[] sums = new double[m * columns];
    boolean[] isAddedTo = new boolean[m * columns];
    for (int at = 0; at < m * n; at++) {
      sums[m * index.index(at / m) + at % m] += y.at(at);
      isAddedTo[m * index.index(at / m) + at % m] = true;
    }
    float[] expected = new float[m * columns];
    for (int at = 0; at < expected.length; at++) {
      expected[at] = (float) (isAddedTo[at] ? w.at(at) + sums[at] : w.at(at));
    }
    assertArrayEquals(expected, w.read());
    memory.check();
  }

  /** 2⁶⁰ + 1 − 2⁶⁰ + 1 is 1 in this order, 0 or 2 in others. */
  @ParameterizedTest
  @ValueSource(ints = {2, 100_000})
  void theOrderHoldsFromOneTurnToTheNext(int columns) {
    float[] values = new float[2 * TURN];
    float[] indexes = new float[values.length];
    Arrays.fill(values, 1e30f);
    int[] places = {3, 700, TURN + 40, TURN + 41};
    float[] terms = {0x1p60f, 1, -0x1p60f, 1};
    for (int k = 0; k < places.length; k++) {
      values[places[k]] = terms[k];
      indexes[places[k]] = Float.intBitsToFloat(1);
    }
    Guarded.Piece y = memory.input(values);
    Guarded.Piece index = memory.input(indexes);
    Guarded.Piece w = memory.inOut(new float[columns]);
    device.columns().scatterAdd(1, values.length, y.buffer(), index.buffer(), w.buffer());
    assertArrayEquals(new float[] {1}, w.buffer().slice(1, 1).read());
    memory.check();
  }

  @Test
  void eightNamedColumnsAreReadBeforeOneIsAdded() {
    CpuDouble.assumeHere();
    int m = 3;
    int n = TURN + 3000;
    int row = 1;
    Guarded.Piece y = memory.input(m * n);
    Guarded.Piece index = memory.indexes(n, 100);
    Guarded.Piece w = memory.inOut(new float[m * 100]);
    CpuDouble.watch(7, row); // a block for each column
    device.columns().scatterAdd(m, n, y.buffer(), index.buffer(), w.buffer());
    w.read();
    long[] reads = CpuDouble.reads();
    CpuDouble.watch(-1, 0);
    LongStream.Builder expected = LongStream.builder();
    for (int first = 0; first < n; first += TURN) {
      int under = 0;
      for (int j = first; j < Math.min(n, first + TURN); j++) {
        if (index.index(j) == 7) {
          long place = (long) j * m + row;
          expected.add(y.buffer().segment().address() + place * Float.BYTES);
          under++;
          if (under == AHEAD) {
            expected.add(0);
            under = 0;
          }
        }
      }
      if (under > 0) {
        expected.add(0);
      }
    }
    assertArrayEquals(expected.build().toArray(), reads);
  }

  /** More rows or columns than the card has threads at a time. */
  @ParameterizedTest
  @CsvSource({"40000, 3", "3, 60000", "129, 1000", "1, 100000", "300, 400"})
  void everyValueOfAMatrixIsReachedOnce(int m, int n) {
    Guarded.Piece x = memory.inOut(m * n);
    Guarded.Piece b = memory.input(m);
    Guarded.Piece index = memory.indexes(n, 5);
    Guarded.Piece w = memory.input(5 * m);
    Guarded.Piece gathered = memory.output(m * n);
    Columns columns = device.columns();
    columns.add(m, n, x.buffer(), b.buffer(), x.buffer());
    columns.block(m, n, x.buffer(), m, true, x.buffer(), m);
    columns.gather(m, n, w.buffer(), index.buffer(), null, gathered.buffer());
    float[] doubled = new float[m * n];
    float[] taken = new float[m * n];
    for (int at = 0; at < m * n; at++) {
      doubled[at] = 2 * ((float) x.at(at) + (float) b.at(at % m));
      taken[at] = (float) w.at(index.index(at / m) * m + at % m);
    }
    assertArrayEquals(doubled, x.read());
    assertArrayEquals(taken, gathered.read());
    memory.check();
  }
}
