package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Dimension;
import io.recur.device.kernels.Reduction;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Sums, means, maxima and variances over a dimension, with their gradients. */
class ReduceTest {
  /** PyTorch's numbers are rounded to nine digits; ours are floats. */
  private static final double PINNED = 1e-6;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** By the method of a tensor that users call. */
  private static Tensor reduced(Reduction reduction, Tensor x, Dimension over) {
    return switch (reduction) {
      case SUM -> x.sum(over);
      case MEAN -> x.mean(over);
      case MAX -> x.max(over);
      case VARIANCE -> x.variance(over);
    };
  }

  /** The same in double. */
  private static double[] exact(Reduction reduction, double[] x, Shape shape, Dimension over) {
    int stride = shape.stride(over);
    int n = shape.length(over);
    double[] y = new double[x.length / n];
    for (int i = 0; i < y.length; i++) {
      double[] run = new double[n];
      for (int l = 0; l < n; l++) {
        run[l] = x[i / stride * stride * n + l * stride + i % stride];
      }
      double mean = Arrays.stream(run).sum() / n;
      y[i] =
          switch (reduction) {
            case SUM -> n * mean;
            case MEAN -> mean;
            case MAX -> Arrays.stream(run).max().orElseThrow();
            case VARIANCE -> Arrays.stream(run).map(v -> (v - mean) * (v - mean)).sum() / n;
          };
    }
    return y;
  }

  @Test
  void eachReductionHasItsGradientOverEachDimension() {
    Shape[] shapes = {Shape.of(7), Shape.of(5, 4), Shape.of(5, 1), Shape.of(5, 4, 3)};
    for (Reduction reduction : Reduction.values()) {
      for (Dimension over : Dimension.values()) {
        for (Shape shape : shapes) {
          GradientCheck.of(shape)
              .check(
                  reduction + " over " + over + " of " + shape,
                  x -> reduced(reduction, x[0], over),
                  x -> exact(reduction, x[0], shape, over));
        }
      }
    }
  }

  @Test
  void valuesAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("reductions.txt");
    Shape shape = Shape.of(pinned.dims("x"));
    for (Reduction reduction : Reduction.values()) {
      for (Dimension over : Dimension.values()) {
        String name = reduction.label() + "_" + over.label();
        Tensor x = tape.variable(shape, pinned.floats("x"));
        Tensor y = reduced(reduction, x, over);
        tape.backward(y, pinned.floats("dy_" + over.label()));
        Near.check(name, pinned.doubles(name), y.toArray(), PINNED);
        Near.check("d_" + name, pinned.doubles("d_" + name), x.gradientArray(), PINNED);
      }
    }
  }

  @Test
  void theReducedDimensionIsOneAndTimeIsGone() {
    Tensor sequences = tape.input(Shape.of(3, 2, 4), new float[24]);
    Tensor matrix = tape.input(Shape.of(3, 2), new float[6]);
    Tensor vector = tape.input(1, 2, 3);
    for (Reduction reduction : Reduction.values()) {
      assertEquals(Shape.of(1, 2, 4), reduced(reduction, sequences, Dimension.ROWS).shape());
      assertEquals(Shape.of(3, 1, 4), reduced(reduction, sequences, Dimension.COLUMNS).shape());
      assertEquals(Shape.of(3, 2), reduced(reduction, sequences, Dimension.TIME).shape());
      assertEquals(Shape.of(1, 2), reduced(reduction, matrix, Dimension.ROWS).shape());
      assertEquals(Shape.of(3, 1), reduced(reduction, matrix, Dimension.COLUMNS).shape());
      assertEquals(Shape.of(3, 2), reduced(reduction, matrix, Dimension.TIME).shape());
      assertEquals(Shape.of(1), reduced(reduction, vector, Dimension.ROWS).shape());
    }
  }

  @Test
  void tiesShareTheGradientEvenly() {
    Tensor x = tape.variable(Shape.of(4, 2), 3, 1, 3, 3, 5, 5, 5, 5);
    Tensor y = x.max(Dimension.ROWS);
    tape.backward(y, 6, 8);
    assertArrayEquals(new float[] {3, 5}, y.toArray());
    assertArrayEquals(new float[] {2, 0, 2, 2, 2, 2, 2, 2}, x.gradientArray());
  }

  @Test
  void theVarianceIsThatOfAPopulation() {
    Tensor x = tape.input(1, 2, 3, 6);
    assertEquals(3.5f, x.variance(Dimension.ROWS).scalar()); // 14/4, not 14/3
    assertEquals(0, tape.input(5f).variance(Dimension.ROWS).scalar());
  }

  @Test
  void aViewPassesTheGradientOn() {
    Tensor x = tape.variable(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
    tape.backward(x.columns(1, 3).sum(Dimension.ROWS), 10, 20);
    assertArrayEquals(new float[] {0, 0, 10, 10, 20, 20}, x.gradientArray());
  }
}
