package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.kernels.KernelDevice;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * However many terms a sum has, in one call or in a thousand, it is off by less than 1e-6 of the
 * sum of their magnitudes. Equal terms are the hardest: a running float sum rounds them all to the
 * same side (a million of 0.1 were 1 % off).
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class SumsTest {
  private static final double ALLOWED = 1e-6;
  private static final int TERMS = 10_000_000;
  private static final int CALLS = 1000;

  /** Kinds of terms, a row each. */
  private static final int KINDS = 3;

  /** The terms of the tests with that many, and their sums, made once. */
  private static float[] many = {};

  private static Exact sums = new Exact(0);

  private final Device device;

  SumsTest(Device device) {
    this.device = device;
  }

  @BeforeAll
  static void make() {
    many = terms(TERMS, 1);
    sums = new Exact(KINDS);
    for (int at = 0; at < many.length; at++) {
      sums.add(at % KINDS, many[at]);
    }
  }

  @AfterAll
  static void drop() {
    many = new float[0];
  }

  /** Equal ones; ones of any magnitude from 2⁻²⁰ to 1; ones of either sign. */
  private static float[] terms(int columns, long seed) {
    Random random = new Random(seed);
    float[] x = new float[KINDS * columns];
    for (int j = 0; j < columns; j++) {
      x[KINDS * j] = 0.1f;
      x[KINDS * j + 1] = Math.scalb(random.nextFloat(), -random.nextInt(20));
      x[KINDS * j + 2] = 2 * random.nextFloat() - 1;
    }
    return x;
  }

  private static final class Exact {
    final double[] sums;
    final double[] magnitudes;

    Exact(int values) {
      sums = new double[values];
      magnitudes = new double[values];
    }

    void add(int at, double x) {
      sums[at] += x;
      magnitudes[at] += Math.abs(x);
    }

    void check(String what, float[] actual) {
      for (int i = 0; i < sums.length; i++) {
        double error = Math.abs(actual[i] - sums[i]) / magnitudes[i];
        assertTrue(error <= ALLOWED, "%s: value %d is %s off".formatted(what, i, error));
      }
    }
  }

  private Buffer buffer(float... values) {
    Buffer buffer = device.allocate(values.length);
    buffer.write(values);
    return buffer;
  }

  private Buffer indexes(int[] index) {
    Buffer buffer = device.allocate(index.length);
    buffer.writeIndexes(index);
    return buffer;
  }

  @Test
  void columnsInOneCall() {
    Buffer y = device.allocate(KINDS);
    device.columns().addSum(KINDS, TERMS, buffer(many), y);
    sums.check("addSum", y.read());
  }

  @Test
  void columnsInAThousandCalls() {
    for (int columns : new int[] {1, 8, 1000}) {
      float[] x = terms(columns, 2);
      Buffer terms = buffer(x);
      Exact exact = new Exact(KINDS);
      Buffer whole = device.allocate(KINDS + 2);
      for (int call = 0; call < CALLS; call++) {
        device.columns().addSum(KINDS, columns, terms, whole.slice(1, KINDS)); // cut again
        for (int at = 0; at < x.length; at++) {
          exact.add(at % KINDS, x[at]);
        }
      }
      exact.check(CALLS + " × " + columns, whole.slice(1, KINDS).read());
    }
  }

  @Test
  void scatteredColumns() {
    int n = Devices.rounds(TERMS); // a thread of a GPU sees every index: the double takes its time
    scattered(n, 1);
    scattered(n / CALLS / 10, CALLS);
  }

  private void scattered(int n, int calls) {
    int classes = 2;
    float[] y = Arrays.copyOf(many, KINDS * n);
    Random random = new Random(4);
    int[] index = new int[n];
    Exact exact = new Exact(KINDS * classes);
    for (int j = 0; j < n; j++) {
      index[j] = random.nextInt(classes);
    }
    for (int call = 0; call < calls; call++) {
      for (int at = 0; at < y.length; at++) {
        exact.add(index[at / KINDS] * KINDS + at % KINDS, y[at]);
      }
    }
    Buffer terms = buffer(y);
    Buffer columns = indexes(index);
    Buffer w = device.allocate((long) KINDS * classes);
    for (int call = 0; call < calls; call++) {
      device.columns().scatterAdd(KINDS, n, terms, columns, w);
    }
    exact.check("scatterAdd, %d calls".formatted(calls), w.read());
  }

  @Test
  void sumsMeansAndNorms() {
    int n = TERMS;
    Exact exact = new Exact(2);
    for (int i = 0; i < n; i++) {
      exact.add(0, many[i]);
      exact.add(1, (double) many[i] * many[i]);
    }
    Buffer values = buffer(Arrays.copyOf(many, n));
    Buffer mean = device.allocate(1);
    Buffer norm = device.allocate(2);
    device.pointwise().sumInto(1f / n, values, n, mean);
    KernelDevice.of(device).updates().squares(false, values, n, norm);
    float sum = (float) device.pointwise().sum(values, n);
    float squares = (float) device.pointwise().sumOfSquares(values, n);
    exact.check("sums", new float[] {sum, squares});
    assertEquals(exact.sums[0] / n, mean.read()[0], ALLOWED * exact.magnitudes[0] / n);
    // both sums are doubles, the reference's in one chain
    assertEquals(exact.sums[1], number(norm.read()), 1e-9 * exact.sums[1]);
  }

  private static double number(float[] words) {
    long low = Float.floatToRawIntBits(words[0]) & 0xFFFFFFFFL;
    return Double.longBitsToDouble(low | (long) Float.floatToRawIntBits(words[1]) << 32);
  }

  @Test
  void theLossOfManyColumns() {
    int n = Devices.rounds(1_000_000);
    float[] x = Arrays.copyOf(many, KINDS * n);
    int[] index = new int[n];
    double exact = 0;
    for (int j = 0; j < n; j++) {
      index[j] = j % KINDS;
      double sum = 0;
      for (int i = 0; i < KINDS; i++) {
        sum += Math.exp(x[KINDS * j + i]);
      }
      exact += (Math.log(sum) - x[KINDS * j + index[j]]) / n;
    }
    Buffer loss = device.allocate(1);
    Buffer p = device.allocate(x.length);
    device.columns().crossEntropy(KINDS, n, buffer(x), indexes(index), p, loss);
    assertEquals(exact, loss.read()[0], ALLOWED * exact);
  }

  /** What a sum lost goes into that sum alone: not into what is written to its place. */
  @Test
  void aSumThatIsZeroedBeginsAnew() {
    float[] x = terms(77, 7);
    Buffer terms = buffer(x);
    Buffer y = device.allocate(KINDS);
    Buffer fresh = device.allocate(KINDS);
    device.columns().addSum(KINDS, 77, terms, fresh);
    for (int round = 0; round < 3; round++) {
      y.write(new float[KINDS]);
      device.columns().addSum(KINDS, 77, terms, y);
      assertArrayEquals(fresh.read(), y.read(), "round " + round);
      y.write(Float.NaN, Float.POSITIVE_INFINITY, -1e30f);
      device.columns().addSum(KINDS, 77, terms, y);
      assertTrue(Float.isNaN(y.read()[0]) && y.read()[1] == Float.POSITIVE_INFINITY);
    }
  }

  @Test
  void manyPlacesOfOneBufferKeepTheirOwn() {
    int places = 300; // more than are remembered
    float[] ones = new float[places];
    Arrays.fill(ones, 1);
    Buffer term = buffer(1f, 1f);
    Buffer y = buffer(ones);
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < places; i++) {
        device.columns().addSum(1, 2, term, y.slice(i, 1));
      }
    }
    Arrays.fill(ones, 7);
    assertArrayEquals(ones, y.read());
  }
}
