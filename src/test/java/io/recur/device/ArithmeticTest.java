package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Reference;
import io.recur.device.kernels.Arithmetic;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.KernelDevice;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Elementwise arithmetic, and every entry of the table of functions of two values with every way in
 * which an operand can be repeated, against double precision.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ArithmeticTest {
  /** A product, a quotient and one more operation, each off by half an ulp, of values below 64. */
  private static final double TOLERANCE = 4e-7;

  private final Device device;
  private final Arithmetic arithmetic;

  ArithmeticTest(Device device) {
    this.device = device;
    this.arithmetic = KernelDevice.of(device).arithmetic();
  }

  /** An operand of m×n values, or one whose rows, columns or both are repeated. */
  private record Operand(Guarded.Piece values, int rows, int columns) {
    static Operand of(Guarded memory, int m, int n, int repeated) {
      int rows = (repeated & 1) == 0 ? m : 1;
      int columns = (repeated & 2) == 0 ? n : 1;
      float[] values = memory.floats(rows * columns);
      for (int i = 0; i < values.length; i++) {
        // quarters, of which some are equal, and none is 0, by which one would divide
        values[i] = Math.round(values[i] * 4) / 4f;
        values[i] = values[i] == 0 ? 0.25f : values[i];
      }
      return new Operand(memory.input(values), rows, columns);
    }

    double at(int i, int j) {
      return values.at((columns == 1 ? 0 : j) * rows + (rows == 1 ? 0 : i));
    }
  }

  private interface Run {
    void of(Guarded memory, int m, int n, Operand a, Operand b);
  }

  /** All sizes, with all ways in which two operands are repeated. */
  private void forAll(Run run) {
    for (int[] size : ColumnsTest.sizes()) {
      for (int of = 0; of < 16; of++) {
        Guarded memory = new Guarded(device, 7 + of);
        int m = size[0];
        int n = size[1];
        Operand a = Operand.of(memory, m, n, of % 4);
        Operand b = Operand.of(memory, m, n, of / 4);
        run.of(memory, m, n, a, b);
        memory.check();
      }
    }
  }

  private static String name(Binary f, Operand a, Operand b) {
    return "%s of %d×%d and %d×%d".formatted(f, a.rows, a.columns, b.rows, b.columns);
  }

  @Test
  void everyFunctionRepeatsItsOperands() {
    forAll(
        (memory, m, n, a, b) -> {
          for (Binary f : Binary.values()) {
            Guarded.Piece y = memory.output(m * n);
            apply(f, m, n, a, b, y);
            double[] expected = new double[m * n];
            for (int at = 0; at < m * n; at++) {
              expected[at] = Reference.value(f, a.at(at % m, at / m), b.at(at % m, at / m));
            }
            Near.check(name(f, a, b), expected, y.read(), TOLERANCE);
          }
        });
  }

  private void apply(Binary f, int m, int n, Operand a, Operand b, Guarded.Piece y) {
    arithmetic.apply(
        f,
        m,
        n,
        a.values.buffer(),
        a.rows,
        a.columns,
        b.values.buffer(),
        b.rows,
        b.columns,
        y.buffer());
  }

  @Test
  void theOutputMayBeEitherOperand() {
    for (Binary f : Binary.values()) {
      for (int n : Devices.SIZES) {
        Guarded memory = new Guarded(device, 3);
        float[] values = memory.floats(n);
        float[] others = memory.floats(n);
        Guarded.Piece y = memory.output(n);
        Guarded.Piece a = memory.input(values);
        Guarded.Piece b = memory.input(others);
        Guarded.Piece intoA = memory.inOut(values);
        Guarded.Piece intoB = memory.inOut(others);
        apply(f, n, 1, new Operand(a, n, 1), new Operand(b, n, 1), y);
        apply(f, n, 1, new Operand(intoA, n, 1), new Operand(b, n, 1), intoA);
        apply(f, n, 1, new Operand(a, n, 1), new Operand(intoB, n, 1), intoB);
        assertArrayEquals(y.read(), intoA.read(), f + " into a, n=" + n);
        assertArrayEquals(y.read(), intoB.read(), f + " into b, n=" + n);
        memory.check();
      }
    }
  }

  /** What the gradient d of f(a, b) gives to an operand. */
  private static double derivative(Binary f, boolean ofB, double a, double b, double d) {
    return switch (f) {
      case ADD -> d;
      case SUBTRACT -> ofB ? -d : d;
      case MULTIPLY -> d * (ofB ? a : b);
      case DIVIDE -> ofB ? -d * a / (b * b) : d / b;
      case MINIMUM -> a == b ? d / 2 : (a < b) == ofB ? 0 : d;
      case MAXIMUM -> a == b ? d / 2 : (a > b) == ofB ? 0 : d;
      case GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, EQUAL -> 0;
    };
  }

  @Test
  void everyDerivativeIsGivenOrAddedPlaceByPlace() {
    forAll(
        (memory, m, n, a, b) -> {
          Guarded.Piece d = memory.input(m * n);
          for (Binary f : Binary.values()) {
            if (f.isDifferentiable()) {
              checkDerivative(f, false, (m + n) % 4 == 0, memory, m, n, a, b, d);
              checkDerivative(f, true, (m + n) % 4 != 0, memory, m, n, a, b, d);
            }
          }
        });
  }

  private void checkDerivative(
      Binary f,
      boolean ofB,
      boolean accumulate,
      Guarded memory,
      int m,
      int n,
      Operand a,
      Operand b,
      Guarded.Piece d) {
    Guarded.Piece y = accumulate ? memory.inOut(m * n) : memory.output(m * n);
    arithmetic.derivative(
        f,
        ofB,
        accumulate,
        m,
        n,
        a.values.buffer(),
        a.rows,
        a.columns,
        b.values.buffer(),
        b.rows,
        b.columns,
        d.buffer(),
        y.buffer());
    double[] expected = new double[m * n];
    for (int at = 0; at < m * n; at++) {
      double left = a.at(at % m, at / m);
      double right = b.at(at % m, at / m);
      expected[at] = (accumulate ? y.at(at) : 0) + derivative(f, ofB, left, right, d.at(at));
    }
    String what = name(f, a, b) + (ofB ? ", to b" : ", to a") + (accumulate ? ", added" : "");
    Near.check(what, expected, y.read(), TOLERANCE);
  }

  @Test
  void specialValuesAreAsInPyTorch() {
    float inf = Float.POSITIVE_INFINITY;
    float nan = Float.NaN;
    Guarded memory = new Guarded(device, 1);
    Guarded.Piece a = memory.input(nan, 1, nan, inf, -inf, 0, 1);
    Guarded.Piece b = memory.input(1, nan, nan, inf, inf, 0, 0);
    for (Binary f : Binary.values()) {
      Guarded.Piece y = memory.output(7);
      apply(f, 7, 1, new Operand(a, 7, 1), new Operand(b, 7, 1), y);
      float[] expected =
          switch (f) {
            case ADD -> new float[] {nan, nan, nan, inf, nan, 0, 1};
            case SUBTRACT -> new float[] {nan, nan, nan, nan, -inf, 0, 1};
            case MULTIPLY -> new float[] {nan, nan, nan, inf, -inf, 0, 0};
            case DIVIDE -> new float[] {nan, nan, nan, nan, nan, nan, inf};
            case MINIMUM -> new float[] {nan, nan, nan, inf, -inf, 0, 0};
            case MAXIMUM -> new float[] {nan, nan, nan, inf, inf, 0, 1};
            case GREATER -> new float[] {0, 0, 0, 0, 0, 0, 1};
            case GREATER_EQUAL -> new float[] {0, 0, 0, 1, 0, 1, 1};
            case LESS -> new float[] {0, 0, 0, 0, 1, 0, 0};
            case LESS_EQUAL -> new float[] {0, 0, 0, 1, 1, 1, 0};
            case EQUAL -> new float[] {0, 0, 0, 1, 0, 1, 0};
          };
      assertEquals(Arrays.toString(expected), Arrays.toString(y.read()), f.label());
    }
    memory.check();
  }

  @Test
  void affineIsOneProductAndOneSum() {
    for (float[] numbers : new float[][] {{1, 0.5f}, {-1, 1}, {2.5f, -0f}, {0, 3}}) {
      for (int n : Devices.SIZES) {
        Guarded memory = new Guarded(device, 2);
        Guarded.Piece x = memory.input(n);
        Guarded.Piece y = memory.output(n);
        Guarded.Piece both = memory.inOut(n);
        arithmetic.affine(numbers[0], x.buffer(), numbers[1], y.buffer(), n);
        arithmetic.affine(numbers[0], both.buffer(), numbers[1], both.buffer(), n);
        String what = "affine " + Arrays.toString(numbers) + " n=" + n;
        Near.check(
            what, Reference.map(x.start(), v -> numbers[0] * v + numbers[1]), y.read(), 1e-7);
        double[] expected = Reference.map(both.start(), v -> numbers[0] * v + numbers[1]);
        Near.check(what + " in place", expected, both.read(), 1e-7);
        memory.check();
      }
    }
  }

  /** So that a scaled zero has the sign of the product: −0 is what addition leaves unchanged. */
  @Test
  void minusZeroAddsNothing() {
    Guarded memory = new Guarded(device, 2);
    Guarded.Piece x = memory.input(-0f, 0f, -1e-30f);
    Guarded.Piece y = memory.output(3);
    arithmetic.affine(1e-30f, x.buffer(), -0f, y.buffer(), 3);
    assertEquals("[-0.0, 0.0, -0.0]", Arrays.toString(y.read()));
    device.pointwise().scale(-2, x.buffer(), y.buffer(), 3);
    assertEquals("[0.0, -0.0, 2.0E-30]", Arrays.toString(y.read()));
    memory.check();
  }

  @Test
  void clampBoundsBothSides() {
    for (int n : Devices.SIZES) {
      Guarded memory = new Guarded(device, 3);
      Guarded.Piece x = memory.input(n);
      Guarded.Piece y = memory.output(n);
      Guarded.Piece both = memory.inOut(n);
      arithmetic.clamp(-0.5f, 0.75f, x.buffer(), y.buffer(), n);
      arithmetic.clamp(-0.5f, 0.75f, both.buffer(), both.buffer(), n);
      Near.check("clamp n=" + n, Reference.map(x.start(), ArithmeticTest::clamp), y.read(), 0);
      double[] expected = Reference.map(both.start(), ArithmeticTest::clamp);
      Near.check("clamp in place n=" + n, expected, both.read(), 0);
      memory.check();
    }
  }

  private static double clamp(double x) {
    return Math.max(-0.5, Math.min(0.75, x));
  }

  @Test
  void clampOfAnInfinityIsTheLimitAndOfNotANumberItself() {
    Guarded memory = new Guarded(device, 4);
    float inf = Float.POSITIVE_INFINITY;
    Guarded.Piece x = memory.input(inf, -inf, Float.NaN, 2f);
    Guarded.Piece y = memory.output(4);
    arithmetic.clamp(-2, 2, x.buffer(), y.buffer(), 4);
    Near.check("clamp", new double[] {2, -2, Double.NaN, 2}, y.read(), 0);
    arithmetic.clamp(Float.NEGATIVE_INFINITY, 1, x.buffer(), y.buffer(), 4);
    Near.check("no lower bound", new double[] {1, -inf, Double.NaN, 1}, y.read(), 0);
    memory.check();
  }

  @Test
  void theDerivativeOfClampPassesBetweenAndAtTheBounds() {
    for (int n : Devices.SIZES) {
      Guarded memory = new Guarded(device, 5);
      float[] values = memory.floats(n);
      values[0] = -0.5f;
      values[n - 1] = n > 1 ? 0.75f : values[0];
      values[n / 2] = n > 2 ? Float.NaN : values[n / 2];
      Guarded.Piece x = memory.input(values);
      Guarded.Piece dy = memory.input(n);
      Guarded.Piece dx = memory.inOut(n);
      arithmetic.addClampDerivative(-0.5f, 0.75f, x.buffer(), dy.buffer(), dx.buffer(), n);
      double[] expected = dx.start();
      for (int i = 0; i < n; i++) {
        expected[i] += x.at(i) >= -0.5 && x.at(i) <= 0.75 ? dy.at(i) : 0;
      }
      Near.check("n=" + n, expected, dx.read(), 1e-7);
      memory.check();
    }
  }
}
