package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.train.Sequences;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class PaddedTest {
  private static final float NAN = Float.NaN;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** Sequences of 1, 0, 3 and 2 steps of one feature; what stands behind the ends is NaN. */
  private Padded sample() {
    Shape shape = Shape.of(1, 4, 3);
    return Padded.of(
        tape.variable(shape, 1, NAN, 2, 3, NAN, NAN, 4, 5, NAN, NAN, 6, NAN), 1, 0, 3, 2);
  }

  @Test
  void validStepsStandStepByStepAndTheLongestFirst() {
    Padded x = sample();
    assertEquals(Shape.of(1, 4, 3), x.shape());
    assertEquals(6, x.steps());
    assertArrayEquals(new int[] {2, 3, 0, 1}, x.order());
    assertArrayEquals(new float[] {2, 3, 1, 4, 5, 6}, x.valid().toArray());
    assertArrayEquals(new int[] {2, 3, 0, 6, 7, 10}, x.places());
    assertEquals("Padded(1×4×3, 6 valid steps)", x.toString());
  }

  @Test
  void stretchesAreWhatTheSameSequencesHave() {
    List<Tensor> stretches = sample().stretches();
    assertEquals(
        List.of(Shape.of(1, 3, 1), Shape.of(1, 2, 1), Shape.of(1, 1, 1)),
        stretches.stream().map(Tensor::shape).toList());
    assertArrayEquals(new float[] {4, 5}, stretches.get(1).toArray());
    Tensor same = tape.input(Shape.of(1, 2, 4), new float[8]);
    assertEquals(Shape.of(1, 2, 3), Padded.of(same, 3, 3).stretches().getFirst().shape());
  }

  /** A batch of other lengths takes the tables of the one before it, which is still in use. */
  @Test
  void batchesOfOtherLengthsDoNotDisturbEachOther() {
    Padded first = sample();
    assertArrayEquals(new float[] {6, 5, 1, 4, 3, 2}, first.reversed().valid().toArray());
    float[] more = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    for (int[] lengths : new int[][] {{3, 3, 3, 2}, {0, 1, 0, 0}, {3, 3, 0, 2}}) {
      Padded other = Padded.of(tape.input(Shape.of(1, 4, 3), more), lengths);
      Padded twice = other.reversed().reversed();
      assertArrayEquals(other.valid().toArray(), twice.valid().toArray());
      assertArrayEquals(new int[] {2, 3, 0, 6, 7, 10}, first.places());
      assertArrayEquals(new float[] {6, 5, 1, 4, 3, 2}, first.reversed().valid().toArray());
      assertArrayEquals(new float[] {1, 0, 6, 5}, first.last().toArray());
    }
  }

  /** The sizes of the stretches without the stretches. */
  @Test
  void stretchesHaveSizes() {
    Padded x = sample();
    assertEquals(3, x.stretchCount());
    for (int i = 0; i < 3; i++) {
      Shape shape = x.stretches().get(i).shape();
      assertEquals(shape.batch(), x.stretchBatch(i));
      assertEquals(shape.time(), x.stretchTime(i));
    }
    assertThrows(IndexOutOfBoundsException.class, () -> x.stretchBatch(3));
    assertThrows(IndexOutOfBoundsException.class, () -> x.stretchTime(3));
    assertThrows(IndexOutOfBoundsException.class, () -> x.stretchTime(-1));
  }

  @Test
  void zerosStandBehindTheEndsAndNoGradientComesFromThere() {
    Padded x = sample();
    Tensor input = x.valid();
    Padded y = x.map(valid -> valid.scale(2));
    assertArrayEquals(new float[] {2, 0, 4, 6, 0, 0, 8, 10, 0, 0, 12, 0}, y.data().toArray());
    tape.backward(y.data(), 1, NAN, 2, 3, NAN, NAN, 4, 5, NAN, NAN, 6, NAN);
    assertArrayEquals(new float[] {4, 6, 2, 8, 10, 12}, input.gradientArray());
  }

  @Test
  void theGradientOfTheDataIsZeroBehindTheEnds() {
    Tensor data = tape.variable(Shape.of(1, 2, 2), 1, 2, 3, NAN);
    Padded x = Padded.of(data, 2, 1);
    tape.backward(x.data(), 5, 6, 7, 8);
    assertArrayEquals(new float[] {5, 6, 7, 0}, data.gradientArray());
  }

  @Test
  void sequencesOfAllStepsAreNotCopied() {
    Tensor data = tape.variable(Shape.of(2, 3, 4), new float[24]);
    Padded x = Padded.of(data, 4, 4, 4);
    assertSame(data, x.data());
    assertEquals(1, x.stretches().size());
    assertEquals(data.shape(), x.stretches().getFirst().shape());
  }

  @Test
  void oneHotColumnsStayOneHot() {
    Padded x = Padded.of(tape.oneHot(Shape.of(3, 2, 2), 0, 2, 1, 0), 1, 2);
    assertArrayEquals(new int[] {2, 0, 0}, ((OneHot) x.valid()).indexes());
    assertArrayEquals(new int[] {0}, ((OneHot) x.stretches().get(1)).indexes());
    assertArrayEquals(new float[] {1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0}, x.data().toArray());
  }

  @Test
  void takingColumnsHasAGradient() {
    GradientCheck.of(Shape.of(3, 4))
        .check("take", x -> x[0].take(2, 0, 2), x -> columns(3, x[0], 2, 0, 2));
    GradientCheck.of(Shape.of(3, 4))
        .check("take each once", x -> x[0].take(3, 1), x -> columns(3, x[0], 3, 1));
  }

  private static double[] columns(int rows, double[] x, int... columns) {
    double[] y = new double[rows * columns.length];
    for (int j = 0; j < columns.length; j++) {
      System.arraycopy(x, columns[j] * rows, y, j * rows, rows);
    }
    return y;
  }

  @Test
  void badLengthsThrow() {
    Tensor data = tape.input(Shape.of(3, 4, 5), new float[60]);
    Thrown.says(
        ShapeException.class,
        () -> Padded.of(data, 1, 2, 3),
        "padded: data=3×4×5, 3 lengths; need one per sequence, 4");
    Thrown.says(
        ShapeException.class,
        () -> Padded.of(data, 1, 2, 6, 0),
        "padded: data=3×4×5, lengths[2]=6; need 0 ≤ length ≤ 5");
    Thrown.says(ShapeException.class, () -> Padded.of(data, 1, -1, 2, 3), "lengths[1]=-1");
    Thrown.says(
        ShapeException.class,
        () -> Padded.of(data, 0, 0, 0, 0),
        "padded: data=3×4×5, all 4 lengths are 0; need one step or more");
    Thrown.says(
        ShapeException.class,
        () -> Padded.of(data.time(0), 1, 1, 1, 1),
        "padded: data=3×4; need features × batch × time");
    Padded x = Padded.of(data, 1, 2, 3, 0);
    Thrown.says(
        IndexOutOfBoundsException.class, () -> x.length(4), "column=4; need 0 ≤ column < 4");
    Thrown.says(
        ShapeException.class,
        () -> x.map(valid -> valid.columns(0, 2)),
        "map: 3×6 became 3×2; need as many columns");
    Thrown.says(
        ShapeException.class,
        () -> x.ofStretches(List.of(data)),
        "stretches: [3×4×5]; need 3 of equal rows, with sequences and steps [3×1, 2×1, 1×1]");
  }

  @Test
  void aClearedTapeEndsIt() {
    Padded x = sample();
    tape.clear();
    Thrown.says(IllegalStateException.class, x::data, "cleared");
  }

  @Test
  void lengthsAreCopied() {
    int[] lengths = {1, 2};
    Padded x = Padded.of(tape.input(Shape.of(1, 2, 2), 1, 2, 3, 4), lengths);
    lengths[0] = 2;
    x.lengths()[1] = 0;
    assertArrayEquals(new int[] {1, 2}, x.lengths());
    assertEquals(1, x.length(0));
  }

  @Test
  void sequencesOfAnyLengthsArePadded() {
    Padded x =
        Sequences.padded(
            tape, List.of(new float[0][], new float[][] {{1, 2}}, new float[][] {{3, 4}, {5, 6}}));
    assertArrayEquals(new int[] {0, 1, 2}, x.lengths());
    assertArrayEquals(new float[] {0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 5, 6}, x.data().toArray());
    Padded words = Sequences.padded(tape, 3, List.of(new int[] {2}, new int[] {1, 0}));
    assertArrayEquals(new int[] {1, 2, 0}, ((OneHot) words.valid()).indexes());
    Thrown.says(
        ShapeException.class,
        () -> Sequences.padded(tape, List.of(new float[0][], new float[0][])),
        "padded: 2 sequences without a step; need one step or more");
    Thrown.says(
        ShapeException.class,
        () -> Sequences.padded(tape, List.of(new float[][] {{1}}, new float[][] {{1}, {2, 3}})),
        "padded: sequence 1, step 1 has 2 features; need 1");
  }

  /** The steps that stay, for lengths at random: each valid value once, in its place. */
  @Test
  void spreadingUndoesPacking() {
    Random random = new Random(3);
    for (int round = 0; round < Devices.rounds(20); round++) {
      int batch = 1 + random.nextInt(70);
      int time = 1 + random.nextInt(9);
      int[] lengths = random.ints(batch, 0, time + 1).toArray();
      lengths[random.nextInt(batch)] = time;
      Shape shape = Shape.of(3, batch, time);
      float[] values = new float[shape.count()];
      for (int i = 0; i < values.length; i++) {
        values[i] = i / 3 / batch < lengths[i / 3 % batch] ? random.nextFloat() - 0.5f : NAN;
      }
      Padded x = Padded.of(tape.variable(shape, values), lengths);
      float[] expected = values.clone();
      for (int i = 0; i < expected.length; i++) {
        expected[i] = Float.isNaN(expected[i]) ? 0 : expected[i];
      }
      Padded again = x.ofStretches(x.stretches());
      assertArrayEquals(expected, again.data().toArray(), Arrays.toString(lengths));
      assertFalse(again.stretches().isEmpty());
      tape.clear();
    }
  }
}
