package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Near;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ColumnsTest {
  /** One rounding of a value below 4, or a few of smaller ones. */
  private static final double ROUNDING = 0x1p-22;

  private final Device device;
  private final Columns columns;
  private Guarded memory;

  ColumnsTest(Device device) {
    this.device = device;
    this.columns = device.columns();
  }

  @BeforeEach
  void fresh() {
    memory = new Guarded(device, 5);
  }

  /** Rows and columns: small ones with each other, large ones with 3. */
  static List<int[]> sizes() {
    List<int[]> sizes = new ArrayList<>();
    for (int m : new int[] {1, 3, 17, 64}) {
      for (int n : new int[] {1, 3, 17, 64}) {
        sizes.add(new int[] {m, n});
      }
    }
    for (int large : new int[] {16, 63, 65, 257, 2049}) {
      sizes.add(new int[] {large, 3});
      sizes.add(new int[] {3, large});
    }
    return sizes;
  }

  private interface Value {
    double at(int i, int j);
  }

  private void check(String what, int m, int n, Value expected, Guarded.Piece actual, double ulps) {
    double[] values = new double[m * n];
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < m; i++) {
        values[j * m + i] = expected.at(i, j);
      }
    }
    Near.check(what + " " + m + "×" + n, values, actual.read(), ulps);
    memory.check();
  }

  @Test
  void addAddsTheVectorToEveryColumn() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece x = memory.input(m * n);
      Guarded.Piece b = memory.input(m);
      Guarded.Piece y = memory.output(m * n);
      Guarded.Piece both = memory.inOut(m * n);
      columns.add(m, n, x.buffer(), b.buffer(), y.buffer());
      columns.add(m, n, both.buffer(), b.buffer(), both.buffer());
      check("add", m, n, (i, j) -> x.at(j * m + i) + b.at(i), y, ROUNDING);
      check("add in place", m, n, (i, j) -> both.at(j * m + i) + b.at(i), both, ROUNDING);
    }
  }

  @Test
  void addSumAddsTheColumnsToTheOutput() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece x = memory.input(m * n);
      Guarded.Piece y = memory.inOut(m);
      columns.addSum(m, n, x.buffer(), y.buffer());
      double[] expected = y.start();
      double[] magnitude = new double[m];
      for (int i = 0; i < m; i++) {
        magnitude[i] = Math.abs(y.at(i));
        for (int j = 0; j < n; j++) {
          expected[i] += x.at(j * m + i);
          magnitude[i] += Math.abs(x.at(j * m + i));
        }
      }
      // 15 roundings of half an ulp in a block, one of the sum, on the sum of magnitudes
      Near.check("addSum " + m + "×" + n, expected, magnitude, y.read(), 16 * 0x1p-24);
      memory.check();
    }
  }

  @Test
  void repeatGivesTheVectorInEveryColumn() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece b = memory.input(m);
      Guarded.Piece y = memory.output(m * n);
      columns.repeat(m, n, b.buffer(), y.buffer());
      check("repeat", m, n, (i, j) -> b.at(i), y, 0);
    }
  }

  @Test
  void blockCopiesRowsBetweenTallerMatrices() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      int ldx = m + 2;
      int ldy = m + 5;
      Guarded.Piece x = memory.input((n - 1) * ldx + m);
      Guarded.Piece y = memory.inOut((n - 1) * ldy + m);
      columns.block(m, n, x.buffer(), ldx, false, y.buffer(), ldy);
      double[] expected = y.start();
      for (int at = 0; at < expected.length; at++) {
        expected[at] = at % ldy < m ? x.at(at / ldy * ldx + at % ldy) : expected[at];
      }
      Near.check("block " + m + "×" + n, expected, y.read(), 0);
      memory.check();
    }
  }

  @Test
  void blockAddsRowsBetweenTallerMatrices() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      int ldx = m + 3;
      Guarded.Piece x = memory.input((n - 1) * ldx + m);
      Guarded.Piece y = memory.inOut(m * n);
      columns.block(m, n, x.buffer(), ldx, true, y.buffer(), m);
      check("block", m, n, (i, j) -> y.at(j * m + i) + x.at(j * ldx + i), y, ROUNDING);
    }
  }

  @Test
  void gatherTakesTheIndexedColumns() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      int k = 7;
      Guarded.Piece w = memory.input(m * k);
      Guarded.Piece index = memory.indexes(n, k);
      Guarded.Piece b = memory.input(m);
      Guarded.Piece bare = memory.output(m * n);
      Guarded.Piece biased = memory.output(m * n);
      columns.gather(m, n, w.buffer(), index.buffer(), null, bare.buffer());
      columns.gather(m, n, w.buffer(), index.buffer(), b.buffer(), biased.buffer());
      check("gather", m, n, (i, j) -> w.at(index.index(j) * m + i), bare, 0);
      check("gather b", m, n, (i, j) -> w.at(index.index(j) * m + i) + b.at(i), biased, ROUNDING);
    }
  }

  @Test
  void scatterAddSumsWhereIndexesRepeat() {
    for (int[] size : sizes()) {
      int m = size[0];
      int n = size[1];
      int k = 5;
      Guarded.Piece y = memory.input(m * n);
      Guarded.Piece index = memory.indexes(n, k);
      Guarded.Piece w = memory.inOut(m * k);
      columns.scatterAdd(m, n, y.buffer(), index.buffer(), w.buffer());
      double[] expected = w.start();
      double[] magnitude = new double[m * k];
      for (int at = 0; at < m * k; at++) {
        magnitude[at] = Math.abs(expected[at]);
      }
      for (int j = 0; j < n; j++) {
        for (int i = 0; i < m; i++) {
          int at = index.index(j) * m + i;
          expected[at] += y.at(j * m + i);
          magnitude[at] += Math.abs(y.at(j * m + i));
        }
      }
      // Kahan's bound on the sum of magnitudes
      Near.check("scatterAdd " + m + "×" + n, expected, magnitude, w.read(), 4 * 0x1p-24);
      memory.check();
    }
  }

  @Test
  void scatterAddKeepsWhatAFloatRoundsAway() {
    Guarded.Piece y = memory.input(0x1p24f, 1, 1);
    Guarded.Piece index = memory.indexes(3, 1);
    Guarded.Piece w = memory.inOut(0f);
    columns.scatterAdd(1, 3, y.buffer(), index.buffer(), w.buffer());
    assertArrayEquals(new float[] {0x1p24f + 2}, w.read()); // a running float would stay at 2²⁴
  }

  @Test
  void manyColumnsAreAddedEachInItsPlace() {
    int n = 20_000;
    for (int k : new int[] {3, 30_000}) {
      Guarded.Piece y = memory.input(2 * n);
      Guarded.Piece index = memory.indexes(n, k);
      Guarded.Piece w = memory.inOut(new float[2 * k]);
      columns.scatterAdd(2, n, y.buffer(), index.buffer(), w.buffer());
      double[] expected = new double[2 * k];
      double[] magnitude = new double[2 * k];
      for (int at = 0; at < 2 * n; at++) {
        int to = 2 * index.index(at / 2) + at % 2;
        expected[to] += y.at(at);
        magnitude[to] += Math.abs(y.at(at));
      }
      Near.check("k=" + k, expected, magnitude, w.read(), 4 * 0x1p-24); // Kahan's bound
      memory.check();
    }
  }

  @Test
  void theSumOfManyColumnsKeepsItsDigits() {
    int n = 20_000;
    Guarded.Piece x = memory.input(33 * n);
    Guarded.Piece y = memory.inOut(33);
    columns.addSum(33, n, x.buffer(), y.buffer());
    double[] expected = y.start();
    double[] magnitude = new double[33];
    for (int at = 0; at < 33 * n; at++) {
      expected[at % 33] += x.at(at);
      magnitude[at % 33] += Math.abs(x.at(at));
    }
    Near.check("addSum", expected, magnitude, y.read(), 1e-6);
    memory.check();
  }

  @Test
  void aNotANumberStaysInItsRow() {
    float[] values = memory.floats(3 * 17);
    values[3 * 16 + 1] = Float.NaN;
    Guarded.Piece x = memory.input(values);
    Guarded.Piece sum = memory.inOut(0f, 0f, 0f);
    columns.addSum(3, 17, x.buffer(), sum.buffer());
    float[] sums = sum.read();
    assertArrayEquals(
        new boolean[] {false, true, false},
        new boolean[] {Float.isNaN(sums[0]), Float.isNaN(sums[1]), Float.isNaN(sums[2])});
    memory.check();
  }
}
