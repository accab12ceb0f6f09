package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Rows, columns and time steps of a tensor; as views, see {@link TensorTest}. */
class SliceTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void rowsAreCutFromEveryColumn() {
    for (Shape shape : new Shape[] {Shape.of(6), Shape.of(6, 4), Shape.of(6, 2, 3)}) {
      for (int[] cut : new int[][] {{0, 6}, {0, 1}, {2, 5}, {5, 6}}) {
        GradientCheck.of(shape)
            .check(
                "rows " + cut[0] + " to " + cut[1] + " of " + shape,
                x -> x[0].rows(cut[0], cut[1]),
                x -> Reference.rows(x[0], 6, cut[0], cut[1]));
      }
    }
  }

  @Test
  void overlappingRowsAddUp() {
    GradientCheck.of(Shape.of(4, 3))
        .check(
            "rows 0 to 3 plus rows 1 to 4",
            x -> x[0].rows(0, 3).add(x[0].rows(1, 4)),
            x ->
                Reference.zip(
                    Reference.rows(x[0], 4, 0, 3), Reference.rows(x[0], 4, 1, 4), Double::sum));
  }

  /** The same columns of every time step of m×n×t values. */
  private static double[] columns(double[] x, int m, int n, int from, int to) {
    return Reference.rows(x, m * n, m * from, m * to); // a time step as one column
  }

  @Test
  void columnsAreCutFromEveryTimeStep() {
    for (int[] cut : new int[][] {{0, 4}, {0, 1}, {1, 3}, {3, 4}}) {
      for (int time : new int[] {1, 3}) {
        GradientCheck.of(Shape.of(2, 4, time))
            .check(
                "columns " + cut[0] + " to " + cut[1] + " of 4, time " + time,
                x -> x[0].columns(cut[0], cut[1]),
                x -> columns(x[0], 2, 4, cut[0], cut[1]));
      }
    }
  }

  @Test
  void overlappingColumnsAndStepsAddUp() {
    GradientCheck.of(Shape.of(2, 3, 4))
        .check(
            "columns of steps plus steps of columns",
            x -> x[0].times(1, 3).columns(0, 2).add(x[0].columns(1, 3).times(2, 4)),
            x ->
                Reference.zip(
                    columns(Reference.slice(x[0], 6, 18), 2, 3, 0, 2),
                    Reference.slice(columns(x[0], 2, 3, 1, 3), 8, 16),
                    Double::sum));
  }

  @Test
  void columnsOfAOneHotSequenceAreOneHot() {
    OneHot x = tape.oneHot(Shape.of(4, 3, 2), 0, 1, 2, 3, 2, 1);
    Tensor part = x.columns(1, 3);
    assertInstanceOf(OneHot.class, part);
    assertEquals(Shape.of(4, 2, 2), part.shape());
    assertArrayEquals(tape.oneHot(Shape.of(4, 4), 1, 2, 2, 1).toArray(), part.toArray());
    Tensor gathered = tape.input(Shape.of(1, 4), 10, 11, 12, 13).matmul(part);
    assertArrayEquals(new float[] {11, 12, 12, 11}, gathered.toArray());
  }

  @Test
  void theRankStays() {
    assertEquals(Shape.of(2), tape.input(1, 2, 3).rows(1, 3).shape());
    Tensor sequences = tape.input(Shape.of(3, 2, 2), new float[12]);
    assertEquals(Shape.of(1, 2, 2), sequences.rows(2, 3).shape());
  }

  @Test
  void rowsOutsideThrow() {
    Tensor x = tape.input(Shape.of(3, 2), new float[6]);
    for (int[] cut : new int[][] {{-1, 2}, {0, 4}, {2, 2}, {3, 1}}) {
      Thrown.says(
          ShapeException.class,
          () -> x.rows(cut[0], cut[1]),
          "rows: x=3×2, from=" + cut[0] + ", to=" + cut[1],
          "need 0 ≤ from < to ≤ 3");
    }
  }
}
