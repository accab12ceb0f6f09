package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
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

/** Law 11 and the lives of state and tape: clear, close, two tapes, inference. */
class TapeLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @ParameterizedTest
  @EnumSource
  void clearWithALiveStateSaysWhichCallIsMissing(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor y = recur.apply(Cells.input(tape, 1, IN, 2));
    IllegalStateException refusal = assertThrows(IllegalStateException.class, tape::clear);
    assertTrue(refusal.getMessage().contains(recur.describe()), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("truncate()"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("reset()"), refusal.getMessage());
    // The tape is as it was.
    tape.backward(Cells.weighed(tape, y, 1));
    recur.truncate();
    List<float[]> kept = Cells.values(recur.state());
    tape.clear();
    assertEquals(0, tape.length());
    // Other tensors take the place of the old ones; the kept state must not be among them.
    Cells.input(tape, 5, 64, 64);
    for (int i = 0; i < kept.size(); i++) {
      assertArrayEquals(kept.get(i), recur.state().parts().get(i).toArray());
    }
    recur.apply(Cells.input(tape, 1, IN, 2));
    recur.reset();
    assertDoesNotThrow(tape::clear);
  }

  @Test
  void clearNamesEveryRecurThatIsLeft() {
    Recur lstm = Layers.lstm(IN, OUT);
    Recur gru = Layers.gru(OUT, OUT);
    chain(lstm, gru).on(device, 1).apply(Cells.input(tape, 1, IN, 2));
    String both = assertThrows(IllegalStateException.class, tape::clear).getMessage();
    assertTrue(both.contains("LSTMCell(3 => 4)") && both.contains("GRUCell(4 => 4)"), both);
    lstm.truncate();
    String one = assertThrows(IllegalStateException.class, tape::clear).getMessage();
    assertTrue(!one.contains("LSTMCell") && one.contains("GRUCell(4 => 4)"), one);
  }

  @ParameterizedTest
  @EnumSource
  void inferenceNeedsNoTruncateAndGivesTheSame(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    List<float[]> recorded = outputs(recur, tape);
    recur.reset();
    try (Tape inference = Tape.inference(device)) {
      for (int t = 0; t < recorded.size(); t++) {
        float[] inferred = recur.apply(Cells.input(inference, t, IN, 2)).toArray();
        inference.clear();
        assertArrayEquals(recorded.get(t), inferred);
      }
      assertEquals(0, inference.length());
    }
    // The state outlives the tape, so training can go on from it.
    recur.apply(Cells.input(tape, 9, IN, 2));
  }

  private static List<float[]> outputs(Recur recur, Tape its) {
    List<float[]> outputs = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      outputs.add(recur.apply(Cells.input(its, t, IN, 2)).toArray());
    }
    return outputs;
  }

  /** A cell whose output is its old state: what it returns must not change when the new is kept. */
  @Test
  void aDelayIsADelayInInferenceToo() {
    Recur delay =
        new Recur((h, x) -> Step.step(x, h), Parameter.fixed(Shape.of(1, 1), 9)).on(device, 0);
    try (Tape inference = Tape.inference(device)) {
      for (Tape its : List.of(tape, inference)) {
        delay.reset();
        Tensor first = delay.apply(its.input(1));
        Tensor second = delay.apply(its.input(2));
        Tensor third = delay.apply(its.input(3));
        assertEquals(9, first.scalar());
        assertEquals(1, second.scalar());
        assertEquals(2, third.scalar());
      }
    }
  }

  /** A shift register: each part of the new state is another part of the old one. */
  private record Register(Parameter a, Parameter b) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return new Step(State.of(x, state.h()), state.parts().get(1));
    }

    @Override
    public List<Parameter> state0() {
      return List.of(a, b);
    }

    @Override
    public List<Parameter> parameters() {
      return state0();
    }
  }

  @Test
  void aShiftRegisterShiftsInInferenceToo() {
    Register register =
        new Register(
            Parameter.fixed(Shape.of(1, 1), 8).named("a"),
            Parameter.fixed(Shape.of(1, 1), 9).named("b"));
    Recur recur = new Recur(register).on(device, 0);
    try (Tape inference = Tape.inference(device)) {
      float[] expected = {9, 8, 1, 2, 3};
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], recur.apply(inference.input(i + 1)).scalar());
        assertEquals(i + 1, recur.state().h().scalar());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTruncatedStateMovesToAnotherTape(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 4);
    float[] expected = recur.apply(x).time(3).toArray();
    recur.reset();
    Tensor loss = Cells.weighed(tape, recur.apply(x.times(0, 2)), 1);
    tape.backward(loss);
    Map<String, float[]> gradients = Cells.gradients(recur);
    try (Tape other = Tape.on(device)) {
      Tensor rest = other.input(Shape.of(IN, 2, 2), x.times(2, 4).toArray());
      IllegalStateException refusal =
          assertThrows(IllegalStateException.class, () -> recur.apply(rest));
      assertTrue(refusal.getMessage().contains("another tape"), refusal.getMessage());
      assertTrue(refusal.getMessage().contains("truncate()"), refusal.getMessage());
      recur.truncate();
      near("y", expected, recur.apply(rest).time(1).toArray(), FLOAT);
      recur.parameters().zeroGradients();
      tape.backward(loss);
      near("gradient on the first tape", gradients, Cells.gradients(recur), FLOAT);
      tape.clear();
      assertThrows(IllegalStateException.class, other::clear);
      recur.reset();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStateOnAClosedTapeIsRefusedUntilReset(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tape closed = Tape.on(device);
    recur.apply(Cells.input(closed, 1, IN, 2));
    closed.close();
    Tensor x = Cells.input(tape, 1, IN, 2);
    for (Runnable use :
        List.<Runnable>of(
            () -> recur.apply(x), recur::state, recur::truncate, recur::save, recur::fork)) {
      IllegalStateException refusal = assertThrows(IllegalStateException.class, use::run);
      assertTrue(refusal.getMessage().contains("closed"), refusal.getMessage());
      assertTrue(refusal.getMessage().contains("call reset()"), refusal.getMessage());
    }
    assertTrue(recur.toString().contains(recur.describe()), "printing never throws");
    recur.reset();
    assertDoesNotThrow(() -> recur.apply(x));
  }

  @Test
  void aTruncatedStateOutlivesItsTape() {
    Recur recur = Cells.LSTM.make(IN, OUT).on(device, 1);
    float[] kept;
    try (Tape brief = Tape.on(device)) {
      recur.apply(Cells.input(brief, 1, IN, 2));
      kept = recur.state().c().toArray();
      recur.truncate();
    }
    assertArrayEquals(kept, recur.state().c().toArray());
    recur.apply(Cells.input(tape, 1, IN, 2));
  }
}
