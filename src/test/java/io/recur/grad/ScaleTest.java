package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class ScaleTest {
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
  void zeroTimesNotANumberIsNotANumber() {
    Tensor y = tape.input(Float.NaN, 1).scale(0);
    assertArrayEquals(new float[] {Float.NaN, 0}, y.toArray());
  }
}
