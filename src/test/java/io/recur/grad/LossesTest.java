package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Losses of each value: L1, Huber, smooth L1, binary cross-entropy. */
class LossesTest {
  private static final Shape[] SHAPES = {Shape.of(5), Shape.of(4, 3), Shape.of(3, 2, 4)};

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private interface Loss {
    Tensor of(Tensor y, Tensor target, LossReduction reduction);
  }

  private static void gradients(String what, Loss loss, DoubleBinaryOperator exact) {
    for (Shape shape : SHAPES) {
      for (LossReduction reduction : LossReduction.values()) {
        GradientCheck.of(shape, shape)
            .check(
                what + " " + reduction + " " + shape,
                x -> loss.of(x[0], x[1], reduction),
                x -> {
                  double[] losses = Reference.zip(x[0], x[1], exact);
                  return switch (reduction) {
                    case MEAN -> Reference.sum(losses, 1.0 / shape.count());
                    case SUM -> Reference.sum(losses, 1);
                    case NONE -> losses;
                  };
                });
      }
    }
  }

  private static double huber(double d, double delta) {
    return Math.abs(d) <= delta ? d * d / 2 : delta * (Math.abs(d) - delta / 2);
  }

  @Test
  void gradientsEqualDifferences() {
    gradients("l1", L1Loss::l1Loss, (y, t) -> Math.abs(y - t));
    gradients(
        "huber",
        (y, t, reduction) -> HuberLoss.huberLoss(y, t, 1.5f, reduction),
        (y, t) -> huber(y - t, 1.5));
    gradients(
        "smoothL1",
        (y, t, reduction) -> HuberLoss.smoothL1Loss(y, t, 0.5f, reduction),
        (y, t) -> huber(y - t, 0.5) / 0.5);
    gradients(
        "binary",
        BinaryCrossEntropy::binaryCrossEntropy,
        (x, t) -> Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0) - t * x);
  }

  @Test
  void aPositiveWeightTakesAGradientToo() {
    for (Shape weight : new Shape[] {Shape.of(1), Shape.of(4)}) {
      Shape shape = Shape.of(4, 3);
      GradientCheck.of(shape, shape, weight)
          .check(
              "positive " + weight,
              x -> BinaryCrossEntropy.binaryCrossEntropy(x[0], x[1], x[2], LossReduction.NONE),
              x -> {
                double[] losses = new double[shape.count()];
                for (int i = 0; i < losses.length; i++) {
                  double p = x[2][i % 4 % x[2].length];
                  double t = x[1][i];
                  losses[i] =
                      p * t * Math.log1p(Math.exp(-x[0][i]))
                          + (1 - t) * (x[0][i] + Math.log1p(Math.exp(-x[0][i])));
                }
                return losses;
              });
    }
  }

  @Test
  void valuesAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("loss_settings.txt");
    Tensor b = tape.input(Shape.of(pinned.dims("b")), pinned.floats("b"));
    Tensor p = tape.input(Shape.of(pinned.dims("p")), pinned.floats("p"));
    Tensor positive = tape.input(pinned.floats("positive"));
    check(pinned, "l1", "a", (y, reduction) -> L1Loss.l1Loss(y, b, reduction));
    check(pinned, "huber", "a", (y, how) -> HuberLoss.huberLoss(y, b, 1.5f, how));
    check(pinned, "smooth_l1", "a", (y, how) -> HuberLoss.smoothL1Loss(y, b, 0.5f, how));
    check(pinned, "bce", "scores", (x, how) -> BinaryCrossEntropy.binaryCrossEntropy(x, p, how));
    check(
        pinned,
        "bce_positive",
        "scores",
        (x, how) -> BinaryCrossEntropy.binaryCrossEntropy(x, p, positive, how));
  }

  private void check(
      Pinned pinned, String kind, String input, BiFunction<Tensor, LossReduction, Tensor> loss) {
    for (LossReduction reduction : LossReduction.values()) {
      String name = kind + "_" + reduction.name().toLowerCase(Locale.ROOT);
      Tensor x = tape.variable(Shape.of(pinned.dims(input)), pinned.floats(input));
      Tensor y = loss.apply(x, reduction);
      tape.backward(y.sum());
      Near.check(name, pinned.doubles(name), y.toArray(), Near.FLOAT);
      Near.check("d " + name, pinned.doubles("d0_" + name), x.gradientArray(), Near.FLOAT);
    }
  }

  @Test
  void theShortFormsAreMeans() {
    Tensor y = tape.input(Shape.of(2), 1, 4);
    Tensor target = tape.input(Shape.of(2), 0, 1);
    assertEquals(2, L1Loss.l1Loss(y, target).scalar());
    assertEquals(1.5f, HuberLoss.huberLoss(y, target, 1).scalar());
    assertEquals(
        (1 + Math.log1p(Math.exp(-1)) + Math.log1p(Math.exp(-4))) / 2,
        BinaryCrossEntropy.binaryCrossEntropy(y, target).scalar(),
        1e-6); // one rounding of each term
  }

  @Test
  void largeScoresKeepTheirDigits() {
    Tensor x = tape.variable(Shape.of(6), 60, -60, 60, -60, 1e30f, -1e30f);
    Tensor target = tape.input(1, 0, 0, 1, 1, 0);
    Tensor loss = BinaryCrossEntropy.binaryCrossEntropy(x, target, LossReduction.NONE);
    tape.backward(loss.sum());
    double small = Math.exp(-60);
    double[] exact = {small, small, 60, 60, 0, 0};
    double[] derivative = {-small, small, 1, -1, 0, 0};
    float[] dx = x.gradientArray();
    for (int i = 0; i < exact.length; i++) {
      assertEquals(exact[i], loss.toArray()[i], 1e-6 * exact[i], "loss " + i); // a float's digits
      assertEquals(derivative[i], dx[i], 1e-6 * Math.abs(derivative[i]), "derivative " + i);
    }
  }

  @Test
  void theBoundOfHuberIsSmooth() {
    Tensor y = tape.variable(Shape.of(4), 1, -1, 1e30f, -1e30f);
    Tensor loss = HuberLoss.huberLoss(y, tape.input(new float[4]), 1, LossReduction.NONE);
    tape.backward(loss.sum());
    assertArrayEquals(new float[] {0.5f, 0.5f, 1e30f, 1e30f}, loss.toArray());
    assertArrayEquals(new float[] {1, -1, 1, -1}, y.gradientArray());
  }

  @Test
  void whatDoesNotFitThrows() {
    Tensor y = tape.input(Shape.of(3, 2), new float[6]);
    Tensor target = tape.input(1, 2, 3); // would be repeated elsewhere
    Thrown.says(
        ShapeException.class,
        () -> L1Loss.l1Loss(y, target),
        "l1Loss: y=3×2, target=3; need equal shapes");
    Thrown.says(ShapeException.class, () -> HuberLoss.huberLoss(y, target, 1), "huberLoss: y=3×2");
    Thrown.says(
        ShapeException.class,
        () -> BinaryCrossEntropy.binaryCrossEntropy(y, target),
        "binaryCrossEntropy: y=3×2");
    Thrown.says(
        ShapeException.class,
        () -> BinaryCrossEntropy.binaryCrossEntropy(y, y, tape.input(1, 2), LossReduction.SUM),
        "binaryCrossEntropy: x=3×2, positive=2; need one value, or one per row");
    for (float bound : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> HuberLoss.huberLoss(y, y, bound),
          "huberLoss: delta=" + bound);
      Thrown.says(
          IllegalArgumentException.class,
          () -> HuberLoss.smoothL1Loss(y, y, bound, LossReduction.SUM),
          "smoothL1Loss: beta=" + bound);
    }
  }
}
