package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class SumTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void sumAndMeanSpreadTheirGradient() {
    for (Shape shape : new Shape[] {Shape.of(1), Shape.of(17), Shape.of(3, 4), Shape.of(3, 2, 5)}) {
      GradientCheck.of(shape).check("sum", x -> x[0].sum(), x -> Reference.sum(x[0], 1));
      GradientCheck.of(shape)
          .check("mean", x -> x[0].mean(), x -> Reference.sum(x[0], 1.0 / shape.count()));
    }
  }

  @Test
  void aScalarComesOut() {
    Tensor x = tape.input(Shape.of(2, 2), 1, 2, 3, 6);
    assertEquals(Shape.of(1), x.sum().shape());
    assertEquals(12, x.sum().scalar());
    assertEquals(3, x.mean().scalar());
  }
}
