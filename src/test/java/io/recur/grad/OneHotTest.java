package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class OneHotTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void denseValuesHaveAOneInEveryColumn() {
    OneHot x = tape.oneHot(Shape.of(3, 2, 2), 0, 2, 1, 1);
    assertArrayEquals(new float[] {1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0}, x.toArray());
    assertFalse(x.isDifferentiable());
  }

  @Test
  void aProductEqualsTheDenseOne() {
    Random random = new Random(3);
    for (Shape shape : new Shape[] {Shape.of(7), Shape.of(7, 5), Shape.of(7, 5, 3)}) {
      OneHot x = tape.oneHot(shape, random.ints(shape.columns(), 0, 7).toArray());
      Tensor dense = tape.input(shape, x.toArray());
      float[] values = new float[17 * 7];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat();
      }
      Tensor w = tape.input(Shape.of(17, 7), values);
      assertArrayEquals(w.matmul(dense).toArray(), w.matmul(x).toArray());
      assertEquals(w.matmul(dense).shape(), w.matmul(x).shape());
    }
  }

  @Test
  void viewsStayOneHot() {
    OneHot x = tape.oneHot(Shape.of(4, 2, 3), 0, 1, 2, 3, 1, 0);
    for (Tensor view :
        new Tensor[] {
          x.time(1),
          x.times(1, 3),
          x.time(2).columns(1, 2),
          x.reshape(Shape.of(4, 6)),
          x.reshape(Shape.of(4, 6)).columns(3, 5)
        }) {
      assertInstanceOf(OneHot.class, view);
    }
    assertArrayEquals(new float[] {0, 0, 1, 0, 0, 0, 0, 1}, x.time(1).toArray());
    assertArrayEquals(new float[] {1, 0, 0, 0}, x.time(2).columns(1, 2).toArray());
    Tensor w = tape.input(Shape.of(1, 4), 10, 11, 12, 13);
    assertArrayEquals(new float[] {12, 13, 11, 10}, w.matmul(x.times(1, 3)).toArray());
  }

  @Test
  void otherRowsMakeADenseView() {
    Tensor view = tape.oneHot(Shape.of(4, 2), 1, 2).reshape(Shape.of(2, 4));
    assertFalse(view instanceof OneHot);
    assertArrayEquals(new float[] {0, 1, 0, 0, 0, 0, 1, 0}, view.toArray());
  }

  @Test
  void otherOperationsSeeTheDenseValues() {
    OneHot x = tape.oneHot(Shape.of(3, 2), 2, 0);
    Tensor b = tape.variable(Shape.of(3), 5, 6, 7);
    Tensor y = x.add(b);
    assertArrayEquals(new float[] {5, 6, 8, 6, 6, 7}, y.toArray());
    tape.backward(y.mul(x).sum());
    assertArrayEquals(new float[] {1, 0, 1}, b.gradientArray());
  }

  @Test
  void manyClassesTakeMemoryForTheirColumnsAlone() {
    int classes = 50_000; // an identity matrix of this size would hold 10 GB
    float[] values = tape.oneHot(Shape.of(classes, 2), 0, classes - 1).toArray();
    assertEquals(1, values[0]);
    assertEquals(1, values[2 * classes - 1]);
    assertTrue(tape.bytes() < 16 * classes + (8 << 20), tape.bytes() + " bytes");
  }

  @Test
  void theIndexesAreCopied() {
    int[] index = {1, 2};
    OneHot x = tape.oneHot(Shape.of(3, 2), index);
    index[0] = 0;
    assertArrayEquals(new float[] {0, 1, 0, 0, 0, 1}, x.toArray());
  }

  @Test
  void anIndexOutOfRangeThrows() {
    Thrown.says(
        ShapeException.class,
        () -> tape.oneHot(Shape.of(4, 3), 0, 4, 1),
        "oneHot: index[1]=4, classes=4; need 0 ≤ index < classes");
    Thrown.says(ShapeException.class, () -> tape.oneHot(Shape.of(4), -1), "index[0]=-1");
    Thrown.says(
        ShapeException.class,
        () -> tape.oneHot(Shape.of(4, 3), 0, 1),
        "oneHot: shape=4×3, 2 indexes; need one per column, 3");
  }

  @Test
  void afterClearItIsStale() {
    OneHot x = tape.oneHot(Shape.of(3), 1);
    x.value();
    tape.clear();
    Thrown.says(IllegalStateException.class, x::index, "made before the tape was cleared");
    Thrown.says(IllegalStateException.class, x::value, "made before the tape was cleared");
  }
}
