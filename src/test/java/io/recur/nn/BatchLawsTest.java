package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Law 8: a state of batch 1 is repeated for a larger batch; any other change throws. */
class BatchLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @ParameterizedTest
  @EnumSource
  void primeOnceThenFanOut(Cells cells) {
    fanOut(cells, false);
  }

  @ParameterizedTest
  @EnumSource
  void primeOnceTruncateThenFanOut(Cells cells) {
    fanOut(cells, true);
  }

  /** One primed state under B inputs is B Recurs that were primed alike, one input each. */
  private void fanOut(Cells cells, boolean truncate) {
    int batch = 4;
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor prime = Cells.input(tape, 1, IN, 1);
    Tensor x = Cells.input(tape, 2, IN, batch);
    Tensor loss = tape.input(0);
    List<float[]> columns = new ArrayList<>();
    for (int j = 0; j < batch; j++) {
      recur.reset();
      recur.apply(prime);
      if (truncate) {
        recur.truncate();
      }
      Tensor y = recur.apply(x.columns(j, j + 1));
      columns.add(y.toArray());
      loss = loss.add(Cells.weighed(tape, y, j));
    }
    tape.backward(loss);
    Map<String, float[]> gradients = Cells.gradients(recur);
    float[] dprime = prime.gradientArray();
    recur.parameters().zeroGradients();

    recur.reset();
    recur.apply(prime);
    if (truncate) {
      recur.truncate();
    }
    Tensor y = recur.apply(x);
    assertEquals(Shape.of(OUT, batch), y.shape());
    assertEquals(batch, recur.state().batch());
    Tensor sameLoss = tape.input(0);
    for (int j = 0; j < batch; j++) {
      near("column " + j, columns.get(j), y.columns(j, j + 1).toArray(), FLOAT);
      sameLoss = sameLoss.add(Cells.weighed(tape, y.columns(j, j + 1), j));
    }
    tape.backward(sameLoss);
    near("gradient", gradients, Cells.gradients(recur), FLOAT);
    near("gradient of the prime", dprime, prime.gradientArray(), FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void anyOtherChangeOfTheBatchThrowsAndChangesNothing(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 4);
    recur.apply(x);
    assertRefused(recur, 4, 3);
    assertRefused(recur, 4, 5);
    assertRefused(recur, 4, 1);
    recur.truncate();
    assertRefused(recur, 4, 3);
    assertRefused(recur, 4, 1);
    recur.reset();
    assertEquals(Shape.of(OUT, 3), recur.apply(Cells.input(tape, 1, IN, 3)).shape());
  }

  private void assertRefused(Recur recur, int before, int batch) {
    List<float[]> values = Cells.values(recur.state());
    Tensor other = Cells.input(tape, 2, IN, batch);
    ShapeException refusal = assertThrows(ShapeException.class, () -> recur.apply(other));
    assertTrue(refusal.getMessage().contains("state batch=" + before), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("x batch=" + batch), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("call reset()"), refusal.getMessage());
    List<float[]> after = Cells.values(recur.state());
    for (int i = 0; i < values.size(); i++) {
      assertArrayEquals(values.get(i), after.get(i));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRefusedBatchLeavesTheGradientRight(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 4);
    recur.apply(x.times(0, 2));
    tape.backward(Cells.weighed(tape, recur.apply(x.times(2, 4)), 1));
    Map<String, float[]> expected = Cells.gradients(recur);
    recur.parameters().zeroGradients();
    recur.reset();
    recur.apply(x.times(0, 2));
    assertRefused(recur, 2, 3);
    tape.backward(Cells.weighed(tape, recur.apply(x.times(2, 4)), 1));
    near("gradient", expected, Cells.gradients(recur), FLOAT);
  }

  /** A batch shares weights alone: what is no number in one stream stays there, bit for bit. */
  @ParameterizedTest
  @EnumSource
  void aStreamThatIsNoNumberSpoilsItselfAlone(Cells cells) {
    int batch = 3;
    int bad = 1;
    for (int size : new int[] {4, 40}) {
      Recur recur = cells.make(size, size).on(device, 1);
      Shape shape = Shape.of(size, batch, 2);
      float[] x = Cells.values(new Random(1), shape.count());
      float[] expected = recur.apply(tape.input(shape, x)).toArray();
      x[bad * size] = Float.NaN;
      recur.reset();
      float[] y = recur.apply(tape.input(shape, x)).toArray();
      for (int i = 0; i < y.length; i++) {
        float right = i / size % batch == bad ? Float.NaN : expected[i];
        assertEquals(right, y[i], "value " + i + " of " + shape);
      }
    }
  }

  /** What Flux answers with 50 elements. */
  @Test
  void aVectorAfterABatchThrows() {
    Recur recur = Layers.rnn(3, 5).on(device, 1);
    recur.apply(Cells.input(tape, 1, 3, 10));
    Tensor vector = tape.input(1, 2, 3);
    ShapeException refusal = assertThrows(ShapeException.class, () -> recur.apply(vector));
    assertTrue(refusal.getMessage().contains("state batch=10, x batch=1"), refusal.getMessage());
  }

  @Test
  void aVectorIsABatchOfOne() {
    Recur recur = Layers.rnn(3, 5).on(device, 1);
    Tensor vector = tape.input(1, 2, 3);
    float[] first = recur.apply(vector).toArray();
    assertEquals(Shape.of(5, 1), recur.state().h().shape());
    recur.reset();
    assertArrayEquals(first, recur.apply(vector.reshape(Shape.of(3, 1))).toArray());
    recur.reset();
    assertArrayEquals(first, recur.apply(vector.reshape(Shape.of(3, 1, 1))).toArray());
  }

  @Test
  void aChainRefusesInItsFirstRecur() {
    Chain model = chain(Cells.LSTM.make(IN, OUT), dense(OUT, 2), Cells.GRU.make(2, OUT));
    model.on(device, 1);
    model.apply(Cells.input(tape, 1, IN, 4));
    byte[] before = model.save().toBytes();
    Tensor other = Cells.input(tape, 1, IN, 3);
    ShapeException refusal = assertThrows(ShapeException.class, () -> model.apply(other));
    assertTrue(refusal.getMessage().contains("LSTMCell(3 => 4)"), refusal.getMessage());
    assertArrayEquals(before, model.save().toBytes());
  }

  /** A user's state0 may be out × B for a fixed batch. */
  @Test
  void aChainWhoseSecondRecurRefusesLeavesTheFirstAsItWas() {
    Recur first = Layers.rnn(IN, OUT);
    Recur second = Layers.rnn(OUT, OUT);
    Chain chain = chain(first, second).on(device, 1);
    first.apply(Cells.input(tape, 1, IN, 1));
    second.apply(Cells.input(tape, 2, OUT, 3));
    float[] before = first.state().h().toArray();
    ShapeException e =
        assertThrows(ShapeException.class, () -> chain.apply(Cells.input(tape, 3, IN, 4)));
    assertTrue(e.getMessage().contains("state batch=3, x batch=4"), e.getMessage());
    assertArrayEquals(before, first.state().h().toArray());
  }

  @Test
  void aWideState0FixesTheBatch() {
    Parameter state0 = Parameter.of(Shape.of(1, 3), 1, 2, 3);
    Recur recur = new Recur((h, x) -> Step.step(h.add(x), h.add(x)), state0).on(device, 0);
    Tensor y = recur.apply(tape.input(Shape.of(1, 3), 10, 20, 30));
    assertArrayEquals(new float[] {11, 22, 33}, y.toArray());
    tape.backward(y, 4, 5, 6);
    assertArrayEquals(new float[] {4, 5, 6}, state0.gradientArray());
    recur.reset();
    Tensor two = tape.input(Shape.of(1, 2), 10, 20);
    ShapeException refusal = assertThrows(ShapeException.class, () -> recur.apply(two));
    assertTrue(refusal.getMessage().contains("batch=3"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("batch=2"), refusal.getMessage());
  }
}
