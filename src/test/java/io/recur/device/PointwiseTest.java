package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class PointwiseTest {
  /** Two float roundings, each half an ulp, of values below 8. */
  private static final double ROUNDING = 4 * 0x1p-23;

  private final Device device;
  private final Pointwise pointwise;
  private Guarded memory;

  PointwiseTest(Device device) {
    this.device = device;
    this.pointwise = device.pointwise();
  }

  @BeforeEach
  void fresh() {
    memory = new Guarded(device, 7);
  }

  private void check(String what, IntToDoubleFunction expected, Guarded.Piece actual) {
    double[] values = new double[actual.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = expected.applyAsDouble(i);
    }
    Near.check(what + " n=" + values.length, values, actual.read(), ROUNDING);
    memory.check();
  }

  @Test
  void fillGivesEveryValue() {
    for (int n : Devices.SIZES) {
      for (float value : new float[] {0, -0f, 2.5f, Float.NaN}) {
        Guarded.Piece y = memory.output(n);
        pointwise.fill(value, y.buffer(), n);
        check("fill " + value, i -> value, y);
      }
    }
  }

  @Test
  void copyKeepsEveryBit() {
    int[] many = {4096, 4097, 9001}; // few values are copied another way
    for (int n : IntStream.concat(IntStream.of(Devices.SIZES), IntStream.of(many)).toArray()) {
      float[] values = memory.floats(n);
      values[n / 2] = -0f;
      Guarded.Piece x = memory.input(values);
      Guarded.Piece y = memory.output(n);
      pointwise.copy(x.buffer(), y.buffer(), n);
      assertArrayEquals(values, y.read());
      memory.check();
    }
  }

  @Test
  void scaleMultipliesWithANumber() {
    for (int n : Devices.SIZES) {
      Guarded.Piece x = memory.input(n);
      Guarded.Piece y = memory.output(n);
      Guarded.Piece both = memory.inOut(n);
      pointwise.scale(-1.5f, x.buffer(), y.buffer(), n);
      pointwise.scale(-1.5f, both.buffer(), both.buffer(), n);
      check("scale", i -> -1.5 * x.at(i), y);
      check("scale in place", i -> -1.5 * both.at(i), both);
    }
  }

  @Test
  void addScaledAddsToTheOutput() {
    for (int n : Devices.SIZES) {
      Guarded.Piece x = memory.input(n);
      Guarded.Piece y = memory.inOut(n);
      Guarded.Piece both = memory.inOut(n);
      pointwise.addScaled(0.5f, x.buffer(), y.buffer(), n);
      pointwise.addScaled(0.5f, both.buffer(), both.buffer(), n);
      check("addScaled", i -> y.at(i) + 0.5 * x.at(i), y);
      check("addScaled to itself", i -> 1.5 * both.at(i), both);
    }
  }

  @Test
  void combineMayOverwriteEitherTerm() {
    for (int n : Devices.SIZES) {
      Guarded.Piece a = memory.input(n);
      Guarded.Piece b = memory.input(n);
      Guarded.Piece y = memory.output(n);
      Guarded.Piece first = memory.inOut(n);
      Guarded.Piece second = memory.inOut(n);
      pointwise.combine(a.buffer(), -1, b.buffer(), y.buffer(), n);
      pointwise.combine(first.buffer(), -1, b.buffer(), first.buffer(), n);
      pointwise.combine(a.buffer(), -1, second.buffer(), second.buffer(), n);
      check("combine", i -> a.at(i) - b.at(i), y);
      check("combine onto a", i -> first.at(i) - b.at(i), first);
      check("combine onto b", i -> a.at(i) - second.at(i), second);
    }
  }

  @Test
  void multiplyMayOverwriteEitherFactor() {
    for (int n : Devices.SIZES) {
      Guarded.Piece a = memory.input(n);
      Guarded.Piece b = memory.input(n);
      Guarded.Piece y = memory.output(n);
      Guarded.Piece first = memory.inOut(n);
      Guarded.Piece second = memory.inOut(n);
      pointwise.multiply(a.buffer(), b.buffer(), y.buffer(), n);
      pointwise.multiply(first.buffer(), b.buffer(), first.buffer(), n);
      pointwise.multiply(a.buffer(), second.buffer(), second.buffer(), n);
      check("multiply", i -> a.at(i) * b.at(i), y);
      check("multiply onto a", i -> first.at(i) * b.at(i), first);
      check("multiply onto b", i -> a.at(i) * second.at(i), second);
    }
  }

  @Test
  void addProductAddsToTheOutput() {
    for (int n : Devices.SIZES) {
      Guarded.Piece a = memory.input(n);
      Guarded.Piece b = memory.input(n);
      Guarded.Piece y = memory.inOut(n);
      pointwise.addProduct(a.buffer(), b.buffer(), y.buffer(), n);
      check("addProduct", i -> y.at(i) + a.at(i) * b.at(i), y);
    }
  }

  @Test
  void sumsAreTakenInDouble() {
    for (int n : Devices.SIZES) {
      Guarded.Piece x = memory.input(n);
      double sum = 0;
      double squares = 0;
      for (int i = 0; i < n; i++) {
        sum += x.at(i);
        squares += x.at(i) * x.at(i);
      }
      // another order: at most 2049 roundings of half an ulp, 2^-42, of a sum below 4096 each
      assertEquals(sum, pointwise.sum(x.buffer(), n), 0x1p-31, "sum n=" + n);
      assertEquals(squares, pointwise.sumOfSquares(x.buffer(), n), 0x1p-31, "squares n=" + n);
      Guarded.Piece y = memory.output(1);
      pointwise.sumInto(0.25f, x.buffer(), n, y.buffer());
      assertEquals((float) (0.25 * sum), y.read()[0], Math.ulp((float) sum), "sumInto n=" + n);
      memory.check();
    }
  }

  @Test
  void smallValuesAreNotLostInALargeSum() {
    int n = 2049;
    float[] values = new float[n];
    Arrays.fill(values, 1);
    values[0] = 0x1p24f;
    Guarded.Piece x = memory.input(values);
    assertEquals(0x1p24 + 2048, pointwise.sum(x.buffer(), n));
    Arrays.fill(values, 1e20f); // the square of 1e20 is beyond float
    Guarded.Piece large = memory.input(values);
    assertEquals(
        n * (double) 1e20f * 1e20f, pointwise.sumOfSquares(large.buffer(), n), 1e30, "squares");
  }

  @Test
  void addBroadcastAddsOneValueToAll() {
    for (int n : Devices.SIZES) {
      Guarded.Piece s = memory.input(3f);
      Guarded.Piece y = memory.inOut(n);
      pointwise.addBroadcast(-0.5f, s.buffer(), y.buffer(), n);
      check("addBroadcast", i -> y.at(i) - 1.5, y);
    }
  }

  @Test
  void onlyTheFirstValuesChange() {
    Guarded.Piece x = memory.input(9);
    Guarded.Piece y = memory.inOut(9);
    pointwise.addScaled(1, x.buffer(), y.buffer(), 4);
    pointwise.map(Elementwise.SQUARE, y.buffer(), y.buffer(), 3);
    pointwise.fill(0, y.buffer(), 2);
    check(
        "the first four",
        i ->
            switch (i) {
              case 0, 1 -> 0;
              case 2 -> Math.pow(x.at(i) + y.at(i), 2);
              case 3 -> x.at(i) + y.at(i);
              default -> y.at(i);
            },
        y);
  }

  @Test
  void aNotANumberStaysInItsPlace() {
    for (int n : Devices.SIZES) {
      float[] values = memory.floats(n);
      values[n - 1] = Float.NaN;
      Guarded.Piece x = memory.input(values);
      Guarded.Piece y = memory.inOut(n);
      pointwise.addScaled(0, x.buffer(), y.buffer(), n);
      check("addScaled", i -> i == n - 1 ? Double.NaN : y.at(i), y);
      Guarded.Piece product = memory.output(n);
      pointwise.multiply(x.buffer(), x.buffer(), product.buffer(), n);
      check("multiply", i -> i == n - 1 ? Double.NaN : x.at(i) * x.at(i), product);
      assertEquals(Double.NaN, pointwise.sum(x.buffer(), n));
      assertEquals(Double.NaN, pointwise.sumOfSquares(x.buffer(), n));
    }
  }
}
