package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.device.kernels.Band;
import io.recur.device.kernels.KernelDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Stacked band matrices, against the same matrices written out. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class BandsTest {
  /** At most 4·5 + 2 roundings of half an ulp of sums below 60; for gradients see there. */
  private static final double TOLERANCE = 3e-6;

  private final Device device;

  BandsTest(Device device) {
    this.device = device;
  }

  private record Size(int bandwidth, int n, int blocks, int columns) {
    int rows() {
      return blocks * n;
    }

    Band band() {
      return new Band(bandwidth, n, blocks);
    }

    int stored() {
      return band().stored();
    }

    /** Where W[row, column] is stored, or −1 where it is zero. */
    int at(int row, int column) {
      int d = column - row % n;
      if (Math.abs(d) > bandwidth) {
        return -1;
      }
      int at = row / n * band().storedPerBlock();
      for (int lower = -bandwidth; lower < d; lower++) {
        at += n - Math.abs(lower);
      }
      return at + Math.min(row % n, column);
    }
  }

  private static List<Size> sizes() {
    List<Size> sizes = new ArrayList<>();
    for (int n : new int[] {1, 3, 16, 17, 63, 64, 65, 257}) {
      for (int bandwidth : n < 3 ? new int[] {0, 1} : new int[] {0, 1, 2}) {
        for (int blocks : new int[] {1, 3, 4}) {
          for (int columns : new int[] {1, 5}) {
            sizes.add(new Size(bandwidth, n, blocks, columns));
          }
        }
      }
    }
    return sizes;
  }

  @Test
  void storedCountsTheDiagonals() {
    assertEquals(5, new Band(0, 5, 1).stored());
    assertEquals(4 + 5 + 4, new Band(1, 5, 1).stored());
    assertEquals(3 + 4 + 5 + 4 + 3, new Band(2, 5, 1).stored());
    assertEquals(1, new Band(1, 1, 1).stored());
    assertEquals(3 * (4 + 5 + 4), new Band(1, 5, 3).stored());
  }

  @Test
  void productEqualsTheDenseOne() {
    for (Size size : sizes()) {
      for (float beta : new float[] {0, 1, -0.5f}) {
        int ldy = size.rows() + 2;
        int length = (size.columns - 1) * ldy + size.rows();
        Guarded memory = new Guarded(device, 1);
        Guarded.Piece w = memory.input(size.stored());
        Guarded.Piece x = memory.input(size.n * size.columns);
        Guarded.Piece y = beta == 0 ? memory.output(length) : memory.inOut(length);
        KernelDevice.of(device)
            .bands()
            .multiply(size.band(), w.buffer(), x.buffer(), size.columns, beta, y.buffer(), ldy);
        double[] expected = y.start();
        for (int j = 0; j < size.columns; j++) {
          for (int row = 0; row < size.rows(); row++) {
            double sum = beta == 0 ? 0 : beta * expected[j * ldy + row];
            for (int column = 0; column < size.n; column++) {
              int at = size.at(row, column);
              sum += at < 0 ? 0 : w.at(at) * x.at(j * size.n + column);
            }
            expected[j * ldy + row] = sum;
          }
        }
        Near.check(size + " beta=" + beta, expected, y.read(), TOLERANCE);
        memory.check();
      }
    }
  }

  @Test
  void transposedProductEqualsTheDenseOne() {
    for (Size size : sizes()) {
      for (float beta : new float[] {0, 1, -0.5f}) {
        int lddy = size.rows() + 3;
        Guarded memory = new Guarded(device, 2);
        Guarded.Piece w = memory.input(size.stored());
        Guarded.Piece dy = memory.input((size.columns - 1) * lddy + size.rows());
        int length = size.n * size.columns;
        Guarded.Piece dx = beta == 0 ? memory.output(length) : memory.inOut(length);
        KernelDevice.of(device)
            .bands()
            .multiplyTransposed(
                size.band(), w.buffer(), dy.buffer(), lddy, size.columns, beta, dx.buffer());
        double[] expected = new double[length];
        for (int j = 0; j < size.columns; j++) {
          for (int column = 0; column < size.n; column++) {
            double sum = beta == 0 ? 0 : beta * dx.at(j * size.n + column);
            for (int row = 0; row < size.rows(); row++) {
              int at = size.at(row, column);
              sum += at < 0 ? 0 : w.at(at) * dy.at(j * lddy + row);
            }
            expected[j * size.n + column] = sum;
          }
        }
        Near.check(size + " beta=" + beta, expected, dx.read(), TOLERANCE);
        memory.check();
      }
    }
  }

  @Test
  void gradientIsAddedOnTheStoredDiagonalsAlone() {
    for (Size size : sizes()) {
      int lddy = size.rows() + 1;
      Guarded memory = new Guarded(device, 3);
      Guarded.Piece dy = memory.input((size.columns - 1) * lddy + size.rows());
      Guarded.Piece x = memory.input(size.n * size.columns);
      Guarded.Piece dw = memory.inOut(size.stored());
      KernelDevice.of(device)
          .bands()
          .addGradient(size.band(), dy.buffer(), lddy, x.buffer(), size.columns, dw.buffer());
      double[] expected = dw.start();
      for (int row = 0; row < size.rows(); row++) {
        for (int column = 0; column < size.n; column++) {
          int at = size.at(row, column);
          for (int j = 0; j < size.columns && at >= 0; j++) {
            expected[at] += dy.at(j * lddy + row) * x.at(j * size.n + column);
          }
        }
      }
      Near.check(size.toString(), expected, dw.read(), TOLERANCE); // six terms of at most 4
      memory.check();
    }
  }
}
