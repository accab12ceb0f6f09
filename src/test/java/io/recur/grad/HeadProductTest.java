package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Outer products and products of a matrix per column, with their gradients. */
class HeadProductTest {
  /** PyTorch's numbers are rounded to nine digits; ours are floats, sums of up to 5 terms. */
  private static final double PINNED = 1e-6;

  private static final int[] SIZES = {1, 3, 16, 17, 63, 64, 65, 257};

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static double[] outer(int m, int n, double[] a, double[] b) {
    double[] y = new double[a.length * n];
    for (int i = 0; i < y.length; i++) {
      int column = i / (m * n);
      y[i] = a[column * m + i % m] * b[column * n + i / m % n];
    }
    return y;
  }

  private static double[] product(int m, int n, double[] s, double[] q) {
    double[] y = new double[s.length / n];
    for (int i = 0; i < s.length; i++) {
      int column = i / (m * n);
      y[column * m + i % m] += s[i] * q[column * n + i / m % n];
    }
    return y;
  }

  private static void check(int m, int n, Shape columns) {
    Shape a = columns.withRows(m);
    Shape b = columns.withRows(n);
    Shape s = columns.withRows(m * n);
    String what = m + "×" + n + " " + columns;
    GradientCheck.of(a, b).check(what, x -> Outer.outer(x[0], x[1]), x -> outer(m, n, x[0], x[1]));
    GradientCheck.of(s, b)
        .check(what, x -> HeadProduct.product(x[0], x[1]), x -> product(m, n, x[0], x[1]));
  }

  @Test
  void valuesAndGradientsAreThoseOfEachColumn() {
    for (Shape columns : new Shape[] {Shape.of(1), Shape.of(1, 3), Shape.of(1, 2, 3)}) {
      check(2, 3, columns);
      check(4, 1, columns);
      check(1, 5, columns);
    }
  }

  @Test
  void everySizeOfAMatrixAndOfABatch() {
    for (int size : SIZES) {
      check(size, 3, Shape.of(1, 2));
      check(3, size, Shape.of(1, 2));
      check(2, 3, Shape.of(1, size));
    }
  }

  @Test
  void valuesAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("heads.txt");
    Tensor a = tape.variable(Shape.of(pinned.dims("a")), pinned.floats("a"));
    Tensor b = tape.variable(Shape.of(pinned.dims("b")), pinned.floats("b"));
    Tensor q = tape.variable(Shape.of(pinned.dims("q")), pinned.floats("q"));
    Tensor s = Outer.outer(a, b);
    Tensor y = HeadProduct.product(s, q);
    tape.backward(y, pinned.floats("dy"));
    Near.check("s", pinned.doubles("s"), s.toArray(), PINNED);
    Near.check("y", pinned.doubles("y"), y.toArray(), PINNED);
    Near.check("ds", pinned.doubles("ds"), s.gradientArray(), PINNED);
    Near.check("da", pinned.doubles("da"), a.gradientArray(), PINNED);
    Near.check("db", pinned.doubles("db"), b.gradientArray(), PINNED);
    Near.check("dq", pinned.doubles("dq"), q.gradientArray(), PINNED);
  }

  @Test
  void aMatrixIsStoredByColumns() {
    Tensor y = Outer.outer(tape.input(1, 2), tape.input(10, 20, 30));
    assertEquals(Shape.of(6), y.shape());
    assertArrayEquals(new float[] {10, 20, 20, 40, 30, 60}, y.toArray());
    Tensor product = HeadProduct.product(y, tape.input(1, 0, 1));
    assertArrayEquals(new float[] {40, 80}, product.toArray());
  }

  @Test
  void shapesThatDoNotFitAreRefused() {
    Tensor two = tape.input(Shape.of(4, 2), new float[8]);
    Tensor three = tape.input(Shape.of(2, 3), new float[6]);
    Tensor odd = tape.input(Shape.of(3, 2), new float[6]);
    Thrown.says(ShapeException.class, () -> Outer.outer(two, three), "outer: a=4×2, b=2×3");
    Thrown.says(
        ShapeException.class, () -> HeadProduct.product(two, three), "product: S=4×2, q=2×3");
    Thrown.says(
        ShapeException.class, () -> HeadProduct.product(two, odd), "S=4×2, q=3×2", "a multiple");
  }
}
