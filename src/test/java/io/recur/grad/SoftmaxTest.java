package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class SoftmaxTest {
  /** PyTorch's numbers are rounded to nine digits; ours are floats. */
  private static final double PINNED = 1e-5;

  private static final Shape[] SHAPES = {
    Shape.of(5), Shape.of(1), Shape.of(4, 3), Shape.of(3, 2, 4), Shape.of(65, 2)
  };

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void softmaxGradientEqualsDifferences() {
    for (Shape shape : SHAPES) {
      GradientCheck.of(shape)
          .check(
              "softmax " + shape,
              x -> Softmax.softmax(x[0]),
              x -> Reference.map(Reference.logSoftmax(x[0], shape.rows()), Math::exp));
    }
  }

  @Test
  void logSoftmaxGradientEqualsDifferences() {
    for (Shape shape : SHAPES) {
      GradientCheck.of(shape)
          .check(
              "logSoftmax " + shape,
              x -> Softmax.logSoftmax(x[0]),
              x -> Reference.logSoftmax(x[0], shape.rows()));
    }
  }

  @Test
  void valuesArePyTorchs() {
    Pinned pinned = Pinned.of("losses.txt");
    Tensor x = tape.input(Shape.of(pinned.dims("logits")), pinned.floats("logits"));
    Near.check("softmax", pinned.doubles("softmax"), Softmax.softmax(x).toArray(), PINNED);
    Near.check(
        "logSoftmax", pinned.doubles("log_softmax"), Softmax.logSoftmax(x).toArray(), PINNED);
  }

  @Test
  void largeScoresAreStable() {
    Tensor x = tape.variable(Shape.of(3, 2), 1e4f, 1e4f - 1, -1e4f, -1e4f, -1e4f - 2, -3e4f);
    Tensor y = Softmax.logSoftmax(x);
    double[] exact = {1e4, 1e4 - 1, -1e4, -1e4, -1e4 - 2, -3e4};
    Near.check("logSoftmax", Reference.logSoftmax(exact, 3), y.toArray(), PINNED);
    tape.backward(y.sum());
    for (float value : x.gradientArray()) {
      assertTrue(Math.abs(value) <= 3, "gradient " + value);
    }
  }

  @Test
  void aConstantAddedToAllScoresChangesNothing() {
    Tensor p = Softmax.softmax(tape.input(1, 2, 3));
    Tensor moved = Softmax.softmax(tape.input(1001, 1002, 1003));
    Near.check("softmax", Reference.doubles(p.toArray()), moved.toArray(), 1e-6);
    assertEquals(1, p.sum().scalar(), 1e-6); // four float roundings
  }
}
