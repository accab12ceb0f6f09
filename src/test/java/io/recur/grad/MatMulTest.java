package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class MatMulTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static void check(int m, int k, Shape x) {
    GradientCheck.of(Shape.of(m, k), x)
        .check(
            "matmul " + m + "×" + k + " · " + x,
            t -> t[0].matmul(t[1]),
            t -> Reference.matmul(m, k, t[0], t[1]));
  }

  @Test
  void aVectorGivesAVector() {
    check(5, 3, Shape.of(3));
    check(1, 17, Shape.of(17));
    check(17, 1, Shape.of(1));
    check(1, 1, Shape.of(1));
  }

  @Test
  void aBatchGivesABatch() {
    check(5, 3, Shape.of(3, 4));
    check(5, 3, Shape.of(3, 1));
    check(1, 3, Shape.of(3, 17));
    check(16, 1, Shape.of(1, 3));
  }

  @Test
  void sequencesGiveSequences() {
    check(4, 3, Shape.of(3, 2, 5));
    check(4, 3, Shape.of(3, 1, 5));
  }

  @Test
  void theShapeFollowsTheRightFactor() {
    Tensor a = tape.input(Shape.of(5, 3), new float[15]);
    assertEquals(Shape.of(5), a.matmul(tape.input(new float[3])).shape());
    assertEquals(Shape.of(5, 2), a.matmul(tape.input(Shape.of(3, 2), new float[6])).shape());
    Tensor sequences = tape.input(Shape.of(3, 2, 4), new float[24]);
    assertEquals(Shape.of(5, 2, 4), a.matmul(sequences).shape());
  }

  @Test
  void oneHotColumnsHaveTheDenseGradient() {
    int m = 5;
    int k = 4;
    for (Shape shape : new Shape[] {Shape.of(k), Shape.of(k, 3), Shape.of(k, 3, 2)}) {
      Random random = new Random(2);
      int[] index = random.ints(shape.columns(), 0, k).toArray();
      double[] dense = new double[shape.count()];
      for (int j = 0; j < index.length; j++) {
        dense[j * k + index[j]] = 1;
      }
      GradientCheck.of(Shape.of(m, k))
          .check(
              "one-hot " + shape,
              t -> {
                Tape tape = t[0].tape();
                return t[0].matmul(tape.oneHot(shape, index));
              },
              t -> Reference.matmul(m, k, t[0], dense));
    }
  }

  @Test
  void aParameterTimesOneHotSumsWhereClassesRepeat() {
    Parameter w = Parameter.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6).on(device);
    Tensor y = w.matmul(tape.oneHot(Shape.of(3, 4), 2, 0, 2, 2));
    assertArrayEquals(new float[] {5, 6, 1, 2, 5, 6, 5, 6}, y.toArray());
    tape.backward(y, 1, 2, 10, 20, 100, 200, 1000, 2000);
    assertArrayEquals(new float[] {10, 20, 0, 0, 1101, 2202}, w.gradientArray());
  }

  @Test
  void sizesThatDoNotFitThrow() {
    Tensor w = tape.input(Shape.of(20, 5), new float[100]);
    Tensor x = tape.input(Shape.of(4, 3), new float[12]);
    Thrown.says(
        ShapeException.class,
        () -> w.matmul(x),
        "matmul: W=20×5, x=4×3; need a matrix W with W.cols == x.rows, 5 != 4: x is features × batch × time");
    Tensor sequences = tape.input(Shape.of(2, 2, 2), new float[8]);
    Thrown.says(ShapeException.class, () -> sequences.matmul(x), "W=2×2×2", "x=4×3");
    Thrown.says(ShapeException.class, () -> w.matmul(tape.oneHot(Shape.of(3), 1)), "5 != 3");
  }
}
