package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class ConfusionTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);

  /** Scores of 4 classes whose largest is the class that is named. */
  private Tensor predicting(int batch, int time, int... classes) {
    float[] scores = new float[4 * classes.length];
    for (int j = 0; j < classes.length; j++) {
      for (int i = 0; i < 4; i++) {
        scores[4 * j + i] = -Math.abs(i - classes[j]);
      }
    }
    return tape.input(Shape.of(4, batch, time), scores);
  }

  /**
   * scikit-learn's definitions by hand: classes 0, 1 and 2 occur, 3 does not. Targets 0 0 0 1 1 2,
   * predictions 0 0 1 1 0 2: of class 0 TP 2, FP 1, FN 1, of class 1 TP 1, FP 1, FN 1.
   */
  @Test
  void measuresFollowTheirDefinitions() {
    Confusion confusion = new Confusion(4);
    assertTrue(Double.isNaN(confusion.accuracy()) && Double.isNaN(confusion.f1()));
    // sequences: (0 0), (0 1), (1 2) of two steps
    confusion.add(predicting(3, 2, 0, 1, 0, 0, 1, 2), 0, 0, 1, 0, 1, 2);
    assertEquals(6, confusion.total());
    assertEquals(4.0 / 6, confusion.accuracy());
    assertEquals(1.0 / 3, confusion.sequenceAccuracy());
    assertEquals(2.0 / 3, confusion.precision(0));
    assertEquals(2.0 / 3, confusion.recall(0));
    assertEquals(2.0 / 3, confusion.f1(0));
    assertEquals(0.5, confusion.f1(1));
    assertEquals(1, confusion.f1(2));
    assertTrue(Double.isNaN(confusion.f1(3)));
    assertEquals((2.0 / 3 + 0.5 + 1) / 3, confusion.f1(), 1e-15);
    assertEquals(1, confusion.count(1, 0));
    assertEquals(1, confusion.count(0, 1));
    assertEquals(0, confusion.count(2, 0));
    confusion.clear();
    assertEquals(0, confusion.total());
    assertTrue(Double.isNaN(confusion.sequenceAccuracy()));
  }

  @Test
  void ignoredColumnsCountNowhere() {
    Confusion confusion = new Confusion(4);
    // the first sequence ends after a step, the third has none
    confusion.add(predicting(3, 2, 0, 1, 3, 3, 1, 3), 0, 1, -100, -100, 2, -100);
    assertEquals(3, confusion.total());
    assertEquals(2.0 / 3, confusion.accuracy());
    assertEquals(0.5, confusion.sequenceAccuracy());
  }

  /** Lengths 2, 1 and 0: what is behind an end may be NaN and any number. */
  @Test
  void lengthsAreRespected() {
    float nan = Float.NaN;
    float[] scores = predicting(3, 2, 0, 1, 3, 3, 1, 3).toArray();
    Arrays.fill(scores, 4 * 2, 4 * 3, nan);
    Arrays.fill(scores, 4 * 4, 4 * 6, nan);
    int[] lengths = {2, 1, 0};
    Padded padded = Padded.of(tape.input(Shape.of(4, 3, 2), scores), lengths);
    Confusion ints = new Confusion(4);
    ints.add(padded, 0, 1, 99, 2, -7, 99);
    Confusion oneHot = new Confusion(4);
    oneHot.add(padded, Padded.of(tape.oneHot(Shape.of(4, 3, 2), 0, 1, 0, 2, 0, 0), lengths));
    for (Confusion confusion : new Confusion[] {ints, oneHot}) {
      assertEquals(3, confusion.total());
      assertEquals(1, confusion.count(0, 0));
      assertEquals(1, confusion.count(1, 1));
      assertEquals(1, confusion.count(2, 3));
      assertEquals(0.5, confusion.sequenceAccuracy());
    }
    ints.add(padded, 0, Confusion.IGNORED, 0, 3, 0, 0);
    assertEquals(5, ints.total());
    assertEquals(2.0 / 3, ints.sequenceAccuracy());
  }

  @Test
  void sequencesThatDoNotFitChangeNothing() {
    Confusion confusion = new Confusion(4);
    Padded scores = Padded.of(predicting(2, 2, 0, 1, 2, 3), 2, 1);
    Thrown.says(
        ShapeException.class, () -> confusion.add(scores, 0, 1, 2), "scores=4×2×2, 3 targets");
    Thrown.says(
        IllegalArgumentException.class, () -> confusion.add(scores, 0, 1, 4, 0), "targets[2]=4");
    Tensor classes = tape.oneHot(Shape.of(4, 2, 2), 0, 1, 2, 3);
    for (Padded bad :
        new Padded[] {
          Padded.of(classes, 1, 2),
          Padded.of(predicting(2, 2, 0, 1, 2, 3), 2, 1),
          Padded.of(tape.oneHot(Shape.of(3, 2, 2), 0, 1, 2, 2), 2, 1)
        }) {
      Thrown.says(
          ShapeException.class,
          () -> confusion.add(scores, bad),
          "targets=" + bad,
          "need one-hot targets of the same lengths");
    }
    assertEquals(0, confusion.total());
  }

  @Test
  void equalScoresPredictTheFirst() {
    Confusion confusion = new Confusion(3);
    confusion.add(tape.input(2, 5, 5), 1);
    assertEquals(1, confusion.count(1, 1));
  }

  @Test
  void badInputChangesNothing() {
    Confusion confusion = new Confusion(4);
    Tensor scores = predicting(2, 1, 0, 1);
    Thrown.says(
        ShapeException.class,
        () -> confusion.add(scores, 0),
        "2×1",
        "1 targets, classes=4; need a row per class, a target per column");
    Thrown.says(ShapeException.class, () -> new Confusion(3).add(scores, 0, 1), "classes=3");
    Thrown.says(IllegalArgumentException.class, () -> confusion.add(scores, 0, 4), "targets[1]=4");
    Thrown.says(
        IllegalArgumentException.class, () -> confusion.add(scores, 0, -2), "targets[1]=-2");
    Tensor nan = tape.input(Shape.of(4, 2), 0, 0, 0, 0, 0, 0, Float.NaN, 0);
    Thrown.says(
        IllegalArgumentException.class,
        () -> confusion.add(nan, 0, 0),
        "the score of class 2 in column 1 is NaN");
    assertEquals(0, confusion.total());
    confusion.add(nan, 0, Confusion.IGNORED); // the column with NaN is not counted
    assertEquals(1, confusion.total());
    Thrown.says(IllegalArgumentException.class, () -> confusion.count(0, 4), "class=4");
    Thrown.says(IllegalArgumentException.class, () -> confusion.f1(-1), "class=-1");
    Thrown.says(ShapeException.class, () -> new Confusion(0), "classes=0");
  }
}
