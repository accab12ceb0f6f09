package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Views, constants and what a tensor tells about itself. */
class TensorTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static double[] product(double[] part, double[] factor) {
    return Reference.zip(part, factor, (a, b) -> a * b);
  }

  /** The first of equals, and a NaN before all: PyTorch's {@code x.argmax(0)}. */
  @Test
  void argmaxIsTheRowOfTheLargestValue() {
    float nan = Float.NaN;
    Tensor x = tape.input(Shape.of(3, 2, 2), 1, 3, 2, 5, 5, -1, nan, 9, nan, -3, -2, nan);
    assertArrayEquals(new int[] {1, 0, 0, 2}, x.argmax());
    assertArrayEquals(new int[] {2}, tape.input(-1, -3, -0.5f).argmax());
    assertArrayEquals(new int[] {0, 0}, tape.input(Shape.of(1, 2), -1, nan).argmax());
    int[] classes = {2, 0, 1};
    assertArrayEquals(classes, tape.oneHot(Shape.of(4, 3), classes).argmax());
  }

  @Test
  void columnsShareValuesAndGradient() {
    GradientCheck.of(Shape.of(3, 5), Shape.of(3, 2))
        .check(
            "columns",
            x -> x[0].columns(2, 4).mul(x[1]),
            x -> product(Reference.slice(x[0], 6, 12), x[1]));
  }

  @Test
  void aStepSharesValuesAndGradient() {
    GradientCheck.of(Shape.of(3, 2, 4), Shape.of(3, 2))
        .check(
            "time", x -> x[0].time(2).mul(x[1]), x -> product(Reference.slice(x[0], 12, 18), x[1]));
  }

  @Test
  void stepsShareValuesAndGradient() {
    GradientCheck.of(Shape.of(3, 2, 4), Shape.of(3, 2, 2))
        .check(
            "times",
            x -> x[0].times(1, 3).mul(x[1]),
            x -> product(Reference.slice(x[0], 6, 18), x[1]));
  }

  @Test
  void aReshapedTensorSharesValuesAndGradient() {
    GradientCheck.of(Shape.of(3, 4), Shape.of(6, 2))
        .check("reshape", x -> x[0].reshape(Shape.of(6, 2)).mul(x[1]), x -> product(x[0], x[1]));
  }

  @Test
  void viewsOfViewsAddUp() {
    GradientCheck.of(Shape.of(2, 3, 4), Shape.of(2, 2))
        .check(
            "views of views",
            x -> {
              Tensor last = x[0].times(1, 4).time(2).columns(1, 3); // overlaps all
              Tensor all = x[0].reshape(Shape.of(2, 12)).columns(10, 12);
              return last.mul(x[1]).add(all);
            },
            x -> {
              double[] last = Reference.slice(x[0], 20, 24);
              return Reference.zip(product(last, x[1]), last, Double::sum);
            });
  }

  @Test
  void viewsOfAComputedTensorPassTheGradientOn() {
    GradientCheck.of(Shape.of(2, 4), Shape.of(2, 4))
        .check(
            "columns of a sum",
            x -> x[0].add(x[1]).columns(1, 2),
            x -> Reference.slice(Reference.zip(x[0], x[1], Double::sum), 2, 4));
  }

  @Test
  void viewsHaveTheRankOfWhatTheyShow() {
    Tensor x = tape.input(Shape.of(3, 2, 4), new float[24]);
    assertEquals(Shape.of(3, 2), x.time(0).shape());
    assertEquals(Shape.of(3, 2, 1), x.times(0, 1).shape());
    assertEquals(Shape.of(3, 1), x.time(0).columns(0, 1).shape());
    assertEquals(Shape.of(3, 1, 1), x.times(0, 1).columns(0, 1).shape());
    assertEquals(Shape.of(3, 1, 4), x.columns(0, 1).shape());
    assertEquals(Shape.of(3, 1), tape.input(1, 2, 3).columns(0, 1).shape());
  }

  @Test
  void viewsOutsideThrow() {
    Tensor matrix = tape.input(Shape.of(3, 2), new float[6]);
    Tensor sequences = tape.input(Shape.of(3, 2, 4), new float[24]);
    for (int[] cut : new int[][] {{-1, 1}, {0, 3}, {1, 1}, {2, 1}}) {
      Thrown.says(
          ShapeException.class,
          () -> matrix.columns(cut[0], cut[1]),
          "columns: x=3×2, from=%d, to=%d".formatted(cut[0], cut[1]));
    }
    Thrown.says(
        ShapeException.class,
        () -> sequences.columns(0, 3),
        "columns: x=3×2×4, from=0, to=3; need 0 ≤ from < to ≤ 2");
    Thrown.says(
        ShapeException.class,
        () -> sequences.column(0),
        "column: x=3×2×4, j=0; need a matrix",
        "take columns(j, j + 1)");
    Thrown.says(ShapeException.class, () -> sequences.time(4), "x=3×2×4, t=4; need 0 ≤ t < 4");
    Thrown.says(ShapeException.class, () -> sequences.time(-1), "t=-1");
    for (int[] cut : new int[][] {{-1, 1}, {0, 5}, {2, 2}}) {
      Thrown.says(
          ShapeException.class,
          () -> sequences.times(cut[0], cut[1]),
          "times: x=3×2×4, from=%d, to=%d".formatted(cut[0], cut[1]));
    }
    Thrown.says(
        ShapeException.class,
        () -> matrix.reshape(Shape.of(4, 2)),
        "reshape: from=3×2 to=4×2; counts 6 and 8 must be equal");
  }

  @Test
  void aConstantIsOnNoTapeAndTakesNoGradient() {
    Buffer memory = device.allocate(2);
    memory.write(3, 4);
    Tensor constant = Tensor.constant(Shape.of(2), memory);
    Thrown.says(
        ShapeException.class,
        () -> Tensor.constant(Shape.of(400, 400), memory),
        "constant: shape=400×400, buffer of %d floats; need 160000".formatted(memory.floats()));
    assertNull(constant.tape());
    assertSame(device, constant.device());
    assertFalse(constant.isDifferentiable());
    assertArrayEquals(new float[] {4, 6}, constant.add(tape.input(1, 2)).toArray());
    Thrown.says(IllegalStateException.class, constant::gradient, "tensor 2 takes no gradient");
  }

  @Test
  void anInputTakesNoGradient() {
    Tensor x = tape.input(1, 2);
    Thrown.says(IllegalStateException.class, x::gradient, "it is an input or a constant");
    Tensor view = x.reshape(Shape.of(1, 2));
    Thrown.says(IllegalStateException.class, view::gradient, "takes no gradient");
  }

  @Test
  void aScalarHasOneValue() {
    assertEquals(5, tape.input(5f).scalar());
    Thrown.says(
        ShapeException.class, () -> tape.input(1, 2).scalar(), "scalar: shape=2 has 2 values");
  }

  @Test
  void smallTensorsPrintTheirValues() {
    assertEquals("Tensor(2: [1.0, 2.0])", tape.input(1, 2).toString());
    assertEquals("Tensor(13)", tape.input(new float[13]).toString());
  }

  @Test
  void inputsAreCopies() {
    float[] values = {1, 2};
    Tensor x = tape.input(values);
    values[0] = 9;
    x.toArray()[1] = 9;
    assertArrayEquals(new float[] {1, 2}, x.toArray());
  }

  @Test
  void inputsOfAnotherCountThrow() {
    Thrown.says(
        ShapeException.class,
        () -> tape.input(Shape.of(3, 2), 1, 2),
        "input: shape=3×2, 2 values; need 6");
    Thrown.says(
        ShapeException.class, () -> tape.variable(Shape.of(3), 1, 2), "shape=3, 2 values; need 3");
    Thrown.says(ShapeException.class, () -> tape.input(), "need 1 to 3 dimensions, each 1 or more");
  }
}
