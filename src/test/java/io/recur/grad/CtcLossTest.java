package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class CtcLossTest {
  private static final int CONFIGURATIONS = 200;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The probability of a target as the sum over every alignment, each spelt out. */
  private static double probability(double[][] p, int blank, int[] target) {
    int classes = p[0].length;
    double sum = 0;
    for (int code = 0; code < Math.pow(classes, p.length); code++) {
      int digits = code;
      double product = 1;
      int before = blank;
      int read = 0;
      int[] spelt = new int[p.length];
      for (double[] step : p) {
        int c = digits % classes;
        digits /= classes;
        product *= step[c];
        if (c != blank && c != before) {
          spelt[read++] = c;
        }
        before = c;
      }
      sum += Arrays.equals(Arrays.copyOf(spelt, read), target) ? product : 0;
    }
    return sum;
  }

  private static double[] exact(
      double[] x, Shape shape, int blank, int[] lengths, int[][] targets) {
    int m = shape.rows();
    double[] all = Reference.map(Reference.logSoftmax(x, m), Math::exp);
    double[] losses = new double[shape.batch()];
    for (int j = 0; j < losses.length; j++) {
      double[][] p = new double[lengths[j]][];
      for (int t = 0; t < p.length; t++) {
        int from = (t * shape.batch() + j) * m;
        p[t] = Arrays.copyOfRange(all, from, from + m);
      }
      losses[j] = -Math.log(probability(p, blank, targets[j]));
    }
    return losses;
  }

  @Test
  void itIsTheSumOverAllAlignmentsAndSoIsItsGradient() {
    Shape shape = Shape.of(3, 4, 5);
    int[] lengths = {5, 4, 3, 1};
    int[][] targets = {{0, 2}, {2, 2}, {}, {0}};
    CtcLoss loss = new CtcLoss().blank(1).reduction(LossReduction.NONE);
    GradientCheck.of(shape)
        .check(
            "ctc",
            x -> loss.of(x[0], lengths, targets),
            x -> exact(x[0], shape, 1, lengths, targets));
    double[] shares = {1 / 8.0, 1 / 8.0, 1 / 4.0, 1 / 4.0}; // of the mean over the batch
    GradientCheck.of(shape)
        .check(
            "ctc mean",
            x -> loss.reduction(LossReduction.MEAN).of(x[0], lengths, targets),
            x ->
                Reference.sum(
                    Reference.zip(
                        exact(x[0], shape, 1, lengths, targets), shares, (l, share) -> l * share),
                    1));
  }

  @Test
  void lossesAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("ctc.txt");
    int infinite = 0;
    for (int seed = 0; seed < CONFIGURATIONS; seed++) {
      Random random = new Random(seed);
      int classes = 2 + random.nextInt(5);
      Shape shape = Shape.of(classes, 1 + random.nextInt(4), 1 + random.nextInt(12));
      int blank = random.nextInt(classes);
      int[] lengths = new int[shape.batch()];
      int[][] targets = new int[shape.batch()][];
      for (int j = 0; j < shape.batch(); j++) {
        lengths[j] = 1 + random.nextInt(shape.time());
        targets[j] = new int[random.nextInt(Math.min(6, lengths[j] + 1))];
        for (int k = 0; k < targets[j].length; k++) {
          int c = random.nextInt(classes - 1);
          targets[j][k] = c >= blank ? c + 1 : c;
        }
      }
      Tensor x = tape.variable(shape, multiples(random, shape.count(), 1024));
      CtcLoss loss = new CtcLoss().blank(blank);
      float[] losses = loss.reduction(LossReduction.NONE).of(x, lengths, targets).toArray();
      for (int j = 0; j < losses.length; j++) {
        infinite += losses[j] == Float.POSITIVE_INFINITY ? 1 : 0;
        losses[j] = losses[j] == Float.POSITIVE_INFINITY ? -1 : losses[j];
      }
      Near.check("losses " + seed, pinned.doubles("c" + seed), losses, Near.FLOAT);
      Tensor mean = loss.zeroInfinity().of(x, lengths, targets);
      Near.check("mean " + seed, pinned.doubles("m" + seed), mean.toArray(), Near.FLOAT);
      tape.backward(mean);
      float[] products = new float[3];
      for (int i = 0; i < products.length; i++) {
        double sum = 0;
        float[] direction = multiples(random, shape.count(), 256);
        for (int k = 0; k < direction.length; k++) {
          sum += direction[k] * x.gradientArray()[k];
        }
        products[i] = (float) sum;
      }
      Near.check("gradient " + seed, pinned.doubles("g" + seed), products, Near.FLOAT);
      tape.clear();
    }
    assertTrue(infinite > 20, infinite + " targets that do not fit");
  }

  /** Multiples of 1/256, as make_losses.py draws them. */
  private static float[] multiples(Random random, int count, int most) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (random.nextInt(2 * most + 1) - most) / 256f;
    }
    return values;
  }

  @Test
  void aTargetThatDoesNotFitHasAnInfiniteLossAndNoGradient() {
    Shape shape = Shape.of(2, 2, 2);
    float[] values = {1, 2, 3, 4, 5, 6, 7, 8};
    int[][] targets = {{1, 1}, {1}}; // equal neighbours need a blank between: three steps
    CtcLoss loss = new CtcLoss();
    Tensor x = tape.variable(shape, values);
    Tensor mean = loss.of(x, targets);
    tape.backward(mean);
    assertEquals(Float.POSITIVE_INFINITY, mean.scalar());
    float[] dx = x.gradientArray();
    assertArrayEquals(new float[4], new float[] {dx[0], dx[1], dx[4], dx[5]});
    assertTrue(dx[2] != 0 && dx[6] != 0);
    Tensor y = tape.variable(shape, values);
    Tensor finite = loss.zeroInfinity().of(y, targets);
    tape.backward(finite);
    Tensor alone =
        loss.of(tape.input(Shape.of(2, 1, 2), 3, 4, 7, 8), new int[][] {{1}}).scale(0.5f);
    assertEquals(alone.scalar(), finite.scalar());
    assertArrayEquals(dx, y.gradientArray());
  }

  @Test
  void stepsBeyondALengthMayHoldNaN() {
    float nan = Float.NaN;
    Tensor x = tape.variable(Shape.of(2, 1, 3), 1, 2, 3, 5, nan, nan);
    Tensor loss = new CtcLoss().of(x, new int[] {2}, new int[][] {{1}});
    tape.backward(loss);
    Tensor alone = tape.variable(Shape.of(2, 1, 2), 1, 2, 3, 5);
    Tensor same = new CtcLoss().of(alone, new int[][] {{1}});
    tape.backward(loss.add(same));
    assertEquals(same.scalar(), loss.scalar());
    assertArrayEquals(Arrays.copyOf(alone.gradientArray(), 6), x.gradientArray());
  }

  @Test
  void noStepsSpellNothing() {
    Tensor x = tape.input(Shape.of(2, 3, 1), new float[6]);
    CtcLoss loss = new CtcLoss().reduction(LossReduction.NONE);
    float[] losses = loss.of(x, new int[] {0, 0, 1}, new int[][] {{}, {1}, {1}}).toArray();
    assertArrayEquals(new float[] {0, Float.POSITIVE_INFINITY, (float) Math.log(2)}, losses);
  }

  @Test
  void longSequencesDoNotUnderflow() {
    int time = 2000;
    Tensor x = tape.variable(Shape.of(4, 1, time), new float[4 * time]);
    Tensor loss = new CtcLoss().of(x, new int[][] {new int[] {1, 2, 3}});
    tape.backward(loss);
    assertTrue(loss.scalar() > 800 && loss.scalar() < 3000, loss.toString());
    for (float d : x.gradientArray()) {
      assertTrue(Math.abs(d) < 1, "derivative " + d);
    }
  }

  @Test
  void whatDoesNotFitThrows() {
    Tensor x = tape.input(Shape.of(3, 2, 4), new float[24]);
    CtcLoss loss = new CtcLoss();
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, new int[][] {{1}}),
        "ctcLoss: scores=3×2×4, 2 lengths, 1 targets; need one per sequence, 2");
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, new int[] {4}, new int[][] {{1}, {2}}),
        "1 lengths, 2 targets");
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, new int[] {4, 5}, new int[][] {{1}, {2}}),
        "ctcLoss: lengths[1]=5; need 0 ≤ length ≤ 4");
    Thrown.says(
        ShapeException.class,
        () -> loss.of(x, new int[][] {{1}, {2, 0}}),
        "ctcLoss: targets[1][1]=0; need 0 ≤ class < 3, not the blank 0");
    Thrown.says(ShapeException.class, () -> loss.of(x, new int[][] {{3}, {2}}), "targets[0][0]=3");
    Thrown.says(
        ShapeException.class,
        () -> loss.blank(3).of(x, new int[][] {{1}, {2}}),
        "ctcLoss: scores=3×2×4, blank=3; need 0 ≤ blank < 3");
    Thrown.says(
        IllegalArgumentException.class,
        () -> loss.of(x, new int[2], new int[][] {{}, {}}),
        "ctcLoss: all 2 lengths are 0; a loss needs a step");
  }

  @Test
  void itsTextIsItsSettings() {
    assertEquals(
        "CtcLoss(SUM, blank=2, zeroInfinity)",
        new CtcLoss().blank(2).zeroInfinity().reduction(LossReduction.SUM).toString());
  }
}
