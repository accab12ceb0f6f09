package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Products and scores of each sequence of a batch, with their gradients, in double precision. */
class BatchProductTest {
  private static final int[] SIZES = {1, 3, 16, 17, 65};

  /** Value i of step t of sequence b. */
  private static int at(Shape shape, int i, int b, int t) {
    return i + shape.rows() * (b + shape.batch() * t);
  }

  private static double[] product(Shape a, Shape x, double[] left, double[] right) {
    Shape y = Shape.of(a.rows(), x.batch(), x.time());
    double[] values = new double[y.count()];
    for (int s = 0; s < x.time(); s++) {
      for (int b = 0; b < x.batch(); b++) {
        for (int t = 0; t < a.time(); t++) {
          for (int i = 0; i < a.rows(); i++) {
            values[at(y, i, b, s)] += left[at(a, i, b, t)] * right[at(x, t, b, s)];
          }
        }
      }
    }
    return values;
  }

  private static double[] inner(Shape a, Shape x, double[] left, double[] right) {
    Shape y = Shape.of(a.time(), x.batch(), x.time());
    double[] values = new double[y.count()];
    for (int s = 0; s < x.time(); s++) {
      for (int b = 0; b < x.batch(); b++) {
        for (int t = 0; t < a.time(); t++) {
          for (int i = 0; i < a.rows(); i++) {
            values[at(y, t, b, s)] += left[at(a, i, b, t)] * right[at(x, i, b, s)];
          }
        }
      }
    }
    return values;
  }

  private static double[] scores(Shape k, Shape q, double[]... kqv) {
    Shape y = Shape.of(k.time(), q.batch(), q.time());
    double[] values = new double[y.count()];
    for (int s = 0; s < q.time(); s++) {
      for (int b = 0; b < q.batch(); b++) {
        for (int t = 0; t < k.time(); t++) {
          for (int i = 0; i < k.rows(); i++) {
            double sum = kqv[0][at(k, i, b, t)] + kqv[1][at(q, i, b, s)];
            values[at(y, t, b, s)] += kqv[2][i] * Math.tanh(sum);
          }
        }
      }
    }
    return values;
  }

  private static void check(int rows, int batch, int steps, int queries) {
    Shape a = Shape.of(rows, batch, steps);
    Shape x = Shape.of(steps, batch, queries);
    Shape q = Shape.of(rows, batch, queries);
    String what = a + " " + queries;
    GradientCheck.of(a, x)
        .check(what, t -> BatchProduct.product(t[0], t[1]), t -> product(a, x, t[0], t[1]));
    GradientCheck.of(a, q)
        .check(what, t -> BatchProduct.inner(t[0], t[1]), t -> inner(a, q, t[0], t[1]));
    GradientCheck.of(a, q, Shape.of(1, rows))
        .check(what, t -> AdditiveScores.of(t[0], t[1], t[2]), t -> scores(a, q, t));
  }

  @Test
  void valuesAndGradientsAreThoseOfEachSequence() {
    check(2, 3, 4, 5);
    check(4, 1, 3, 2);
    check(3, 2, 1, 4);
    check(3, 2, 4, 1);
    check(1, 1, 1, 1);
  }

  @Test
  void everySizeOfAMatrix() {
    for (int size : SIZES) {
      check(size, 2, 3, 2);
      check(2, size, 3, 2);
      check(2, 2, size, 3);
      check(2, 2, 3, size);
    }
  }

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void shapesThatDoNotFitAreRefused() {
    Tensor a = tape.input(Shape.of(4, 2, 3), new float[24]);
    Tensor v = tape.input(Shape.of(1, 4), new float[4]);
    Tensor other = tape.input(Shape.of(4, 3, 3), new float[36]);
    Thrown.says(
        ShapeException.class,
        () -> BatchProduct.product(a, a),
        "product: a=4×2×3, x=4×2×3; need one batch, and as many rows of x as steps of a");
    Thrown.says(
        ShapeException.class, () -> BatchProduct.inner(a, other), "inner: a=4×2×3, x=4×3×3");
    Thrown.says(
        ShapeException.class,
        () -> AdditiveScores.of(a, other, v),
        "scores: k=4×2×3, q=4×3×3, v=1×4; need units×batch×steps");
    Thrown.says(
        ShapeException.class, () -> AdditiveScores.of(a, a, a.time(0)), "v=4×2; need units");
    assertEquals(Shape.of(3, 2, 3), BatchProduct.inner(a, a).shape());
  }

  /** One operation for any number of queries; two where the batch is put in order. */
  @Test
  void queriesAreNotRecordedOneByOne() {
    for (int queries : new int[] {2, 9}) {
      Tensor k = tape.variable(Shape.of(4, 2, 3), new float[24]);
      Tensor q = tape.variable(Shape.of(4, 2, queries), new float[8 * queries]);
      Tensor v = tape.variable(Shape.of(1, 4), new float[4]);
      int before = tape.length();
      BatchProduct.inner(k, q);
      assertEquals(1, tape.length() - before);
      AdditiveScores.of(k, q, v);
      assertEquals(3, tape.length() - before);
    }
  }
}
