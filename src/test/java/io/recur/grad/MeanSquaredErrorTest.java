package io.recur.grad;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class MeanSquaredErrorTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void gradientEqualsDifferences() {
    for (Shape shape : new Shape[] {Shape.of(5), Shape.of(4, 3), Shape.of(3, 2, 4)}) {
      GradientCheck.of(shape, shape)
          .check(
              "meanSquaredError " + shape,
              x -> MeanSquaredError.meanSquaredError(x[0], x[1]),
              x ->
                  Reference.sum(
                      Reference.zip(x[0], x[1], (y, t) -> (y - t) * (y - t)), 1.0 / shape.count()));
    }
  }

  @Test
  void valueAndGradientArePyTorchs() {
    Pinned pinned = Pinned.of("losses.txt");
    Shape shape = Shape.of(pinned.dims("a"));
    Tensor a = tape.variable(shape, pinned.floats("a"));
    Tensor loss = MeanSquaredError.meanSquaredError(a, tape.input(shape, pinned.floats("b")));
    tape.backward(loss);
    // PyTorch's numbers are rounded to nine digits; ours are floats
    Near.check("loss", pinned.doubles("mse"), loss.toArray(), 1e-5);
    Near.check("gradient", pinned.doubles("d_mse"), a.gradientArray(), 1e-5);
  }

  @Test
  void otherShapesThrow() {
    Tensor y = tape.input(Shape.of(3, 2), new float[6]);
    Tensor target = tape.input(1, 2, 3); // would broadcast silently elsewhere
    Thrown.says(
        ShapeException.class,
        () -> MeanSquaredError.meanSquaredError(y, target),
        "meanSquaredError: y=3×2, target=3; need equal shapes");
  }
}
