package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Dimension;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class ConcatTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void rowsStackUponEachOther() {
    Shape[][] pairs = {
      {Shape.of(3), Shape.of(2)},
      {Shape.of(3, 4), Shape.of(1, 4)},
      {Shape.of(3, 2, 3), Shape.of(5, 2, 3)},
    };
    for (Shape[] pair : pairs) {
      GradientCheck.of(pair)
          .check(
              "concat rows " + pair[0] + " " + pair[1],
              x -> Concat.rows(x),
              x -> Reference.stack(x[0], x[1], pair[0].columns()));
    }
  }

  @Test
  void columnsStandSideBySide() {
    GradientCheck.of(Shape.of(3, 2), Shape.of(3), Shape.of(3, 4))
        .check("concat columns", x -> Concat.columns(x), Reference::join);
  }

  @Test
  void columnsOfSequencesStandSideBySideAtEveryStep() {
    GradientCheck.of(Shape.of(3, 2, 4), Shape.of(3, 1, 4), Shape.of(3, 2, 4))
        .check(
            "concat columns of sequences",
            x -> Concat.columns(x),
            x -> Reference.stack(Reference.stack(x[0], x[1], 4), x[2], 4)); // a step as a column
  }

  @Test
  void cutPartsMakeTheWholeAgain() {
    for (Dimension dimension : Dimension.values()) {
      GradientCheck.of(Shape.of(5, 4, 3))
          .check(
              "parts along " + dimension,
              x ->
                  switch (dimension) {
                    case ROWS -> Concat.rows(x[0].rows(0, 2), x[0].rows(2, 5));
                    case COLUMNS -> Concat.columns(x[0].columns(0, 1), x[0].columns(1, 4));
                    case TIME -> Concat.time(List.of(x[0].times(0, 2), x[0].time(2)));
                  },
              x -> x[0]);
    }
  }

  @Test
  void stepsMakeASequence() {
    GradientCheck.of(Shape.of(3, 2), Shape.of(3, 2), Shape.of(3, 2))
        .check("concat time", x -> Concat.time(List.of(x)), Reference::join);
    GradientCheck.of(Shape.of(3, 2, 4), Shape.of(3, 2), Shape.of(3, 2, 2))
        .check("concat sequences", x -> Concat.time(List.of(x)), Reference::join);
  }

  @Test
  void theSameTensorTwiceTakesBothGradients() {
    GradientCheck.of(Shape.of(3, 2))
        .check(
            "concat of itself", x -> Concat.rows(x[0], x[0]), x -> Reference.stack(x[0], x[0], 2));
  }

  @Test
  void theShapeGrowsInOneDimension() {
    Tensor a = tape.input(Shape.of(3, 2), new float[6]);
    assertEquals(Shape.of(6, 2), Concat.rows(a, a).shape());
    assertEquals(Shape.of(3, 4), Concat.columns(a, a).shape());
    assertEquals(Shape.of(2, 2), Concat.columns(tape.input(1, 2), tape.input(3, 4)).shape());
    assertEquals(Shape.of(3, 2, 2), Concat.time(List.of(a, a)).shape());
    Tensor sequences = Concat.time(List.of(a, a));
    assertEquals(Shape.of(3, 4, 2), Concat.columns(sequences, sequences).shape());
    assertEquals(Shape.of(3, 4, 1), Concat.columns(sequences.times(0, 1), a).shape());
    assertEquals(Shape.of(3, 2, 1), Concat.time(List.of(a)).shape());
    assertEquals(Shape.of(4), Concat.rows(tape.input(1, 2), tape.input(3, 4)).shape());
  }

  @Test
  void aChangedListLeavesTheGradientAlone() {
    Tensor a = tape.variable(Shape.of(2), 1, 2);
    List<Tensor> parts = new ArrayList<>(List.of(a, tape.input(3, 4)));
    Tensor y = Concat.time(parts);
    parts.clear();
    tape.backward(y, 5, 6, 7, 8);
    assertArrayEquals(new float[] {5, 6}, a.gradientArray());
  }

  @Test
  void sizesThatDoNotFitThrow() {
    Tensor a = tape.input(Shape.of(3, 2), new float[6]);
    Tensor b = tape.input(Shape.of(2, 3), new float[6]);
    Tensor sequences = tape.input(Shape.of(3, 2, 2), new float[12]);
    Thrown.says(
        ShapeException.class,
        () -> Concat.rows(a, b),
        "concat rows: 3×2 and 2×3; need equal batch and time");
    Thrown.says(ShapeException.class, () -> Concat.rows(a, sequences), "3×2 and 3×2×2");
    Thrown.says(
        ShapeException.class,
        () -> Concat.columns(a, b),
        "concat columns: 3×2 and 2×3; need equal rows and time");
    Thrown.says(ShapeException.class, () -> Concat.columns(a, sequences), "3×2 and 3×2×2");
    Thrown.says(
        ShapeException.class,
        () -> Concat.time(List.of(a, b)),
        "concat time: 3×2 and 2×3; need equal rows and batch");
    Tensor large = tape.input(Shape.of(1, 50_000), new float[50_000]);
    Tensor[] many = Collections.nCopies(50_000, large).toArray(Tensor[]::new);
    Thrown.says(ShapeException.class, () -> Concat.columns(many), "at most 2147483647");
    Thrown.says(ShapeException.class, () -> Concat.columns(), "need one or more");
    Thrown.says(ShapeException.class, () -> Concat.rows(), "need one or more");
    Thrown.says(ShapeException.class, () -> Concat.time(List.of()), "need one or more");
  }
}
