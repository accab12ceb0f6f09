package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Dimension;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
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
    int[] from = {2, Rearrange.NONE, 0, Rearrange.NONE};
    Tensor y = Rearrange.columns("columns", x, 2, from, 0, Shape.of(2, 4));
    assertArrayEquals(new float[] {5, 6, 0, 0, 1, 2, 0, 0}, y.toArray());
    tape.backward(y, 10, 20, nan, nan, 30, 40, nan, nan);
    assertArrayEquals(new float[] {30, 40, 0, 0, 10, 20}, x.gradientArray());
  }

  @Test
  void rearrangedColumnsHaveTheirGradient() {
    int[] from = {3, Rearrange.NONE, 0, 2, Rearrange.NONE};
    for (int m : new int[] {1, 3, 16, 17, 63, 64, 65, 257}) {
      GradientCheck.of(Shape.of(m, 4))
          .check(
              "columns of " + m,
              x -> Rearrange.columns("columns", x[0], m, from, 0, Shape.of(m, 5)),
              x -> {
                double[] y = new double[5 * m];
                for (int j = 0; j < from.length; j++) {
                  if (from[j] != Rearrange.NONE) {
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

  // Sequences of their own lengths: 4 of 5 steps or fewer, one of them empty.

  private static final int[] LENGTHS = {3, 0, 5, 1};
  private static final int BATCH = LENGTHS.length;
  private static final int TIME = 5;

  /** What a function gives for the valid steps of each row of each sequence, in this order. */
  private static double[] each(double[] x, int rows, int time, UnaryOperator<double[]> function) {
    double[] y = new double[rows * BATCH * time];
    for (int b = 0; b < BATCH; b++) {
      for (int i = 0; i < rows; i++) {
        double[] steps = new double[LENGTHS[b]];
        for (int t = 0; t < steps.length; t++) {
          steps[t] = x[i + rows * (b + BATCH * t)];
        }
        double[] result = function.apply(steps);
        for (int t = 0; t < result.length; t++) {
          y[i + rows * (b + BATCH * t)] = result[t];
        }
      }
    }
    return y;
  }

  private static double[] one(double value) {
    return new double[] {value};
  }

  private static double[] reversed(double... steps) {
    return reversed(steps, 1);
  }

  private static void check(
      String what, int time, GradientCheck.Recorded recorded, UnaryOperator<double[]> exact) {
    for (int rows : new int[] {1, 3, 17}) {
      GradientCheck.of(Shape.of(rows, BATCH, TIME))
          .check(what + " of " + rows, recorded, x -> each(x[0], rows, time, exact));
    }
  }

  @Test
  void theStepsOfEachLengthAreReversed() {
    check(
        "reversed",
        TIME,
        x -> Padded.of(x[0], LENGTHS).reversed().data(),
        steps -> reversed(steps));
    check(
        "twice", TIME, x -> Padded.of(x[0], LENGTHS).reversed().reversed().data(), steps -> steps);
  }

  @Test
  void eachSequenceHasItsLastStepItsMeanAndItsLargest() {
    check(
        "last",
        1,
        x -> x[0].last(LENGTHS),
        steps -> one(steps.length == 0 ? 0 : steps[steps.length - 1]));
    check(
        "mean",
        1,
        x -> Padded.of(x[0], LENGTHS).mean(),
        steps -> one(Arrays.stream(steps).average().orElse(0)));
    check(
        "max",
        1,
        x -> Padded.of(x[0], LENGTHS).max(),
        steps -> one(Arrays.stream(steps).max().orElse(0)));
  }

  @Test
  void softmaxIsOverTheStepsOfEachLength() {
    check("softmax", TIME, x -> Softmax.overTime(x[0], LENGTHS), steps -> softmax(steps, 1));
  }

  @Test
  void equalLengthsAreThePlainOperations() {
    Tensor x = tape.input(Shape.of(2, 2, 3), twelve());
    Padded padded = Padded.of(x, 3, 3);
    assertArrayEquals(x.reversed().toArray(), padded.reversed().data().toArray());
    assertArrayEquals(x.time(2).toArray(), padded.last().toArray());
    assertArrayEquals(x.mean(Dimension.TIME).toArray(), padded.mean().toArray());
    assertArrayEquals(x.max(Dimension.TIME).toArray(), padded.max().toArray());
    assertArrayEquals(Softmax.overTime(x).toArray(), Softmax.overTime(x, 3, 3).toArray());
    assertEquals(Shape.of(2, 2), padded.last().shape());
  }

  private static float[] twelve() {
    return new float[] {1, -2, 3, 4, 5, -6, 7, 8, 0.5f, 9, -1, 2};
  }

  /** What stands behind the ends is NaN, and so is its share of the gradient of each result. */
  @Test
  void nothingBehindAnEndIsRead() {
    float nan = Float.NaN;
    Tensor x = tape.variable(Shape.of(1, 3, 2), 1, -2, nan, 3, nan, nan);
    int[] lengths = {2, 1, 0};
    Padded padded = Padded.of(x, lengths);
    assertArrayEquals(new float[] {3, -2, 0, 1, 0, 0}, padded.reversed().data().toArray());
    Tensor last = padded.last();
    Tensor mean = padded.mean();
    Tensor max = padded.max();
    Tensor shares = Softmax.overTime(x, lengths);
    assertArrayEquals(new float[] {3, -2, 0}, last.toArray());
    assertArrayEquals(new float[] {2, -2, 0}, mean.toArray());
    assertArrayEquals(new float[] {3, -2, 0}, max.toArray());
    float share = 1 / (1 + (float) Math.exp(2));
    assertArrayEquals(new float[] {share, 1, 0, 1 - share, 0, 0}, shares.toArray(), 1e-6f);
    for (Tensor one : List.of(last, max)) {
      tape.backward(one, 10, 20, nan);
      assertArrayEquals(new float[] {0, 20, 0, 10, 0, 0}, x.gradientArray());
    }
    tape.backward(mean, 10, 20, 30);
    assertArrayEquals(new float[] {5, 20, 0, 5, 0, 0}, x.gradientArray());
    tape.backward(shares, 1, 7, nan, 2, nan, nan);
    float derivative = share * (1 - share);
    assertArrayEquals(new float[] {-derivative, 0, 0, derivative, 0, 0}, x.gradientArray(), 1e-6f);
  }

  @Test
  void oneHotStepsOfEachLengthStayOneHot() {
    Tensor x = tape.oneHot(Shape.of(4, 2, 3), 0, 1, 2, 3, 1, 0);
    Padded y = Padded.of(x, 3, 2).reversed();
    OneHot valid = assertInstanceOf(OneHot.class, y.valid());
    assertArrayEquals(new int[] {1, 3, 2, 1, 0}, valid.indexes());
  }

  @Test
  void lengthsThatDoNotFitAreRefused() {
    Tensor x = tape.input(Shape.of(2, 2, 3), twelve());
    Thrown.says(ShapeException.class, () -> x.last(4, 1), "lengths[0]=4; need 0 ≤ length ≤ 3");
    Thrown.says(ShapeException.class, () -> x.last(1), "1 lengths; need one per sequence, 2");
    Thrown.says(ShapeException.class, () -> Softmax.overTime(x, 0, 0), "all 2 lengths are 0");
    Thrown.says(ShapeException.class, () -> Softmax.overTime(x, -1, 2), "lengths[0]=-1");
    Thrown.says(ShapeException.class, () -> x.time(0).last(1, 1), "need features × batch × time");
  }
}
