package io.recur.nn.cells;

import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Cells;
import io.recur.nn.LSTMCell;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Zoneout and recurrent dropout, around built-in cells and those of the catalogue. */
class RegulariserTest {
  private static final int UNITS = 1000;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** {@code h' = x}, and y the state that the step saw. */
  private record Echo(Parameter h0) implements Cell {
    Echo() {
      this(Parameter.fixed(Shape.of(UNITS, 1), filled(5)));
    }

    @Override
    public Step step(State state, Tensor x) {
      return new Step(State.of(x), state.h().scale(1));
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(h0);
    }
  }

  private static float[] filled(float value) {
    float[] values = new float[UNITS];
    Arrays.fill(values, value);
    return values;
  }

  private static double share(float[] values, float value) {
    int count = 0;
    for (float each : values) {
      count += each == value ? 1 : 0;
    }
    return (double) count / values.length;
  }

  // Zoneout.

  @Test
  void zoneoutKeepsAUnitOrTakesItsNewValue() {
    Recur recur = new Recur(Zoneout.of(new Echo(), 0.25f)).on(device, 0);
    tape.seed(3);
    recur.apply(tape.input(Shape.of(UNITS, 1), filled(2)));
    float[] h = recur.state().h().toArray();
    assertEquals(0.25, share(h, 5), 0.06); // four standard deviations
    assertEquals(1, share(h, 5) + share(h, 2));
  }

  @Test
  void zoneoutIsItsExpectationWhereNothingIsRecorded() {
    Recur recur = new Recur(Zoneout.of(new Echo(), 0.25f)).on(device, 0);
    try (Tape inference = Tape.inference(device)) {
      recur.apply(inference.input(Shape.of(UNITS, 1), filled(2)));
      assertArrayEquals(filled(0.25f * 5 + 0.75f * 2), recur.state().h().toArray());
    }
  }

  @Test
  void eachStepDrawsUnitsOfItsOwn() {
    Recur recur = new Recur(Zoneout.of(new Echo(), 0.5f)).on(device, 0);
    recur.apply(tape.input(Shape.of(UNITS, 1), filled(2)));
    float[] first = recur.state().h().toArray();
    recur.reset();
    recur.apply(tape.input(Shape.of(UNITS, 1), filled(2)));
    assertFalse(Arrays.equals(first, recur.state().h().toArray()));
  }

  @Test
  void anOutputThatIsAStateIsThatAfterZoneout() {
    Recur recur = new Recur(Zoneout.of(new LSTMCell(3, 5), 0.5f, 0.1f)).on(device, 1);
    Tensor y = recur.apply(Cells.input(tape, 1, 3, 2));
    assertArrayEquals(recur.state().h().toArray(), y.toArray());
  }

  // Recurrent dropout.

  @Test
  void allStepsOfASequenceDropTheSameUnits() {
    Recur recur = new Recur(RecurrentDropout.of(new Echo(), 0.25f)).on(device, 0);
    Tensor x = tape.input(Shape.of(UNITS, 1, 3), tripled(2));
    Tensor y = recur.apply(x);
    float[] first = y.time(1).toArray();
    assertEquals(0.25, share(first, 0), 0.06);
    assertEquals(1, share(first, 0) + share(first, 2 / 0.75f), 1e-9);
    assertArrayEquals(first, y.time(2).toArray());
    for (int i = 0; i < UNITS; i++) {
      assertEquals(first[i] == 0, y.time(0).toArray()[i] == 0);
    }
    recur.reset();
    assertFalse(Arrays.equals(first, recur.apply(x).time(1).toArray()), "another sequence");
  }

  private static float[] tripled(float value) {
    float[] values = new float[3 * UNITS];
    Arrays.fill(values, value);
    return values;
  }

  @Test
  void nothingIsDroppedWhereNothingIsRecorded() {
    Cell cell = new LSTMCell(3, 5);
    Recur dropped = new Recur(RecurrentDropout.of(cell, 0.5f, 0)).on(device, 1);
    Recur plain = new Recur(cell).stepwise(); // as a cell with recurrent dropout runs
    try (Tape inference = Tape.inference(device)) {
      Tensor x = Cells.input(inference, 1, 3, 2, 4);
      assertArrayEquals(plain.apply(x).toArray(), dropped.apply(x).toArray());
    }
  }

  // Both.

  /** The random numbers of a seed are the same at each value of a parameter. */
  @ParameterizedTest
  @EnumSource(
      names = {"RNN", "LSTM", "GRU", "MGU", "PEEPHOLE_LSTM", "LRU"},
      mode = EnumSource.Mode.INCLUDE)
  void gradientsAreDifferences(Cells cells) {
    Cell cell = cells.make(3, 5).cell();
    new Differences(new Recur(Zoneout.of(cell, 0.3f)).on(device, 1), tape).check();
    Cell other = cells.make(3, 5).cell();
    new Differences(new Recur(RecurrentDropout.of(other, 0.3f)).on(device, 1), tape).check();
  }

  @ParameterizedTest
  @EnumSource(names = {"LSTM", "GRU", "MGU", "FUNCTION", "CLASS"})
  void withARateOfZeroTheCellIsItself(Cells cells) {
    Cell cell = cells.make(3, 5).on(device, 1).cell();
    Tensor x = Cells.input(tape, 1, 3, 2, 4);
    float[] expected = new Recur(cell).apply(x).toArray();
    near("zoneout", expected, new Recur(Zoneout.of(cell, 0)).apply(x).toArray(), 1e-5);
    Recur dropped = new Recur(RecurrentDropout.of(cell, 0)).on(device, 0);
    near("dropout", expected, dropped.apply(x).toArray(), 1e-5);
  }

  @Test
  void theyPrintTheirCellAndHaveItsParameters() {
    Cell cell = new LSTMCell(3, 5);
    Recur zoneout = new Recur(Zoneout.of(cell, 0.05f, 0.5f));
    assertTrue(
        zoneout
            .toString()
            .startsWith("Recur(Zoneout(LSTMCell(3 => 5), 0.05, 0.5))  # 190 parameters, state 10"),
        zoneout.toString());
    Recur dropout = new Recur(RecurrentDropout.of(cell, 0.25f, 0));
    assertTrue(
        dropout
            .toString()
            .startsWith(
                "Recur(RecurrentDropout(LSTMCell(3 => 5), 0.25, 0.0))  # 190 parameters, state 10"),
        dropout.toString());
  }

  @Test
  void ratesThatAreNoneAreRefused() {
    Cell cell = new LSTMCell(3, 5);
    for (float rate : new float[] {-0.1f, 1, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Zoneout.of(cell, rate),
          "Zoneout: rate=" + rate,
          "0 ≤ rate < 1");
      Thrown.says(
          IllegalArgumentException.class,
          () -> RecurrentDropout.of(cell, 0, rate),
          "RecurrentDropout: rate=" + rate);
    }
    for (float[] rates : new float[][] {{}, {0.1f, 0.1f, 0.1f}}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Zoneout.of(cell, rates),
          rates.length + " rates",
          "a state of 2 tensors");
    }
  }
}
