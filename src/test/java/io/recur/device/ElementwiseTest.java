package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Figures;
import io.recur.Near;
import io.recur.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Every entry of the table of elementwise functions, against {@link Math} in double. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ElementwiseTest {
  private final Device device;

  ElementwiseTest(Device device) {
    this.device = device;
  }

  /**
   * Largest error allowed: {@code relative·|y| + absolute}. Measured on the CPU: tanh 4e-7, where
   * subnormals become 0; sigmoid, swish and exp 2e-7, where sigmoid below 1e-38 may become 0; gelu
   * 1e-6 of its largest factor, as 1 + tanh cancels; its exact form 5e-7, and 1e-8 where the square
   * of a large x is rounded; all others one rounding or two.
   */
  private static double allowed(Elementwise f, double y) {
    return switch (f) {
      case TANH -> 4e-7 * Math.abs(y) + 1e-42;
      case SIGMOID, SWISH -> 2.5e-7 * Math.abs(y) + 1e-36;
      case GELU -> 1e-6 * Math.max(1, Math.abs(y));
      case GELU_ERF -> 5e-7 * Math.abs(y) + 1e-8;
      default -> 2e-7 * Math.abs(y) + 1e-44;
    };
  }

  /** Functions whose derivative has no bound near 0. */
  private static final List<Elementwise> STEEP_AT_ZERO =
      List.of(Elementwise.LOG, Elementwise.SQRT, Elementwise.RECIPROCAL);

  private static boolean isWave(Elementwise f) {
    return f == Elementwise.SIN || f == Elementwise.COS;
  }

  /** Whether a function has no derivative within h of x. */
  private static boolean isKink(Elementwise f, float x, double h) {
    double[] kinks =
        switch (f) {
          case RELU, LEAKY_RELU, ABS -> new double[] {0};
          case HARD_SIGMOID -> new double[] {-3, 3};
          case HARD_TANH -> new double[] {-1, 1};
          case RELU6 -> new double[] {0, 6};
          default -> new double[0];
        };
    return Arrays.stream(kinks).anyMatch(kink -> Math.abs(x - kink) <= h);
  }

  /** 0.001 apart up to ±40, and eight values of every power of two, subnormals included. */
  private static float[] sweep() {
    List<Float> values = new ArrayList<>(List.of(0f, -0f, 100f, -100f, 88.7f, -103f, 7.9f));
    for (int i = -40_000; i <= 40_000; i++) {
      values.add(i / 1000f);
    }
    for (int exponent = -149; exponent < 128; exponent++) {
      for (int eighths = 0; eighths < 8; eighths++) {
        float value = (float) Math.scalb(1 + eighths / 8.0, exponent);
        values.add(value);
        values.add(-value);
      }
    }
    float[] sweep = new float[values.size()];
    for (int i = 0; i < sweep.length; i++) {
      sweep[i] = values.get(i);
    }
    return sweep;
  }

  private float[] map(Elementwise f, float... x) {
    Guarded memory = new Guarded(device, 1);
    Guarded.Piece input = memory.input(x);
    Guarded.Piece output = memory.output(x.length);
    device.pointwise().map(f, input.buffer(), output.buffer(), x.length);
    memory.check();
    return output.read();
  }

  private float[] derivative(Elementwise f, float... x) {
    Guarded memory = new Guarded(device, 1);
    float[] ones = new float[x.length];
    Arrays.fill(ones, 1);
    Guarded.Piece input = memory.input(x);
    Guarded.Piece output = memory.input(map(f, x));
    Guarded.Piece dy = memory.input(ones);
    Guarded.Piece dx = memory.inOut(new float[x.length]);
    device
        .pointwise()
        .addDerivative(f, input.buffer(), output.buffer(), dy.buffer(), dx.buffer(), x.length);
    memory.check();
    return dx.read();
  }

  @Test
  void valuesEqualMath() {
    float[] x = sweep();
    for (Elementwise f : Elementwise.values()) {
      float[] y = map(f, x);
      double share = 0;
      float where = 0;
      for (int i = 0; i < x.length; i++) {
        double exact = Reference.value(f, x[i]);
        float rounded = (float) exact;
        if (Float.isFinite(rounded) && Math.abs(y[i] - exact) > share * allowed(f, exact)) {
          share = Math.abs(y[i] - exact) / allowed(f, exact);
          where = x[i];
        }
        boolean equal =
            Float.isFinite(rounded)
                ? Math.abs(y[i] - exact) <= allowed(f, exact)
                : Float.compare(y[i], rounded) == 0;
        int at = i;
        assertTrue(equal, () -> f + "(" + x[at] + ") = " + y[at] + ", Math says " + exact);
      }
      Figures.worst(f.label() + " of the table", share, 1, "times its bound", "at " + where);
    }
  }

  @Test
  void derivativesEqualCentralDifferences() {
    float[] x = sweep();
    for (Elementwise f : Elementwise.values()) {
      float[] d = derivative(f, x);
      for (int i = 0; i < x.length; i++) {
        double h = 1e-5 * Math.max(Math.abs(x[i]), STEEP_AT_ZERO.contains(f) ? 0 : 0.01);
        double exact = (Reference.value(f, x[i] + h) - Reference.value(f, x[i] - h)) / (2 * h);
        if (isKink(f, x[i], h) || !(Math.abs(exact) < 1e38) || (isWave(f) && h > 1e-3)) {
          continue; // no derivative, or one beyond float, or a difference over much of a period
        }
        // tanh² and sigmoid·(1 − sigmoid) keep the absolute precision of a float, gelu a tenth of
        // it
        double tolerance = f == Elementwise.GELU ? 1e-5 : 1e-6;
        Near.check(f + "'(" + x[i] + ")", exact, d[i], tolerance);
      }
    }
  }

  @Test
  void specialValues() {
    float inf = Float.POSITIVE_INFINITY;
    float[] x = {inf, -inf, Float.NaN};
    for (Elementwise f : Elementwise.values()) {
      float[] expected = new float[x.length];
      for (int i = 0; i < x.length; i++) { // as in PyTorch: softsign is ∞/∞, swish −∞·0
        expected[i] = (float) Reference.value(f, x[i]);
      }
      assertEquals(Arrays.toString(expected), Arrays.toString(map(f, x)), f.label());
    }
  }

  @Test
  void oddFunctionsKeepTheSignOfZero() {
    for (Elementwise f :
        List.of(
            Elementwise.IDENTITY,
            Elementwise.TANH,
            Elementwise.SOFTSIGN,
            Elementwise.SQRT,
            Elementwise.SIN,
            Elementwise.HARD_TANH)) {
      assertEquals(-0f, map(f, -0f)[0], f.label());
      assertEquals(0f, map(f, 0f)[0], f.label());
    }
  }

  @Test
  void tanhAndSigmoidStayInTheirRange() {
    for (float y : map(Elementwise.TANH, sweep())) {
      assertTrue(Math.abs(y) <= 1, "tanh gave " + y);
    }
    for (float y : map(Elementwise.SIGMOID, sweep())) {
      assertTrue(y >= 0 && y <= 1, "sigmoid gave " + y);
    }
  }

  @Test
  void zerosKeepTheirSignWhereTheFunctionTouchesTheDiagonal() {
    for (Elementwise f : List.of(Elementwise.ELU, Elementwise.LEAKY_RELU, Elementwise.SWISH)) {
      assertEquals(-0f, map(f, -0f)[0], f.label());
      assertEquals(0f, map(f, 0f)[0], f.label());
    }
    assertEquals(0f, map(Elementwise.RELU, -0f)[0]); // the larger of −0 and 0
  }

  @Test
  void theDerivativeAtNotANumberIsNone() {
    for (Elementwise f : Elementwise.values()) {
      float derivative = derivative(f, Float.NaN)[0];
      float expected = f == Elementwise.IDENTITY ? 1 : f == Elementwise.NEGATE ? -1 : Float.NaN;
      assertEquals(expected, derivative, f.label());
    }
  }

  /** As y + 1 the derivative of elu would be 0 below −17, and 6e-8 off before. */
  @Test
  void smallDerivativesKeepTheirDigits() {
    for (float x = -0.1f; x > -80; x *= 1.1f) {
      double exact = Math.exp(x);
      // three roundings, and an argument that is reduced in float
      assertEquals(exact, derivative(Elementwise.ELU, x)[0], 4e-7 * exact, "elu'(" + x + ")");
      assertEquals(exact, derivative(Elementwise.EXP, x)[0], 4e-7 * exact, "exp'(" + x + ")");
    }
  }

  @Test
  void rootAndReciprocalAtZero() {
    assertEquals(Float.POSITIVE_INFINITY, derivative(Elementwise.SQRT, 0)[0]);
    assertEquals(Float.POSITIVE_INFINITY, map(Elementwise.RECIPROCAL, 0)[0]);
    assertEquals(Float.NEGATIVE_INFINITY, map(Elementwise.RECIPROCAL, -0f)[0]);
    assertEquals(Float.NEGATIVE_INFINITY, derivative(Elementwise.RECIPROCAL, 0)[0]);
  }

  /** As {@link Math#sqrt} and a division are. */
  @Test
  void rootAndReciprocalAreRoundedOnce() {
    float[] x = sweep();
    float[] root = map(Elementwise.SQRT, x);
    float[] reciprocal = map(Elementwise.RECIPROCAL, x);
    for (int i = 0; i < x.length; i++) {
      assertEquals((float) Math.sqrt(x[i]), root[i], "sqrt(" + x[i] + ")");
      assertEquals(1 / x[i], reciprocal[i], "1/" + x[i]);
    }
  }

  @Test
  void derivativesAtAnUpperOrMiddleKinkAreZero() {
    assertEquals(0, derivative(Elementwise.ABS, 0)[0]);
    for (float x : new float[] {-3, 3}) {
      assertEquals(0, derivative(Elementwise.HARD_SIGMOID, x)[0]);
    }
    for (float x : new float[] {-1, 1}) {
      assertEquals(0, derivative(Elementwise.HARD_TANH, x)[0]);
    }
    for (float x : new float[] {0, 6}) {
      assertEquals(0, derivative(Elementwise.RELU6, x)[0]);
    }
  }

  @Test
  void derivativesAtTheKinkAreTheLeftOnes() {
    assertEquals(0, derivative(Elementwise.RELU, 0)[0]);
    assertEquals(0.01f, derivative(Elementwise.LEAKY_RELU, 0)[0]);
  }

  @Test
  void everySizeIsComputedToItsEnd() {
    for (Elementwise f : Elementwise.values()) {
      for (int n : Devices.SIZES) {
        Guarded memory = new Guarded(device, 3);
        float[] positive = memory.floats(n);
        for (int i = 0; i < n; i++) {
          positive[i] = Math.abs(positive[i]) + 0.1f; // inside the domain of the logarithm
        }
        Guarded.Piece x = memory.input(positive);
        Guarded.Piece y = memory.output(n);
        Guarded.Piece both = memory.inOut(positive);
        device.pointwise().map(f, x.buffer(), y.buffer(), n);
        device.pointwise().map(f, both.buffer(), both.buffer(), n);
        double[] expected = new double[n];
        for (int i = 0; i < n; i++) {
          expected[i] = Reference.value(f, x.at(i));
        }
        Near.check(f + " n=" + n, expected, y.read(), 1e-6);
        Near.check(f + " in place n=" + n, expected, both.read(), 1e-6);
        memory.check();
      }
    }
  }

  @Test
  void derivativesAreMultipliedAndAdded() {
    for (Elementwise f : Elementwise.values()) {
      for (int n : Devices.SIZES) {
        Guarded memory = new Guarded(device, 4);
        float[] positive = memory.floats(n);
        for (int i = 0; i < n; i++) {
          positive[i] = Math.abs(positive[i]) + 0.1f;
        }
        Guarded.Piece x = memory.input(positive);
        Guarded.Piece y = memory.input(map(f, positive));
        Guarded.Piece dy = memory.input(n);
        Guarded.Piece dx = memory.inOut(n);
        device.pointwise().addDerivative(f, x.buffer(), y.buffer(), dy.buffer(), dx.buffer(), n);
        double[] expected = dx.start();
        for (int i = 0; i < n; i++) {
          double h = 1e-5;
          double derivative =
              (Reference.value(f, x.at(i) + h) - Reference.value(f, x.at(i) - h)) / (2 * h);
          expected[i] += dy.at(i) * derivative;
        }
        Near.check(f + " n=" + n, expected, dx.read(), 1e-5);
        memory.check();
      }
    }
  }

  @Test
  void labelsAreLowerCase() {
    assertEquals("leaky_relu", Elementwise.LEAKY_RELU.label());
  }
}
