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
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class CrossEntropyLossTest {
  private static final int NO = CrossEntropyLoss.IGNORED;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The equation of the class's Javadoc, in double. */
  private static double[] exact(
      double[] x, int[] classes, double[] w, double smoothing, LossReduction reduction) {
    int m = w.length;
    double[] logs = Reference.logSoftmax(x, m);
    double[] losses = new double[classes.length];
    double total = 0;
    for (int j = 0; j < losses.length; j++) {
      if (classes[j] == NO) {
        continue;
      }
      total += w[classes[j]];
      losses[j] = -(1 - smoothing) * w[classes[j]] * logs[j * m + classes[j]];
      for (int i = 0; i < m; i++) {
        losses[j] -= smoothing / m * w[i] * logs[j * m + i];
      }
    }
    return switch (reduction) {
      case MEAN -> Reference.sum(losses, 1 / total);
      case SUM -> Reference.sum(losses, 1);
      case NONE -> losses;
    };
  }

  @Test
  void theGradientEqualsDifferences() {
    float[] rare = {0.5f, 2, 0, 1};
    double[] even = {1, 1, 1, 1};
    for (Shape shape : new Shape[] {Shape.of(4), Shape.of(4, 5), Shape.of(4, 3, 2)}) {
      int[] all = new Random(1).ints(shape.columns(), 0, 2).toArray();
      int[] some = all.clone();
      for (int j = 1; j < some.length; j += 2) {
        some[j] = NO;
      }
      for (int[] classes : new int[][] {all, some}) {
        for (float smoothing : new float[] {0, 0.25f}) {
          for (LossReduction reduction : LossReduction.values()) {
            CrossEntropyLoss loss =
                new CrossEntropyLoss().smoothing(smoothing).reduction(reduction);
            GradientCheck.of(shape)
                .check(
                    loss + " " + shape,
                    x -> loss.of(x[0], classes),
                    x -> exact(x[0], classes, even, smoothing, reduction));
            GradientCheck.of(shape)
                .check(
                    loss + " weighted " + shape,
                    x -> loss.weights(rare).of(x[0], classes),
                    x -> exact(x[0], classes, Reference.doubles(rare), smoothing, reduction));
          }
        }
      }
    }
  }

  @Test
  void valueAndGradientArePyTorchs() {
    Pinned pinned = Pinned.of("loss_settings.txt");
    Shape shape = Shape.of(pinned.dims("logits"));
    double[] targets = pinned.doubles("t");
    int[] classes = new int[targets.length];
    for (int j = 0; j < classes.length; j++) {
      classes[j] = (int) targets[j];
    }
    CrossEntropyLoss plain = new CrossEntropyLoss();
    CrossEntropyLoss weighted = plain.weights(pinned.floats("w"));
    for (LossReduction reduction : LossReduction.values()) {
      String name = "_" + reduction.name().toLowerCase(Locale.ROOT);
      check(pinned, "plain" + name, shape, plain.reduction(reduction), classes);
      check(pinned, "weighted" + name, shape, weighted.reduction(reduction), classes);
      check(pinned, "smooth" + name, shape, plain.smoothing(0.1f).reduction(reduction), classes);
      check(pinned, "both" + name, shape, weighted.smoothing(0.25f).reduction(reduction), classes);
    }
  }

  private void check(
      Pinned pinned, String name, Shape shape, CrossEntropyLoss loss, int[] classes) {
    Tensor x = tape.variable(shape, pinned.floats("logits"));
    Tensor y = loss.of(x, classes);
    tape.backward(y.sum());
    Near.check(name, pinned.doubles(name), y.toArray(), Near.FLOAT);
    Near.check("d " + name, pinned.doubles("d0_" + name), x.gradientArray(), Near.FLOAT);
  }

  /** Ignored targets that are a class and that are none, weights, smoothing, every reduction. */
  @Test
  void twoHundredConfigurationsArePyTorchs() {
    Pinned pinned = Pinned.of("ignored.txt");
    for (int seed = 0; seed < 200; seed++) {
      Random r = new Random(seed);
      int m = 2 + r.nextInt(6);
      Shape shape = Shape.of(m, 1 + r.nextInt(4), 1 + r.nextInt(5));
      int no = r.nextInt(2) == 1 ? r.nextInt(m) : NO;
      CrossEntropyLoss loss =
          new CrossEntropyLoss()
              .ignoring(no)
              .reduction(LossReduction.values()[r.nextInt(3)])
              .smoothing(r.nextInt(3) / 8f);
      loss = r.nextInt(2) == 1 ? loss.weights(drawn(r, m, 512, -1)) : loss;
      int[] targets = new int[shape.columns()];
      for (int j = 0; j < targets.length; j++) {
        targets[j] = r.nextInt(4) > 0 ? r.nextInt(m) : no;
      }
      targets[r.nextInt(targets.length)] = no == 0 ? 1 : 0;
      Tensor x = tape.variable(shape, drawn(r, shape.count(), 2049, 1024));
      Tensor y = loss.of(x, targets);
      tape.backward(y.sum());
      String what = seed + ": " + loss + " " + shape;
      Near.check(what, pinned.doubles("l" + seed), y.toArray(), Near.FLOAT);
      float[] gradient = x.gradientArray();
      float[] products = new float[2];
      for (int k = 0; k < products.length; k++) {
        float[] direction = drawn(r, gradient.length, 513, 256);
        for (int i = 0; i < gradient.length; i++) {
          products[k] += direction[i] * gradient[i];
        }
      }
      Near.check("d " + what, pinned.doubles("g" + seed), products, Near.FLOAT);
      tape.clear();
    }
  }

  private static float[] drawn(Random r, int count, int bound, int middle) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (r.nextInt(bound) - middle) / 256f;
    }
    return values;
  }

  @Test
  void oneLossPerColumnHasTheShapeOfTheColumns() {
    CrossEntropyLoss loss = new CrossEntropyLoss().reduction(LossReduction.NONE);
    Tensor x = tape.input(Shape.of(2, 3, 2), new float[12]);
    assertEquals(Shape.of(1, 3, 2), loss.of(x, 0, 1, 0, 1, 0, 1).shape());
    assertEquals(Shape.of(1, 3, 2), loss.of(x, 0, NO, 0, 1, 0, NO).shape());
    assertEquals(Shape.of(1), loss.of(tape.input(1, 2), 0).shape());
  }

  @Test
  void anIgnoredColumnMayHoldNaN() {
    float nan = Float.NaN;
    for (float smoothing : new float[] {0, 0.1f}) {
      for (LossReduction reduction : LossReduction.values()) {
        CrossEntropyLoss loss =
            new CrossEntropyLoss().ignoring(1).smoothing(smoothing).reduction(reduction);
        Tensor x = tape.variable(Shape.of(2, 3), 1, 2, nan, nan, 3, 5);
        Tensor y = loss.of(x, 0, 1, 0);
        tape.backward(y.sum());
        float[] alone = loss.of(tape.input(Shape.of(2, 2), 1, 2, 3, 5), 0, 0).toArray();
        float[] whole = y.toArray();
        assertEquals(alone[0], whole[0]);
        assertEquals(alone[alone.length - 1], whole[whole.length - 1]);
        float[] dx = x.gradientArray();
        assertArrayEquals(new float[] {0, 0}, new float[] {dx[2], dx[3]});
        assertEquals(0, dx[0] + dx[1], 1e-6); // a softmax's gradient has the sum 0
        assertEquals(-Math.signum(dx[1]), Math.signum(dx[0]));
      }
    }
  }

  @Test
  void classesOnTheDeviceGiveTheSame() {
    CrossEntropyLoss loss = new CrossEntropyLoss().weights(1, 2, 3).smoothing(0.5f);
    Tensor x = tape.input(Shape.of(3, 2), 1, -2, 3, 0.5f, 0, 4);
    OneHot target = tape.oneHot(Shape.of(3, 2), 2, 0);
    assertEquals(loss.of(x, 2, 0).scalar(), loss.of(x, target).scalar());
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, tape.oneHot(Shape.of(3, 3), 0, 1, 2)),
        "crossEntropy: y=3×2, target=3×3; need equal shapes");
  }

  @Test
  void aLossOverNothingThrows() {
    Tensor x = tape.input(Shape.of(2, 3), new float[6]);
    Thrown.says(
        IllegalArgumentException.class,
        () -> new CrossEntropyLoss().of(x, NO, NO, NO),
        "crossEntropy: all 3 targets are -100, which is ignored; a loss needs one that is not");
    Thrown.says(
        IllegalArgumentException.class,
        () -> new CrossEntropyLoss().weights(0, 1).of(x, 0, NO, 0),
        "crossEntropy: the weights of the 2 targets sum to 0");
  }

  @Test
  void whatDoesNotFitThrows() {
    CrossEntropyLoss loss = new CrossEntropyLoss();
    Tensor x = tape.input(Shape.of(2, 3), new float[6]);
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, 0, 1),
        "crossEntropy: scores=2×3, 2 targets; need one per column, 3");
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, 0, 1, 2),
        "crossEntropy: classes[2]=2; need 0 ≤ class < 2, or -100 where it is ignored");
    Thrown.says(
        ShapeException.class,
        () -> loss.weights(1, 2, 3).of(x, 0, 1, 0),
        "crossEntropy: scores=2×3, 3 weights; need one per class, 2");
    Thrown.says(
        IllegalArgumentException.class,
        () -> loss.weights(1, -1),
        "crossEntropy: weights[1]=-1.0; need 0 ≤ weight < ∞");
    for (float smoothing : new float[] {-0.1f, 1.5f, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> loss.smoothing(smoothing),
          "crossEntropy: smoothing=" + smoothing);
    }
  }

  @Test
  void itsTextIsItsSettings() {
    assertEquals(
        "CrossEntropyLoss(SUM, ignoring 0, smoothing=0.5, weights=[1.0, 2.0])",
        new CrossEntropyLoss()
            .ignoring(0)
            .weights(1, 2)
            .smoothing(0.5f)
            .reduction(LossReduction.SUM)
            .toString());
  }
}
