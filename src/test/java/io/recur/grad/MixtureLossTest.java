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
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class MixtureLossTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The equation of the class's Javadoc, in double, for small distances. */
  private static double[] exact(int k, int d, double[] x, double[] mean, double[] s, double[] t) {
    double[] weights = Reference.map(Reference.logSoftmax(x, k), Math::exp);
    double[] losses = new double[t.length / d];
    for (int j = 0; j < losses.length; j++) {
      double sum = 0;
      for (int c = 0; c < k; c++) {
        double density = weights[j * k + c];
        for (int i = 0; i < d; i++) {
          int at = (j * k + c) * d + i;
          double z = (t[j * d + i] - mean[at]) / Math.exp(s[at]);
          density *= Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) / Math.exp(s[at]);
        }
        sum += density;
      }
      losses[j] = -Math.log(sum);
    }
    return losses;
  }

  @Test
  void theGradientEqualsDifferences() {
    for (int d : new int[] {1, 2}) {
      for (int k : new int[] {1, 3}) {
        for (Shape shape : new Shape[] {Shape.of(d), Shape.of(d, 3), Shape.of(d, 2, 3)}) {
          Shape means = shape.withRows(k * d);
          GradientCheck.of(shape.withRows(k), means, means, shape)
              .between(-1, 1)
              .check(
                  "mixture K=" + k + " D=" + d + " " + shape,
                  x -> MixtureLoss.gaussianMixtureLoss(x[0], x[1], x[2], x[3], LossReduction.NONE),
                  x -> exact(k, d, x[0], x[1], x[2], x[3]));
        }
      }
    }
  }

  @Test
  void valuesAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("mixture.txt");
    for (String kind : new String[] {"one", "three"}) {
      for (LossReduction reduction : LossReduction.values()) {
        String name = kind + "_" + reduction.name().toLowerCase(Locale.ROOT);
        Tensor[] x = new Tensor[4];
        String[] inputs = {"scores", "means", "s", "target"};
        for (int i = 0; i < x.length; i++) {
          String input = kind + "_" + inputs[i];
          x[i] = tape.variable(Shape.of(pinned.dims(input)), pinned.floats(input));
        }
        Tensor loss = MixtureLoss.gaussianMixtureLoss(x[0], x[1], x[2], x[3], reduction);
        tape.backward(loss.sum());
        Near.check(name, pinned.doubles(name), loss.toArray(), 1e-5); // sums of float terms
        for (int i = 0; i < x.length; i++) {
          String gradient = "d" + i + "_" + name;
          Near.check(gradient, pinned.doubles(gradient), x[i].gradientArray(), 1e-5);
        }
      }
    }
  }

  @Test
  void aTargetFarFromAllComponentsHasAFiniteLossAndGradient() {
    Tensor scores = tape.variable(Shape.of(2), 0, 0);
    Tensor means = tape.variable(Shape.of(2), 0, 10);
    Tensor s = tape.variable(Shape.of(2), 0, 0);
    Tensor loss = MixtureLoss.gaussianMixtureLoss(scores, means, s, tape.input(1000));
    tape.backward(loss);
    double nearer = 990.0 * 990 / 2 + 0.5 * Math.log(2 * Math.PI) + Math.log(2);
    assertEquals(nearer, loss.scalar(), 1e-6 * nearer); // a float's digits
    assertArrayEquals(new float[] {0, -990}, means.gradientArray());
    assertArrayEquals(new float[] {0, 1 - 990 * 990}, s.gradientArray());
    assertArrayEquals(new float[] {0.5f, -0.5f}, scores.gradientArray());
  }

  @Test
  void shapesThatDoNotFitThrow() {
    Tensor two = tape.input(Shape.of(2, 3), new float[6]);
    Tensor three = tape.input(Shape.of(3, 3), new float[9]);
    Tensor target = tape.input(Shape.of(1, 3), 1, 2, 3);
    Thrown.says(
        ShapeException.class,
        () -> MixtureLoss.gaussianMixtureLoss(two, three, three, target),
        "gaussianMixtureLoss: scores=2×3, means=3×3, logDeviations=3×3, target=1×3; need scores");
    Thrown.says(
        ShapeException.class,
        () -> MixtureLoss.gaussianMixtureLoss(two, two, three, target),
        "logDeviations=3×3");
    Thrown.says(
        ShapeException.class,
        () -> MixtureLoss.gaussianMixtureLoss(two, two, two, tape.input(Shape.of(1, 2), 1, 2)),
        "target=1×2");
  }
}
