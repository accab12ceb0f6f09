package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Law 14: a sliding truncation gives, bit for bit, the gradients of a fresh run over the last k
 * inputs from the state of k steps ago.
 */
class SlidingTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int STEPS = 7;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Chain model(Cells cells) {
    return chain(cells.make(IN, OUT), dense(OUT, 2), Cells.LSTM.make(2, OUT)).on(device, 7);
  }

  @ParameterizedTest
  @EnumSource
  void gradientsAreThoseOfAFreshRunOverTheWindow(Cells cells) {
    check(model(cells), 3, t -> Cells.input(tape, t, IN, 2));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 6, 7, 20})
  void everyLengthOfTheWindow(int k) {
    check(model(Cells.GRU), k, t -> Cells.input(tape, t, IN));
  }

  @Test
  void indexesAreKeptAsIndexes() {
    Chain text = chain(embedding(5, IN), Cells.GRU.make(IN, OUT)).on(device, 7);
    check(text, 3, t -> tape.oneHot(Shape.of(5, 2), t % 5, 3 * t % 5));
  }

  /** The states before step t are those of a run without the window: the weights stay. */
  private void check(Chain model, int k, IntFunction<Tensor> input) {
    Chain plain = model.fork();
    List<Snapshot> states = new ArrayList<>();
    Sliding sliding = model.slide(k);
    for (int t = 0; t < STEPS; t++) {
      states.add(plain.save());
      plain.apply(input.apply(t));
      plain.truncate();
      Tensor x = input.apply(t);
      int before = tape.length();
      Tensor y = sliding.apply(x);
      int recorded = tape.length() - before;
      float[] values = y.toArray();
      tape.backward(Cells.weighed(tape, y, 1));
      Map<String, float[]> gradients = Cells.gradients(model);
      model.parameters().zeroGradients();
      sliding.truncate();
      tape.clear();

      int from = Math.max(0, t - k + 1);
      Chain again = model.fork();
      again.restore(states.get(from));
      Tensor last = null;
      for (int s = from; s <= t; s++) {
        last = again.apply(input.apply(s));
      }
      assertTrue(recorded <= tape.length(), "k steps per call, not " + recorded);
      assertArrayEquals(last.toArray(), values);
      tape.backward(Cells.weighed(tape, last, 1));
      Map<String, float[]> expected = Cells.gradients(model);
      expected.forEach((name, dw) -> assertArrayEquals(dw, gradients.get(name), name));
      model.parameters().zeroGradients();
      again.truncate();
      tape.clear();
    }
    plain.close();
  }

  private final Chain model = model(Cells.LSTM);
  private final Sliding sliding = model.slide(3);

  private float[] gradient(Tensor y) {
    model.parameters().zeroGradients();
    tape.backward(Cells.weighed(tape, y, 1));
    return model.parameters().iterator().next().gradientArray();
  }

  private float[] step(Layer layer, long seed) {
    return gradient(layer.apply(Cells.input(tape, seed, IN, 2)));
  }

  /** The state that other calls made is where the next window begins. */
  @Test
  void aChangeFromOutsideBeginsAWindow() {
    step(sliding, 1);
    step(sliding, 2);
    Snapshot saved = model.save();
    model.restore(saved);
    float[] restored = step(sliding, 3);
    model.restore(saved);
    assertArrayEquals(step(model, 3), restored);
    chain(sliding, dense(OUT, 1)).reset();
    float[] fresh = step(sliding, 3);
    model.reset();
    assertArrayEquals(step(model, 3), fresh);
    Snapshot stepped = model.save();
    float[] next = step(sliding, 4);
    model.restore(stepped);
    assertArrayEquals(step(model, 4), next);
  }

  @Test
  void truncateLeavesTheWindow() {
    List<float[]> with = new ArrayList<>();
    List<float[]> without = new ArrayList<>();
    for (List<float[]> gradients : List.of(with, without)) {
      for (int t = 0; t < STEPS; t++) {
        gradients.add(step(sliding, t));
        if (gradients == with) {
          sliding.truncate();
          tape.clear();
        }
      }
      sliding.reset();
    }
    assertTrue(Arrays.deepEquals(with.toArray(), without.toArray()));
  }

  @Test
  void inferenceRunsOnce() {
    try (Tape stream = Tape.inference(device)) {
      float[] first = sliding.apply(Cells.input(stream, 1, IN, 2)).toArray();
      float[] second = sliding.apply(Cells.input(stream, 2, IN, 2)).toArray();
      model.reset();
      assertArrayEquals(first, model.apply(Cells.input(stream, 1, IN, 2)).toArray());
      assertArrayEquals(second, model.apply(Cells.input(stream, 2, IN, 2)).toArray());
    }
  }

  @Test
  void aCallThatFailsChangesNothing() {
    step(sliding, 1);
    step(sliding, 2);
    float[] expected = step(sliding.fork(), 3);
    byte[] before = model.save().toBytes();
    assertThrows(
        ShapeException.class, () -> sliding.apply(Cells.input(tape, 1, IN, 2, 2)), "a sequence");
    assertThrows(ShapeException.class, () -> sliding.apply(Cells.input(tape, 1, IN, 5)), "batch");
    assertThrows(ShapeException.class, () -> sliding.apply(Cells.input(tape, 1, 9, 2)), "rows");
    assertArrayEquals(before, model.save().toBytes());
    float[] reached = step(sliding, 3);
    assertEquals(expected.length, reached.length);
    assertTrue(!Arrays.equals(expected, reached), "the window was lost: a fork has none");
    assertThrows(IllegalArgumentException.class, () -> model.slide(0));
  }

  @Test
  void closedIsClosed() {
    step(sliding, 1);
    sliding.close();
    sliding.close();
    assertThrows(IllegalStateException.class, () -> step(sliding, 2));
  }
}
