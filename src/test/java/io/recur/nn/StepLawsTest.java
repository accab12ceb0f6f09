package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Laws 1, 2, 3 and 9: a step, a cell of one's own, the initial state, a sequence. */
class StepLawsTest {
  private static final int IN = 3;
  private static final int OUT = 5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  // Law 1.

  @ParameterizedTest
  @EnumSource
  void applyRunsTheCellAndKeepsTheState(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Cell cell = recur.cell();
    State state = new State(cell.state0().stream().map(tape::use).toList());
    for (int t = 0; t < 3; t++) {
      Tensor x = Cells.input(tape, t, IN, 1);
      Step step = cell.step(state, x.columns(0, 1));
      Tensor y = recur.apply(x);
      state = step.state();
      near("y", step.y().toArray(), y.toArray(), FLOAT);
      assertNear("state", state, recur.state());
    }
  }

  @ParameterizedTest
  @EnumSource
  void ranksOfInputsAreRanksOfOutputs(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    assertEquals(Shape.of(OUT), recur.apply(tape.input(1, 2, 3)).shape());
    assertEquals(Shape.of(OUT, 1), recur.apply(Cells.input(tape, 1, IN, 1)).shape());
    assertEquals(Shape.of(OUT, 1, 1), recur.apply(Cells.input(tape, 1, IN, 1, 1)).shape());
    assertEquals(Shape.of(OUT, 1, 4), recur.apply(Cells.input(tape, 1, IN, 1, 4)).shape());
    assertEquals(Shape.of(OUT, 2, 4), recur.apply(Cells.input(tape, 1, IN, 2, 4)).shape());
  }

  // Law 2.

  @Test
  void theAccumulatorGivesFiveThenSixty() {
    Recur recur =
        new Recur((h, x) -> Step.step(h.add(x), x), Parameter.fixed(Shape.of(1, 1), 0))
            .on(device, 0);
    assertEquals(2, recur.apply(tape.input(2)).scalar());
    assertEquals(3, recur.apply(tape.input(3)).scalar());
    assertEquals(5, recur.state().h().scalar());
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 1; i <= 10; i++) {
      inputs.add(tape.input(i));
    }
    List<Tensor> outputs = recur.over(inputs);
    for (int i = 1; i <= 10; i++) {
      assertEquals(i, outputs.get(i - 1).scalar());
    }
    assertEquals(60, recur.state().h().scalar());
  }

  @Test
  void theIdentityRnnGivesItsNumbers() {
    Identity rnn = new Identity(device);
    rnn.recur.apply(tape.input(2));
    Tensor y = rnn.recur.apply(tape.input(3));
    tape.backward(y);
    assertEquals(167, y.scalar());
    rnn.assertGradients(11, 66, 5, 16);
  }

  @Test
  void theIdentityRnnTruncatedGivesItsNumbers() {
    Identity rnn = new Identity(device);
    rnn.recur.apply(tape.input(2));
    rnn.recur.truncate();
    Tensor y = rnn.recur.apply(tape.input(3));
    tape.backward(y);
    assertEquals(167, y.scalar());
    rnn.assertGradients(3, 38, 1, 0);
  }

  @Test
  void theIdentityRnnGivesItsNumbersAsASequence() {
    Identity rnn = new Identity(device);
    Tensor y = rnn.recur.apply(tape.input(Shape.of(1, 1, 2), 2, 3)).time(1);
    tape.backward(y);
    assertEquals(167, y.scalar());
    rnn.assertGradients(11, 66, 5, 16);
  }

  /** RNN 1→1, identity, Wi=5, Wh=4, b=0, state0=7. */
  private static final class Identity {
    final Parameter wi = Parameter.of(Shape.of(1, 1), 5);
    final Parameter wh = Parameter.of(Shape.of(1, 1), 4);
    final Parameter b = Parameter.of(Shape.of(1), 0);
    final Parameter state0 = Parameter.of(Shape.of(1, 1), 7);
    final Recur recur;

    Identity(Device device) {
      Cell cell = new RNNCell(Elementwise.IDENTITY, Matrix.dense(wi), Matrix.dense(wh), b, state0);
      recur = new Recur(cell).on(device, 0);
    }

    void assertGradients(float dwi, float dwh, float db, float dstate0) {
      assertArrayEquals(new float[] {dwi}, wi.gradientArray(), "Wi");
      assertArrayEquals(new float[] {dwh}, wh.gradientArray(), "Wh");
      assertArrayEquals(new float[] {db}, b.gradientArray(), "b");
      assertArrayEquals(new float[] {dstate0}, state0.gradientArray(), "state0");
    }
  }

  // Law 3.

  @ParameterizedTest
  @EnumSource(names = {"RNN", "LSTM", "GRU", "GRU_V3"})
  void state0IsTrainableAndZeroAtFirst(Cells cells) {
    Recur recur =
        switch (cells) {
          case RNN -> Layers.rnn(IN, OUT);
          case LSTM -> Layers.lstm(IN, OUT);
          case GRU_V3 -> Layers.gruV3(IN, OUT);
          default -> Layers.gru(IN, OUT);
        };
    recur.on(device, 1);
    List<Parameter> state0 = recur.cell().state0();
    assertEquals(cells == Cells.LSTM ? 2 : 1, state0.size());
    for (Parameter part : state0) {
      assertTrue(part.isTrainable());
      assertEquals(Shape.of(OUT, 1), part.shape());
      assertArrayEquals(new float[OUT], part.toArray());
      assertTrue(recur.parameters().named().containsValue(part));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFreshStateIsSpreadOverTheBatchAndItsGradientSummed(Cells cells) {
    int batch = 4;
    Recur recur = cells.make(IN, OUT).on(device, 2);
    Tensor x = Cells.input(tape, 3, IN, batch);
    List<float[]> alone = new ArrayList<>();
    Tensor sum = tape.input(0);
    for (int j = 0; j < batch; j++) {
      recur.reset();
      Tensor y = recur.apply(x.columns(j, j + 1));
      alone.add(y.toArray());
      sum = sum.add(y.mul(y).sum());
    }
    tape.backward(sum);
    Map<String, float[]> expected = Cells.gradients(recur);
    recur.parameters().zeroGradients();

    recur.reset();
    Tensor y = recur.apply(x);
    for (int j = 0; j < batch; j++) {
      near("column " + j, alone.get(j), y.columns(j, j + 1).toArray(), FLOAT);
    }
    tape.backward(y.mul(y).sum());
    near("gradient", expected, Cells.gradients(recur), FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void aFreshStateIsState0(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 2);
    assertTrue(recur.isFresh());
    assertNear("fresh", new State(List.copyOf(recur.cell().state0())), recur.state());
  }

  // Law 9.

  @ParameterizedTest
  @EnumSource
  void sequenceEqualsSteps(Cells cells) {
    // A user's cell runs the same kernels either way: bit for bit.
    double tolerance = cells.ordinal() >= Cells.FUNCTION.ordinal() ? 0 : FLOAT;
    int batch = 2;
    int time = 6;
    Recur recur = cells.make(IN, OUT).on(device, 3);
    Tensor x = Cells.input(tape, 4, IN, batch, time);

    List<Tensor> outputs = new ArrayList<>();
    Tensor loss = tape.input(0);
    for (int t = 0; t < time; t++) {
      Tensor y = recur.apply(x.time(t));
      outputs.add(y);
      loss = loss.add(Cells.weighed(tape, y, t));
    }
    State last = recur.state();
    tape.backward(loss);
    Map<String, float[]> gradients = Cells.gradients(recur);
    float[] dx = x.gradientArray();

    recur.parameters().zeroGradients();
    recur.reset();
    Tensor y = recur.apply(x);
    Tensor sameLoss = tape.input(0);
    for (int t = 0; t < time; t++) {
      near("y" + t, outputs.get(t).toArray(), y.time(t).toArray(), tolerance);
      sameLoss = sameLoss.add(Cells.weighed(tape, y.time(t), t));
    }
    assertNear("state", last, recur.state());
    tape.backward(sameLoss);
    // Gradients of one weight are summed over time in another order where a product does it.
    near("gradient", gradients, Cells.gradients(recur), FLOAT);
    near("dx", dx, x.gradientArray(), FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void overEqualsStepsBitForBit(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 3);
    Tensor x = Cells.input(tape, 4, IN, 2, 6);
    List<Tensor> inputs = new ArrayList<>();
    List<Tensor> outputs = new ArrayList<>();
    for (int t = 0; t < 6; t++) {
      inputs.add(x.time(t));
      outputs.add(recur.apply(x.time(t)));
    }
    List<float[]> last = Cells.values(recur.state());
    recur.reset();
    List<Tensor> again = recur.over(inputs);
    for (int t = 0; t < 6; t++) {
      assertArrayEquals(outputs.get(t).toArray(), again.get(t).toArray());
    }
    for (int i = 0; i < last.size(); i++) {
      assertArrayEquals(last.get(i), recur.state().parts().get(i).toArray());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSequenceGoesOnWhereTheLastOneStopped(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 3);
    Tensor x = Cells.input(tape, 4, IN, 2, 7);
    float[] whole = recur.apply(x).times(4, 7).toArray();
    recur.reset();
    recur.apply(x.times(0, 4));
    near("second half", whole, recur.apply(x.times(4, 7)).toArray(), FLOAT);
  }

  @Test
  void aRecurKeepsItsCell() {
    Cell cell = new Cells.Leaky(IN, OUT);
    assertSame(cell, new Recur(cell).cell());
  }

  private static void assertNear(String what, State expected, State actual) {
    assertEquals(expected.parts().size(), actual.parts().size(), what);
    for (int i = 0; i < expected.parts().size(); i++) {
      Tensor part = expected.parts().get(i);
      assertEquals(part.shape(), actual.parts().get(i).shape());
      near(what + i, part.toArray(), actual.parts().get(i).toArray(), FLOAT);
    }
  }
}
