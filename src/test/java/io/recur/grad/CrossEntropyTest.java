package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class CrossEntropyTest {
  /** PyTorch's numbers are rounded to nine digits; ours are floats. */
  private static final double PINNED = 1e-5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static double[] exact(double[] x, double[] target, Shape shape) {
    double[] terms = Reference.zip(Reference.logSoftmax(x, shape.rows()), target, (l, t) -> -l * t);
    return Reference.sum(terms, 1.0 / shape.columns());
  }

  @Test
  void classesGiveTheMeanOverAllColumns() {
    for (Shape shape : new Shape[] {Shape.of(5), Shape.of(4, 3), Shape.of(3, 2, 4)}) {
      int[] index = new Random(1).ints(shape.columns(), 0, shape.rows()).toArray();
      double[] target = new double[shape.count()];
      for (int j = 0; j < index.length; j++) {
        target[j * shape.rows() + index[j]] = 1;
      }
      GradientCheck.of(shape)
          .check(
              "crossEntropy " + shape,
              x -> CrossEntropy.crossEntropy(x[0], x[0].tape().oneHot(shape, index)),
              x -> exact(x[0], target, shape));
    }
  }

  @Test
  void distributionsTakeAGradientToo() {
    Shape shape = Shape.of(4, 3);
    GradientCheck.of(shape, shape)
        .check(
            "crossEntropy of distributions",
            x -> CrossEntropy.crossEntropy(x[0], x[1]),
            x -> exact(x[0], x[1], shape));
  }

  @Test
  void valueAndGradientArePyTorchs() {
    Pinned pinned = Pinned.of("losses.txt");
    Shape shape = Shape.of(pinned.dims("logits"));
    double[] classes = pinned.doubles("t");
    int[] index = new int[classes.length];
    for (int j = 0; j < index.length; j++) {
      index[j] = (int) classes[j];
    }
    Tensor x = tape.variable(shape, pinned.floats("logits"));
    Tensor hard = CrossEntropy.crossEntropy(x, tape.oneHot(shape, index));
    tape.backward(hard);
    Near.check("loss", pinned.doubles("cross_entropy"), hard.toArray(), PINNED);
    Near.check("dx", pinned.doubles("d_cross_entropy"), x.gradientArray(), PINNED);
    Tensor soft = CrossEntropy.crossEntropy(x, tape.input(shape, pinned.floats("p")));
    tape.backward(soft);
    Near.check("soft loss", pinned.doubles("soft_cross_entropy"), soft.toArray(), PINNED);
    Near.check("soft dx", pinned.doubles("d_soft_cross_entropy"), x.gradientArray(), PINNED);
  }

  @Test
  void classesAndTheirOneHotDistributionAgree() {
    Tensor x = tape.input(Shape.of(3, 2), 1, -2, 3, 0.5f, 0, 4);
    OneHot target = tape.oneHot(Shape.of(3, 2), 2, 0);
    Tensor dense = tape.input(Shape.of(3, 2), target.toArray());
    assertEquals(
        CrossEntropy.crossEntropy(x, dense).scalar(),
        CrossEntropy.crossEntropy(x, target).scalar(),
        1e-6); // two orders of summation
  }

  @Test
  void aHopelessScoreHasAFiniteLossAndGradient() {
    Tensor x = tape.variable(Shape.of(2), 500, -500);
    Tensor loss = CrossEntropy.crossEntropy(x, tape.oneHot(Shape.of(2), 1));
    tape.backward(loss);
    assertEquals(1000, loss.scalar());
    assertArrayEquals(new float[] {1, -1}, x.gradientArray());
  }

  @Test
  void theGradientFollowsTheLosssOwn() {
    Tensor x = tape.variable(Shape.of(2), 0, 0);
    Tensor loss = CrossEntropy.crossEntropy(x, tape.oneHot(Shape.of(2), 0)).scale(6);
    tape.backward(loss);
    assertArrayEquals(new float[] {-3, 3}, x.gradientArray());
  }

  @Test
  void otherShapesThrow() {
    Tensor x = tape.input(Shape.of(3, 2), new float[6]);
    Thrown.says(
        ShapeException.class,
        () -> CrossEntropy.crossEntropy(x, tape.oneHot(Shape.of(3, 4), 0, 1, 2, 0)),
        "crossEntropy: scores=3×2, target=3×4; need equal shapes");
  }
}
