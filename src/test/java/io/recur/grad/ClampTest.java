package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class ClampTest {
  private static final float INF = Float.POSITIVE_INFINITY;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void valueAndGradientEndAtTheBounds() {
    for (float[] bounds : new float[][] {{-0.5f, 1}, {0, INF}, {-INF, 0.3f}, {-INF, INF}, {1, 1}}) {
      float low = bounds[0];
      float high = bounds[1];
      GradientCheck.of(Shape.of(3, 5))
          .check(
              "clamp " + low + " " + high,
              x -> x[0].clamp(low, high),
              x -> Reference.map(x[0], v -> Math.min(Math.max(v, low), high)));
    }
  }

  @Test
  void valueAndGradientAtTheBoundsArePyTorchs() {
    Pinned pinned = Pinned.of("binary.txt");
    float[] values = pinned.floats("x_clamp");
    Tensor x = tape.variable(Shape.of(values.length), values);
    Tensor y = x.clamp(-1, 0.75f);
    tape.backward(y.sum());
    assertArrayEquals(pinned.floats("y_clamp"), y.toArray());
    assertArrayEquals(pinned.floats("d_clamp"), x.gradientArray());
  }

  @Test
  void notANumberStaysOne() {
    assertArrayEquals(
        new float[] {Float.NaN, 1, -1}, tape.input(Float.NaN, INF, -INF).clamp(-1, 1).toArray());
  }

  @Test
  void boundsInTheWrongOrderThrow() {
    Tensor x = tape.input(1, 2);
    for (float[] bounds : new float[][] {{2, 1}, {Float.NaN, 1}, {0, Float.NaN}}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> x.clamp(bounds[0], bounds[1]),
          "clamp: low=" + bounds[0] + ", high=" + bounds[1] + "; need low ≤ high");
    }
  }
}
