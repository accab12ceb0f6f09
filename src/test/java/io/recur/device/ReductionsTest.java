package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.device.cpu.CpuDevice;
import io.recur.device.cpu.Kernels;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Reduction;
import io.recur.device.kernels.Reductions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Each reduction over each dimension, and its derivative, against the same in double precision. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ReductionsTest {
  /** One rounding of a value below 4, or of one that is larger, by its own size. */
  private static final double ROUNDING = 0x1p-22;

  /** Of a derivative: also one each of a factor, a deviation below 4 and their product below 8. */
  private static final double DERIVATIVE = 0x1p-21;

  private static final int[] SIZES = {1, 3, 16, 17, 63, 64, 65, 257};

  private final Device device;
  private final Reductions reductions;
  private Guarded memory;

  ReductionsTest(Device device) {
    this.device = device;
    this.reductions = KernelDevice.of(device).reductions();
  }

  @BeforeEach
  void fresh() {
    memory = new Guarded(device, 6);
  }

  /** One reduction of m×n×t values over a dimension. */
  private record Case(Reduction r, Dimension d, int m, int n, int t) {
    int count() {
      return m * n * t;
    }

    int length() {
      return d.length(m, n, t);
    }

    int results() {
      return count() / length();
    }

    /** Where value l of the run behind result i is. */
    int at(int i, int l) {
      int stride = d.stride(m, n, t);
      return i / stride * stride * length() + l * stride + i % stride;
    }

    double[] run(double[] x, int i) {
      double[] run = new double[length()];
      for (int l = 0; l < run.length; l++) {
        run[l] = x[at(i, l)];
      }
      return run;
    }
  }

  /** Each size in each place, with small ones in the others. */
  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (Reduction r : Reduction.values()) {
      for (Dimension d : Dimension.values()) {
        for (int size : SIZES) {
          cases.add(new Case(r, d, size, 3, 2));
          cases.add(new Case(r, d, 5, size, 2));
          cases.add(new Case(r, d, 2, 3, size));
          cases.add(new Case(r, d, size, 1, 1));
        }
      }
    }
    return cases;
  }

  private static double mean(double[] x) {
    return Arrays.stream(x).average().orElseThrow();
  }

  private static double exact(Reduction r, double[] x) {
    return switch (r) {
      case SUM -> Arrays.stream(x).sum();
      case MEAN -> mean(x);
      case MAX -> Arrays.stream(x).max().orElseThrow();
      case VARIANCE -> Arrays.stream(x).map(v -> (v - mean(x)) * (v - mean(x))).sum() / x.length;
    };
  }

  private static double derivative(Reduction r, double[] x, int l) {
    return switch (r) {
      case SUM -> 1;
      case MEAN -> 1.0 / x.length;
      case MAX -> {
        double top = exact(r, x);
        yield x[l] == top ? 1.0 / Arrays.stream(x).filter(v -> v == top).count() : 0;
      }
      case VARIANCE -> 2 * (x[l] - mean(x)) / x.length;
    };
  }

  private void reduce(Case c, Buffer x, Buffer y) {
    reductions.reduce(c.r, c.d, c.m, c.n, c.t, x, y);
  }

  /** Multiples of 1/4, so that there are ties. */
  private float[] values(int n) {
    float[] values = memory.floats(n);
    for (int i = 0; i < n; i++) {
      values[i] = Math.round(4 * values[i]) / 4f;
    }
    return values;
  }

  @Test
  void eachReductionEqualsTheSameInDouble() {
    for (Case c : cases()) {
      fresh();
      Guarded.Piece x = memory.input(c.count());
      Guarded.Piece y = memory.output(c.results());
      reduce(c, x.buffer(), y.buffer());
      double[] expected = new double[c.results()];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = exact(c.r, c.run(x.start(), i));
      }
      Near.check(c.toString(), expected, y.read(), ROUNDING);
      memory.check();
    }
  }

  @Test
  void eachDerivativeEqualsTheSameInDouble() {
    for (Case c : cases()) {
      fresh();
      Guarded.Piece x = memory.input(values(c.count()));
      Guarded.Piece y = memory.output(c.results());
      Guarded.Piece dy = memory.input(c.results());
      Guarded.Piece dx = memory.inOut(c.count());
      reduce(c, x.buffer(), y.buffer());
      reductions.addDerivative(
          c.r, c.d, c.m, c.n, c.t, x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
      double[] expected = dx.start();
      for (int i = 0; i < c.results(); i++) {
        double[] run = c.run(x.start(), i);
        for (int l = 0; l < run.length; l++) {
          expected[c.at(i, l)] += dy.at(i) * derivative(c.r, run, l);
        }
      }
      Near.check(c.toString(), expected, dx.read(), DERIVATIVE);
      memory.check();
    }
  }

  @Test
  void addSumAddsToTheOutput() {
    for (Case c : cases()) {
      fresh();
      if (c.r == Reduction.SUM) {
        Guarded.Piece x = memory.input(c.count());
        Guarded.Piece y = memory.inOut(c.results());
        reductions.addSum(c.d, c.m, c.n, c.t, x.buffer(), y.buffer());
        double[] expected = y.start();
        for (int i = 0; i < expected.length; i++) {
          expected[i] += exact(c.r, c.run(x.start(), i));
        }
        Near.check(c.toString(), expected, y.read(), ROUNDING);
        memory.check();
      }
    }
  }

  /** A float at 2²⁴ does not hold what one call adds. */
  @Test
  void lastingMemoryKeepsWhatAFloatRoundsAway() {
    for (Dimension d : Dimension.values()) {
      Buffer x = device.allocate(64);
      x.write(values(64, i -> 0.25f / d.length(2, 4, 8)));
      Buffer y = device.allocate(64 / d.length(2, 4, 8));
      float[] start = values((int) y.floats(), i -> 0x1p24f);
      y.write(start);
      for (int call = 0; call < 400; call++) {
        reductions.addSum(d, 2, 4, 8, x, y);
      }
      assertArrayEquals(values(start.length, i -> 0x1p24f + 100), y.read(), d.toString());
    }
  }

  private interface Value {
    float at(int i);
  }

  private static float[] values(int n, Value value) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = value.at(i);
    }
    return values;
  }

  /** One rounding of half an ulp of the result, and the deviations' two of 2⁻²⁴ each. */
  @Test
  void aLargeMeanCostsNoDigits() {
    for (Dimension d : Dimension.values()) {
      Case c = new Case(Reduction.VARIANCE, d, 257, 129, 65);
      Random random = new Random(3);
      Guarded.Piece x = memory.input(values(c.count(), i -> (float) (1e4 + random.nextGaussian())));
      Guarded.Piece y = memory.output(c.results());
      Guarded.Piece dy = memory.input(values(c.results(), i -> c.length()));
      Guarded.Piece dx = memory.inOut(values(c.count(), i -> 0));
      reduce(c, x.buffer(), y.buffer());
      reductions.addDerivative(
          c.r, d, c.m, c.n, c.t, x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
      double[] variances = new double[c.results()];
      double[] derivatives = new double[c.count()];
      double[] values = x.start();
      for (int i = 0; i < variances.length; i++) {
        double[] run = c.run(values, i);
        double mean = mean(run);
        variances[i] = exact(c.r, run);
        for (int l = 0; l < run.length; l++) {
          derivatives[c.at(i, l)] = 2 * (run[l] - mean);
        }
      }
      Near.check("variance over " + d, variances, y.read(), 3 * 0x1p-24);
      Near.check("its derivative over " + d, derivatives, dx.read(), 4 * 0x1p-24);
      memory.check();
    }
  }

  /** Alone, first, last, in a tall or a flat neighbourhood: the same values, the same bits. */
  @Test
  void theBitsOfAResultDependOnItsOwnValuesAlone() {
    for (Case c : cases()) {
      fresh();
      Guarded.Piece x = memory.input(values(c.count()));
      Guarded.Piece y = memory.output(c.results());
      Guarded.Piece dy = memory.input(c.results());
      Guarded.Piece dx = memory.inOut(values(c.count(), i -> 0.1f));
      reduce(c, x.buffer(), y.buffer());
      reductions.addDerivative(
          c.r, c.d, c.m, c.n, c.t, x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
      for (int i : new int[] {0, c.results() / 2, c.results() - 1}) {
        Case alone = alone(c);
        Guarded.Piece run = memory.input(values(c.length(), l -> (float) x.at(c.at(i, l))));
        Guarded.Piece one = memory.output(1);
        Guarded.Piece up = memory.input((float) dy.at(i));
        Guarded.Piece derivatives = memory.inOut(values(c.length(), l -> 0.1f));
        reduce(alone, run.buffer(), one.buffer());
        reductions.addDerivative(
            c.r,
            c.d,
            alone.m,
            alone.n,
            alone.t,
            run.buffer(),
            one.buffer(),
            up.buffer(),
            derivatives.buffer());
        float[] all = dx.read();
        assertArrayEquals(new float[] {y.read()[i]}, one.read(), c + " result " + i);
        assertArrayEquals(
            values(c.length(), l -> all[c.at(i, l)]), derivatives.read(), c + " derivative " + i);
      }
    }
  }

  /** The same reduction of one run. */
  private static Case alone(Case c) {
    IntUnaryOperator size = d -> c.d.ordinal() == d ? c.length() : 1;
    return new Case(c.r, c.d, size.applyAsInt(0), size.applyAsInt(1), size.applyAsInt(2));
  }

  @Test
  void theNumberOfThreadsChangesNoBit() {
    Devices.onlyOnCpu("a GPU has no number of threads to choose");
    for (Kernels.InstructionSet set : Kernels.present()) {
      for (Reduction r : Reduction.values()) {
        for (Dimension d : Dimension.values()) {
          Case c = new Case(r, d, 129, 65, 33);
          float[] one;
          try (Device alone = new CpuDevice(set, 1)) {
            one = answers(alone, c);
          }
          try (Device team = new CpuDevice(set, 4)) {
            assertArrayEquals(one, answers(team, c), set + " " + c);
          }
        }
      }
    }
  }

  /** The results, then the derivative. */
  private static float[] answers(Device device, Case c) {
    Guarded memory = new Guarded(device, 8);
    Guarded.Piece x = memory.input(c.count());
    Guarded.Piece y = memory.output(c.results());
    Guarded.Piece dx = memory.inOut(c.count());
    Reductions reductions = KernelDevice.of(device).reductions();
    reductions.reduce(c.r, c.d, c.m, c.n, c.t, x.buffer(), y.buffer());
    reductions.addDerivative(
        c.r, c.d, c.m, c.n, c.t, x.buffer(), y.buffer(), y.buffer(), dx.buffer());
    float[] all = Arrays.copyOf(y.read(), c.results() + c.count());
    System.arraycopy(dx.read(), 0, all, c.results(), c.count());
    return all;
  }

  /** As in PyTorch: the result is not a number, and so is the maximum's whole gradient. */
  @Test
  void aNotANumberShowsInItsOwnResultAlone() {
    for (Case c : cases()) {
      fresh();
      float[] values = memory.floats(c.count());
      int place = c.count() / 2;
      values[place] = Float.NaN;
      Guarded.Piece x = memory.input(values);
      Guarded.Piece y = memory.output(c.results());
      Guarded.Piece dy = memory.input(c.results());
      Guarded.Piece dx = memory.inOut(c.count());
      reduce(c, x.buffer(), y.buffer());
      reductions.addDerivative(
          c.r, c.d, c.m, c.n, c.t, x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
      float[] results = y.read();
      float[] derivatives = dx.read();
      for (int i = 0; i < results.length; i++) {
        boolean isOurs = false;
        for (int l = 0; l < c.length(); l++) {
          isOurs |= c.at(i, l) == place;
        }
        assertTrue(isOurs == Float.isNaN(results[i]), c + " result " + i + ": " + results[i]);
        boolean spreads = isOurs && (c.r == Reduction.MAX || c.r == Reduction.VARIANCE);
        for (int l = 0; l < c.length(); l++) {
          assertTrue(spreads == Float.isNaN(derivatives[c.at(i, l)]), c + " derivative " + i);
        }
      }
    }
  }

  @Test
  void infinitiesAreTheLargestAndTheSmallest() {
    for (Dimension d : Dimension.values()) {
      Case c = new Case(Reduction.MAX, d, 20, 20, 20);
      Guarded.Piece x =
          memory.input(
              values(
                  c.count(),
                  i -> i % 7 == 0 && i < 4000 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY));
      Guarded.Piece y = memory.output(c.results());
      reduce(c, x.buffer(), y.buffer());
      double[] expected = new double[c.results()];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = exact(c.r, c.run(x.start(), i));
      }
      Near.check("max over " + d, expected, y.read(), 0);
    }
  }
}
