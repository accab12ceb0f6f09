package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Arithmetic of a tensor with a number. */
class AffineTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void valueAndGradientAreMultiplied() {
    for (float factor : new float[] {0, 1, -2.5f}) {
      GradientCheck.of(Shape.of(3, 5))
          .check("scale", x -> x[0].scale(factor), x -> Reference.map(x[0], v -> factor * v));
    }
  }

  @Test
  void aNumberIsAddedOrSubtractedOnEitherSide() {
    for (float number : new float[] {0, 1, -2.5f}) {
      GradientCheck check = GradientCheck.of(Shape.of(3, 5));
      check.check("add", x -> x[0].add(number), x -> Reference.map(x[0], v -> v + number));
      check.check("sub", x -> x[0].sub(number), x -> Reference.map(x[0], v -> v - number));
      check.check("rsub", x -> x[0].rsub(number), x -> Reference.map(x[0], v -> number - v));
    }
  }

  /** As each is one operation of IEEE 754. */
  @Test
  void resultsAreRoundedOnce() {
    float[] values = {1e-8f, 0.1f, -0f, 0f, 1e30f, -3.3f, Float.POSITIVE_INFINITY};
    Tensor x = tape.input(values);
    float[][] expected = new float[4][values.length];
    for (int i = 0; i < values.length; i++) {
      expected[0][i] = 0.7f * values[i];
      expected[1][i] = values[i] + 0.7f;
      expected[2][i] = values[i] - 0.7f;
      expected[3][i] = 0.7f - values[i];
    }
    Tensor[] actual = {x.scale(0.7f), x.add(0.7f), x.sub(0.7f), x.rsub(0.7f)};
    for (int i = 0; i < actual.length; i++) {
      assertEquals(Arrays.toString(expected[i]), Arrays.toString(actual[i].toArray()));
    }
  }

  @Test
  void zeroTimesNotANumberIsNotANumber() {
    Tensor y = tape.input(Float.NaN, 1).scale(0);
    assertArrayEquals(new float[] {Float.NaN, 0}, y.toArray());
  }

  @Test
  void theMessageNamesTheMethod() {
    Parameter w = Parameter.of(Shape.of(1), 1).on(device);
    Thrown.says(IllegalStateException.class, () -> w.scale(2), "scale: none of its");
    Thrown.says(IllegalStateException.class, () -> w.add(2), "add: none of its");
    Thrown.says(IllegalStateException.class, () -> w.sub(2), "sub: none of its");
    Thrown.says(IllegalStateException.class, () -> w.rsub(2), "rsub: none of its");
  }
}
