package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Thrown;
import io.recur.device.Devices;
import io.recur.grad.CrossEntropyLoss;
import io.recur.grad.ShapeException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class ClassWeightsTest {
  /** sklearn.utils.class_weight: compute_class_weight("balanced", …) is n/(k·count). */
  @Test
  void everyClassThatOccursHasTheSamePart() {
    assertArrayEquals(new float[] {0.5f, 2, 2}, ClassWeights.balanced(3, 0, 0, 1, 0, 2, 0));
    assertArrayEquals(new float[] {1, 0, 1}, ClassWeights.balanced(3, 0, 2));
    int ignored = CrossEntropyLoss.IGNORED;
    assertArrayEquals(new float[] {1, 1}, ClassWeights.balanced(2, ignored, 0, ignored, 1));
  }

  @Test
  void badTargetsThrow() {
    Thrown.says(ShapeException.class, () -> ClassWeights.balanced(0, 1), "classes=0");
    Thrown.says(
        ShapeException.class, () -> ClassWeights.balanced(1 << 25, 1), "need 1 to 16777216");
    Thrown.says(
        IllegalArgumentException.class, () -> ClassWeights.balanced(2, 0, 2), "targets[1]=2");
    Thrown.says(
        IllegalArgumentException.class, () -> ClassWeights.balanced(2, -1), "targets[0]=-1");
    Thrown.says(
        IllegalArgumentException.class,
        () -> ClassWeights.balanced(2, CrossEntropyLoss.IGNORED),
        "classWeights: 1 targets, all ignored");
  }
}
