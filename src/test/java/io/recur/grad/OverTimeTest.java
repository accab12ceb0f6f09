package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Operations over the steps of sequences. */
class OverTimeTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The steps of values with so many per step, in reverse. */
  private static double[] reversed(double[] x, int step) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[x.length - step - i / step * step + i % step] = x[i];
    }
    return y;
  }

  @Test
  void stepsAreReversed() {
    for (Shape shape : new Shape[] {Shape.of(3, 2, 5), Shape.of(1, 1, 4), Shape.of(17, 3, 2)}) {
      GradientCheck.of(shape)
          .check(
              "reversed " + shape,
              x -> x[0].reversed(),
              x -> reversed(x[0], shape.rows() * shape.batch()));
    }
  }

  @Test
  void aVectorOrABatchIsOneStep() {
    for (Shape shape : new Shape[] {Shape.of(3), Shape.of(3, 2), Shape.of(3, 2, 1)}) {
      Tensor x = tape.input(shape, new float[shape.count()]);
      assertEquals(shape, x.reversed().shape());
      GradientCheck.of(shape).check("reversed " + shape, t -> t[0].reversed(), t -> t[0]);
    }
  }

  @Test
  void oneHotStepsStayOneHot() {
    Tensor x = tape.oneHot(Shape.of(4, 2, 3), 0, 1, 2, 3, 1, 0);
    Tensor y = x.reversed();
    assertArrayEquals(new int[] {1, 0, 2, 3, 0, 1}, assertInstanceOf(OneHot.class, y).indexes());
    assertArrayEquals(x.toArray(), y.reversed().toArray());
  }

  /** What is passed over may be NaN, and takes no gradient. */
  @Test
  void aColumnThatIsNotTakenChangesNothing() {
    float nan = Float.NaN;
    Tensor x = tape.variable(Shape.of(2, 3), 1, 2, nan, nan, 5, 6);
    int[] from = {2, Rearrange.ZERO, 0, Rearrange.ZERO};
    Tensor y = Rearrange.columns("columns", x, 2, from, Shape.of(2, 4));
    assertArrayEquals(new float[] {5, 6, 0, 0, 1, 2, 0, 0}, y.toArray());
    tape.backward(y, 10, 20, nan, nan, 30, 40, nan, nan);
    assertArrayEquals(new float[] {30, 40, 0, 0, 10, 20}, x.gradientArray());
  }

  @Test
  void rearrangedColumnsHaveTheirGradient() {
    int[] from = {3, Rearrange.ZERO, 0, 2, Rearrange.ZERO};
    for (int m : new int[] {1, 3, 16, 17, 63, 64, 65, 257}) {
      GradientCheck.of(Shape.of(m, 4))
          .check(
              "columns of " + m,
              x -> Rearrange.columns("columns", x[0], m, from, Shape.of(m, 5)),
              x -> {
                double[] y = new double[5 * m];
                for (int j = 0; j < from.length; j++) {
                  if (from[j] != Rearrange.ZERO) {
                    System.arraycopy(x[0], from[j] * m, y, j * m, m);
                  }
                }
                return y;
              });
    }
  }

  /** Softmax of the steps of each row and column. */
  private static double[] softmax(double[] x, int step) {
    double[] y = new double[x.length];
    for (int i = 0; i < step; i++) {
      double sum = 0;
      for (int at = i; at < x.length; at += step) {
        y[at] = Math.exp(x[at]);
        sum += y[at];
      }
      for (int at = i; at < x.length; at += step) {
        y[at] /= sum;
      }
    }
    return y;
  }

  @Test
  void softmaxOverTimeAddsUpToOne() {
    for (Shape shape : new Shape[] {Shape.of(1, 3, 5), Shape.of(4, 2, 3), Shape.of(2, 1, 17)}) {
      GradientCheck.of(shape)
          .check(
              "softmax over time " + shape,
              x -> Softmax.overTime(x[0]),
              x -> softmax(x[0], shape.rows() * shape.batch()));
    }
    assertArrayEquals(
        new float[] {1, 1}, Softmax.overTime(tape.input(Shape.of(1, 2), 3, -7)).toArray());
    assertEquals(1, Reference.doubles(Softmax.overTime(tape.input(5)).toArray())[0]);
  }
}
