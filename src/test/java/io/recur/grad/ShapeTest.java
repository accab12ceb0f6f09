package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Devices;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class ShapeTest {
  @Test
  void dimensionsAreFeaturesBatchTime() {
    Shape shape = Shape.of(3, 4, 5);
    assertEquals(3, shape.rows());
    assertEquals(4, shape.batch());
    assertEquals(5, shape.time());
    assertEquals(20, shape.columns());
    assertEquals(60, shape.count());
    assertEquals(Shape.of(7, 4, 5), shape.withRows(7));
  }

  @Test
  void printsAsItIsWritten() {
    assertEquals("3", Shape.of(3).toString());
    assertEquals("3×4", Shape.of(3, 4).toString());
    assertEquals("3×4×5", Shape.of(3, 4, 5).toString());
  }

  @Test
  void dimensionsGiveTheShapeBack() {
    for (int[] dimensions : new int[][] {{3}, {3, 4}, {3, 4, 5}, {3, 1}, {3, 1, 1}}) {
      assertArrayEquals(dimensions, Shape.of(dimensions).dimensions());
    }
  }

  @Test
  void sizesBelowOneThrow() {
    for (int[] wrong : new int[][] {{0}, {3, -1}, {3, 4, 0}}) {
      Thrown.says(ShapeException.class, () -> Shape.of(wrong), "shape: rank=", "each 1 or more");
    }
    Thrown.says(ShapeException.class, () -> Shape.of(), "0 dimensions; need 1 to 3");
    Thrown.says(ShapeException.class, () -> Shape.of(1, 2, 3, 4), "4 dimensions; need 1 to 3");
  }

  @Test
  void moreValuesThanAnIntCountsThrow() {
    Thrown.says(
        ShapeException.class,
        () -> Shape.of(65536, 32768),
        "shape: 65536×32768×1 is 2147483648 values; at most 2147483647");
    int large = 1 << 22; // its cube is 2⁶⁶, which a long takes for 0
    Thrown.says(
        ShapeException.class,
        () -> Shape.of(large, large, large),
        "4194304×4194304×4194304 is",
        "at most 2147483647");
  }
}
