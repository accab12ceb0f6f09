package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.device.kernels.KernelDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class BlasTest {
  private static final float[][] FACTORS = {{1, 0}, {1, 1}, {0.5f, 0}, {-2, 0.5f}};

  private final Device device;

  BlasTest(Device device) {
    this.device = device;
  }

  private record Call(
      boolean ta, boolean tb, int m, int n, int k, float alpha, float beta, int gap) {
    int lda() {
      return (ta ? k : m) + gap;
    }

    int ldb() {
      return (tb ? n : k) + gap;
    }

    int ldc() {
      return m + gap;
    }

    int a(int i, int p) {
      return ta ? i * lda() + p : p * lda() + i;
    }

    int b(int p, int j) {
      return tb ? p * ldb() + j : j * ldb() + p;
    }
  }

  /** All small sizes with each other; each large size as row, column, term and square. */
  private static List<int[]> sizes() {
    List<int[]> sizes = new ArrayList<>();
    int[] small = {1, 3, 17, 64};
    for (int m : small) {
      for (int n : small) {
        for (int k : small) {
          sizes.add(new int[] {m, n, k});
        }
      }
    }
    for (int s : new int[] {16, 63, 65, 257}) {
      sizes.add(new int[] {s, 1, s});
      sizes.add(new int[] {1, s, s});
      sizes.add(new int[] {s, s, 1});
      sizes.add(new int[] {s, 3, 17});
      sizes.add(new int[] {3, s, 17});
      sizes.add(new int[] {s, s, s});
    }
    sizes.add(new int[] {401, 1, 350}); // more than a core's cache holds, terms of several pieces
    sizes.add(new int[] {401, 13, 350});
    sizes.add(new int[] {40, 61, 300});
    sizes.add(new int[] {5, 3, 8900}); // terms in parts of 4096
    sizes.add(new int[] {5, 1, 8900});
    sizes.add(new int[] {1, 3, 8900});
    return sizes;
  }

  @Test
  void productEqualsReference() {
    for (int[] size : sizes()) {
      for (int transposes = 0; transposes < 4; transposes++) {
        for (float[] factor : FACTORS) {
          boolean ta = (transposes & 1) != 0;
          boolean tb = (transposes & 2) != 0;
          check(new Call(ta, tb, size[0], size[1], size[2], factor[0], factor[1], 0));
        }
      }
    }
  }

  @Test
  void rowsBeyondTheMatrixAreNeitherReadNorWritten() {
    for (int[] size : sizes()) {
      for (int transposes = 0; transposes < 4; transposes++) {
        boolean ta = (transposes & 1) != 0;
        boolean tb = (transposes & 2) != 0;
        check(new Call(ta, tb, size[0], size[1], size[2], 1, 0, 5));
        check(new Call(ta, tb, size[0], size[1], size[2], 2, 1, 3));
      }
    }
  }

  private void check(Call call) {
    check(call, false);
    if (!call.tb && call.alpha == 1 && (call.beta == 0 || call.beta == 1)) {
      check(call, true);
    }
  }

  /** Either product: that whose columns keep their bits in every batch, or the general one. */
  private void check(Call call, boolean columns) {
    Guarded memory = new Guarded(device, 1);
    Guarded.Piece a = matrix(memory, call.ta ? call.k : call.m, call.ta ? call.m : call.k, call);
    Guarded.Piece b = matrix(memory, call.tb ? call.n : call.k, call.tb ? call.k : call.n, call);
    int length = (call.n - 1) * call.ldc() + call.m;
    Guarded.Piece c = call.beta == 0 ? memory.output(length) : memory.inOut(length);
    double[] expected = c.start();
    double[] magnitude = new double[length];
    for (int j = 0; j < call.n; j++) {
      for (int i = 0; i < call.m; i++) {
        double sum = 0;
        double size = 0;
        for (int p = 0; p < call.k; p++) {
          double term = a.at(call.a(i, p)) * b.at(call.b(p, j));
          sum += term;
          size += Math.abs(term);
        }
        int at = j * call.ldc() + i;
        double old = call.beta == 0 ? 0 : call.beta * c.at(at);
        expected[at] = call.alpha * sum + old;
        magnitude[at] = Math.abs(call.alpha) * size + Math.abs(old);
      }
    }
    if (columns) {
      multiplyColumns(call, a.buffer(), b.buffer(), c.buffer());
    } else {
      multiply(call, a.buffer(), b.buffer(), c.buffer());
    }
    // k + 3 roundings of at most half an ulp each, on the sum of magnitudes
    Near.check(call.toString(), expected, magnitude, c.read(), (call.k + 3) * 0x1p-24);
    memory.check();
  }

  /** Rows beyond the matrix, below the leading dimension, are not-a-numbers. */
  private static Guarded.Piece matrix(Guarded memory, int rows, int columns, Call call) {
    int leading = rows + call.gap;
    float[] values = memory.floats((columns - 1) * leading + rows);
    for (int i = 0; i < values.length; i++) {
      if (i % leading >= rows) {
        values[i] = Float.NaN;
      }
    }
    return memory.input(values);
  }

  private void multiplyColumns(Call call, Buffer a, Buffer b, Buffer c) {
    KernelDevice.of(device)
        .blas()
        .multiplyColumns(
            call.ta,
            call.m,
            call.n,
            call.k,
            a,
            call.lda(),
            b,
            call.ldb(),
            call.beta,
            c,
            call.ldc());
  }

  private void multiply(Call call, Buffer a, Buffer b, Buffer c) {
    KernelDevice.of(device)
        .blas()
        .multiply(
            call.ta,
            call.tb,
            call.m,
            call.n,
            call.k,
            call.alpha,
            a,
            call.lda(),
            b,
            call.ldb(),
            call.beta,
            c,
            call.ldc());
  }

  @Test
  void aNotANumberReachesItsRowAndNoOther() {
    int[][] routes = {{17, 5, 9}, {17, 1, 9}, {1, 17, 9}, {17, 5, 1}};
    for (int[] size : routes) {
      for (int transposes = 0; transposes < 4; transposes++) {
        boolean ta = (transposes & 1) != 0;
        boolean tb = (transposes & 2) != 0;
        Call call = new Call(ta, tb, size[0], size[1], size[2], 1, 1, 0);
        Guarded memory = new Guarded(device, 2);
        float[] values = memory.floats(call.m * call.k);
        values[call.a(0, call.k - 1)] = Float.NaN;
        Guarded.Piece a = memory.input(values);
        Guarded.Piece b = memory.input(call.k * call.n);
        Guarded.Piece c = memory.inOut(call.m * call.n);
        multiply(call, a.buffer(), b.buffer(), c.buffer());
        float[] product = c.read();
        for (int i = 0; i < product.length; i++) {
          assertEquals(i % call.m == 0, Float.isNaN(product[i]), call + " value " + i);
        }
        memory.check();
      }
    }
  }

  @Test
  void theSameProductTwiceGivesTheSameBits() {
    Call call = new Call(false, true, 257, 65, 63, 1, 0, 0);
    Guarded memory = new Guarded(device, 3);
    Guarded.Piece a = memory.input(call.m * call.k);
    Guarded.Piece b = memory.input(call.k * call.n);
    Guarded.Piece first = memory.output(call.m * call.n);
    Guarded.Piece second = memory.output(call.m * call.n);
    multiply(call, a.buffer(), b.buffer(), first.buffer());
    multiply(call, a.buffer(), b.buffer(), second.buffer());
    assertArrayEquals(first.read(), second.read());
  }
}
