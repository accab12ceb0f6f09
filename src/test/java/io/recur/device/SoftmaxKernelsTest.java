package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.Reference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Softmax, its logarithm and cross-entropy on columns. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class SoftmaxKernelsTest {
  /** Two ulp of the exponential and three roundings. */
  private static final double RELATIVE = 4e-7;

  private final Device device;
  private final Columns columns;
  private Guarded memory;

  SoftmaxKernelsTest(Device device) {
    this.device = device;
    this.columns = device.columns();
  }

  @BeforeEach
  void fresh() {
    memory = new Guarded(device, 6);
  }

  private static double[] softmax(double[] x, int m) {
    return Reference.map(Reference.logSoftmax(x, m), Math::exp);
  }

  private Guarded.Piece input(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return memory.input(floats);
  }

  @Test
  void softmaxEqualsReference() {
    for (int[] size : ColumnsTest.sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece x = memory.input(m * n);
      Guarded.Piece y = memory.output(m * n);
      Guarded.Piece both = memory.inOut(m * n);
      columns.softmax(m, n, false, x.buffer(), y.buffer());
      columns.softmax(m, n, false, both.buffer(), both.buffer());
      double[] expected = softmax(x.start(), m);
      Near.check("softmax " + m + "×" + n, expected, expected, y.read(), RELATIVE);
      double[] there = softmax(both.start(), m);
      Near.check("softmax in place " + m + "×" + n, there, there, both.read(), RELATIVE);
      memory.check();
    }
  }

  @Test
  void logSoftmaxEqualsReference() {
    for (int[] size : ColumnsTest.sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece x = memory.input(m * n);
      Guarded.Piece y = memory.output(m * n);
      columns.softmax(m, n, true, x.buffer(), y.buffer());
      double[] expected = Reference.logSoftmax(x.start(), m);
      Near.check("logSoftmax " + m + "×" + n, expected, y.read(), RELATIVE);
      memory.check();
    }
  }

  @Test
  void largeScoresNeitherOverflowNorVanish() {
    float[] scores = {-1000, 999, 1000, 3e38f, 1e38f, -3e38f, -500, -500, -501};
    double[] exact = new double[9];
    for (int i = 0; i < 9; i++) {
      exact[i] = scores[i];
    }
    Guarded.Piece x = memory.input(scores);
    Guarded.Piece p = memory.output(9);
    Guarded.Piece l = memory.output(9);
    columns.softmax(3, 3, false, x.buffer(), p.buffer());
    columns.softmax(3, 3, true, x.buffer(), l.buffer());
    Near.check("softmax", softmax(exact, 3), p.read(), RELATIVE);
    double[] logarithms = Reference.logSoftmax(exact, 3);
    logarithms[5] = Double.NEGATIVE_INFINITY; // −6e38 is beyond float
    Near.check("logSoftmax", logarithms, l.read(), RELATIVE);
    memory.check();
  }

  @Test
  void theLargestScoreMayStandAnywhere() {
    int m = 9;
    float[] scores = new float[m * m];
    double[] expected = new double[m * m];
    for (int i = 0; i < m; i++) {
      scores[i * m + i] = 500; // e⁵⁰⁰ is beyond float
      expected[i * m + i] = 1;
    }
    Guarded.Piece x = memory.input(scores);
    Guarded.Piece y = memory.output(m * m);
    columns.softmax(m, m, false, x.buffer(), y.buffer());
    Near.check("softmax", expected, y.read(), RELATIVE);
    memory.check();
  }

  @Test
  void columnsSumToOne() {
    Guarded.Piece x = memory.input(257 * 3);
    Guarded.Piece y = memory.output(257 * 3);
    columns.softmax(257, 3, false, x.buffer(), y.buffer());
    for (int j = 0; j < 3; j++) {
      double sum = device.pointwise().sum(y.buffer().slice(j * 257L, 257), 257);
      assertEquals(1, sum, RELATIVE);
    }
  }

  @Test
  void aNotANumberSpoilsItsColumnAlone() {
    float[] values = memory.floats(3 * 5);
    values[7] = Float.NaN;
    Guarded.Piece x = memory.input(values);
    for (boolean logarithm : new boolean[] {false, true}) {
      Guarded.Piece y = memory.output(15);
      columns.softmax(3, 5, logarithm, x.buffer(), y.buffer());
      float[] result = y.read();
      for (int i = 0; i < 15; i++) {
        assertEquals(i / 3 == 2, Float.isNaN(result[i]), "value " + i);
      }
    }
    memory.check();
  }

  @Test
  void theDerivativesAddTheJacobianTransposed() {
    for (boolean logarithm : new boolean[] {false, true}) {
      for (int[] size : ColumnsTest.sizes()) {
        int m = size[0];
        int n = size[1];
        Guarded.Piece x = memory.input(m * n);
        double[] p = softmax(x.start(), m);
        Guarded.Piece y = input(logarithm ? Reference.logSoftmax(x.start(), m) : p);
        Guarded.Piece dy = memory.input(m * n);
        Guarded.Piece dx = memory.inOut(m * n);
        columns.addSoftmaxDerivative(m, n, logarithm, y.buffer(), dy.buffer(), dx.buffer());
        double[] expected = dx.start();
        double[] magnitude = new double[m * n];
        for (int j = 0; j < n; j++) {
          for (int i = 0; i < m; i++) {
            int at = j * m + i;
            magnitude[at] = Math.abs(expected[at]);
            for (int r = 0; r < m; r++) {
              int row = j * m + r;
              double same = r == i ? 1 : 0;
              double derivative = logarithm ? same - p[at] : p[row] * (same - p[at]);
              expected[at] += derivative * dy.at(row);
              magnitude[at] += Math.abs(derivative * dy.at(row));
            }
          }
        }
        // the sum of dy in double, then few roundings on the sum of magnitudes
        String what = (logarithm ? "logSoftmax " : "softmax ") + m + "×" + n;
        Near.check(what, expected, magnitude, dx.read(), 2e-6);
        memory.check();
      }
    }
  }

  @Test
  void crossEntropyIsTheMeanOverColumns() {
    for (int[] size : ColumnsTest.sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece x = memory.input(m * n);
      Guarded.Piece index = memory.indexes(n, m);
      Guarded.Piece p = memory.output(m * n);
      Guarded.Piece loss = memory.output(1);
      columns.crossEntropy(m, n, x.buffer(), index.buffer(), p.buffer(), loss.buffer());
      double[] logarithms = Reference.logSoftmax(x.start(), m);
      double expected = 0;
      for (int j = 0; j < n; j++) {
        expected -= logarithms[j * m + index.index(j)] / n;
      }
      double[] shares = softmax(x.start(), m);
      Near.check("p " + m + "×" + n, shares, shares, p.read(), RELATIVE);
      Near.check("loss " + m + "×" + n, new double[] {expected}, loss.read(), RELATIVE);
      memory.check();
    }
  }

  @Test
  void crossEntropyOfAHopelessScoreIsFinite() {
    Guarded.Piece x = memory.input(1000, -1000);
    Guarded.Piece index = memory.input(Float.intBitsToFloat(1));
    Guarded.Piece p = memory.output(2);
    Guarded.Piece loss = memory.output(1);
    columns.crossEntropy(2, 1, x.buffer(), index.buffer(), p.buffer(), loss.buffer());
    assertArrayEquals(new float[] {2000}, loss.read());
    assertTrue(p.read()[1] == 0);
  }

  @Test
  void crossEntropyDerivativeIsShareMinusTarget() {
    for (int[] size : ColumnsTest.sizes()) {
      int m = size[0];
      int n = size[1];
      Guarded.Piece p = input(softmax(memory.input(m * n).start(), m));
      Guarded.Piece index = memory.indexes(n, m);
      Guarded.Piece dloss = memory.input(-3f);
      Guarded.Piece dx = memory.inOut(m * n);
      columns.addCrossEntropyDerivative(
          m, n, p.buffer(), index.buffer(), dloss.buffer(), dx.buffer());
      double[] expected = dx.start();
      for (int at = 0; at < m * n; at++) {
        double target = index.index(at / m) == at % m ? 1 : 0;
        expected[at] += -3.0 / n * (p.at(at) - target);
      }
      Near.check(m + "×" + n, expected, dx.read(), RELATIVE);
      memory.check();
    }
  }
}
