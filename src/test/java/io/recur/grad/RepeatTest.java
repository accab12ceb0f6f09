package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class RepeatTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static void check(Shape from, Shape to) {
    GradientCheck.of(from)
        .check(
            "repeat " + from + " to " + to,
            x -> Repeat.repeat(x[0].tape(), x[0], to),
            x -> Reference.zip(x[0], new double[to.count()], (a, b) -> a));
  }

  @Test
  void theGradientIsSummedOverTheColumns() {
    check(Shape.of(3), Shape.of(3, 4));
    check(Shape.of(3, 1), Shape.of(3, 17));
    check(Shape.of(3), Shape.of(3, 2, 5));
    check(Shape.of(3), Shape.of(3));
  }

  @Test
  void aParameterIsRepeatedOnAnyTape() {
    Parameter b = Parameter.of(Shape.of(2), 3, 4).on(device);
    try (Tape second = Tape.on(device)) {
      for (Tape each : new Tape[] {tape, second}) {
        Tensor y = Repeat.repeat(each, b, Shape.of(2, 2));
        assertArrayEquals(new float[] {3, 4, 3, 4}, y.toArray());
        each.backward(y, 1, 2, 3, 4);
      }
    }
    assertArrayEquals(new float[] {8, 12}, b.gradientArray());
  }

  @Test
  void otherShapesThrow() {
    Tensor x = tape.input(1, 2, 3);
    Thrown.says(
        ShapeException.class,
        () -> Repeat.repeat(tape, x, Shape.of(4, 2)),
        "repeat: x=3, to=4×2; need one column with 4 rows");
    Tensor matrix = tape.input(Shape.of(3, 2), new float[6]);
    Thrown.says(ShapeException.class, () -> Repeat.repeat(tape, matrix, Shape.of(3, 2)), "x=3×2");
  }

  @Test
  void aTensorOfAnotherTapeIsRefused() {
    try (Tape other = Tape.on(device)) {
      Tensor x = other.variable(Shape.of(2), 1, 2);
      Thrown.says(
          IllegalStateException.class,
          () -> Repeat.repeat(tape, x, Shape.of(2, 2)),
          "on two tapes");
      Thrown.says(IllegalStateException.class, () -> tape.use(x), "on two tapes");
    }
  }
}
