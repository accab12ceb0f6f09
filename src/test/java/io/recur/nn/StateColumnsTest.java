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
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Law 13: single columns of a state are reset, taken and put while the others keep theirs. */
class StateColumnsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Chain model(Cells cells) {
    return chain(cells.make(IN, OUT), dense(OUT, 2), Cells.LSTM.make(2, OUT)).on(device, 7);
  }

  private static int[] columns(int... columns) {
    return columns;
  }

  /** A batch of three of which two are reset, and each column alone. */
  @ParameterizedTest
  @EnumSource
  void resetColumnsBeginAndTheOthersContinue(Cells cells) {
    Chain model = model(cells);
    Tensor x = Cells.input(tape, 1, IN, 3, 6);
    model.apply(x.times(0, 3));
    model.reset(0, 2);
    Tensor y = model.apply(x.times(3, 6));
    Tensor weights = weights(y);
    tape.backward(y.mul(weights).sum());
    Map<String, float[]> gradients = Cells.gradients(model);
    float[] dx = x.gradientArray();
    model.parameters().zeroGradients();
    float[] alone = new float[dx.length];
    for (int column = 0; column < 3; column++) {
      model.reset();
      Tensor its = x.columns(column, column + 1);
      model.apply(its.times(0, 3));
      if (column != 1) {
        model.reset();
      }
      Tensor again = model.apply(its.times(3, 6));
      near("y", y.columns(column, column + 1).toArray(), again.toArray(), FLOAT);
      tape.backward(again.mul(weights.columns(column, column + 1)).sum());
      float[] part = x.gradientArray();
      for (int i = 0; i < part.length; i++) {
        alone[i] += part[i];
      }
    }
    near("gradient", gradients, Cells.gradients(model), FLOAT);
    near("dx", alone, dx, FLOAT);
  }

  /** Without history, as after truncate or in inference, too; state0 still gets its gradient. */
  @ParameterizedTest
  @EnumSource
  void columnsOfAStateWithoutHistoryAreReset(Cells cells) {
    Chain model = model(cells);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    Recur first = model.recurs().getFirst();
    model.apply(x.times(0, 3));
    model.truncate();
    Snapshot before = model.save();
    model.reset(1);
    Snapshot after = model.save();
    assertEquals(text(before.take(0)), text(after.take(0)));
    assertArrayEquals(
        first.cell().state0().getFirst().toArray(),
        after.take(1).states().getFirst().getFirst().values());
    Tensor y = model.fork().apply(x.times(3, 6));
    Tensor weights = weights(y);
    tape.backward(y.mul(weights).sum());
    Map<String, float[]> gradients = Cells.gradients(model);
    model.parameters().zeroGradients();
    model.reset();
    Tensor alone = model.apply(x.columns(1, 2).times(3, 6));
    near("y", y.columns(1, 2).toArray(), alone.toArray(), FLOAT);
    tape.backward(alone.mul(weights.columns(1, 2)).sum());
    model.restore(before.take(0));
    alone = model.apply(x.columns(0, 1).times(3, 6));
    near("y", y.columns(0, 1).toArray(), alone.toArray(), FLOAT);
    tape.backward(alone.mul(weights.columns(0, 1)).sum());
    near("gradient", gradients, Cells.gradients(model), FLOAT);
  }

  private Tensor weights(Tensor y) {
    return Cells.input(tape, 9, y.shape().dimensions());
  }

  @Test
  void aColumnThatIsResetSeesWhatTrainingMadeOfState0() {
    Chain model = model(Cells.GRU);
    Recur first = model.recurs().getFirst();
    model.apply(Cells.input(tape, 1, IN, 2));
    model.reset(1);
    first.cell().state0().getFirst().value().write(new float[] {1, 2, 3, 4});
    assertArrayEquals(new float[] {1, 2, 3, 4}, first.state().take(1).h().toArray());
    model.truncate();
    first.cell().state0().getFirst().value().write(new float[] {5, 6, 7, 8});
    assertArrayEquals(new float[] {1, 2, 3, 4}, first.state().take(1).h().toArray());
    assertTrue(first.state().h().tape() == null);
  }

  /** Columns of a batch in a new order, one of them twice, against a batch that began so. */
  @ParameterizedTest
  @EnumSource
  void takenColumnsContinueWithTheirHistory(Cells cells) {
    Chain model = model(cells);
    Tensor x = Cells.input(tape, 1, IN, 3, 3);
    Tensor z = Cells.input(tape, 2, IN, 4, 2);
    model.apply(x);
    model.take(2, 0, 0, 1);
    model.take(0, 2, 1, 3);
    Tensor y = model.apply(z);
    tape.backward(Cells.weighed(tape, y, 1));
    Map<String, float[]> gradients = Cells.gradients(model);
    model.parameters().zeroGradients();
    model.reset();
    float[] values = x.toArray();
    float[] four = new float[IN * 4 * 3];
    int[] from = {2, 0, 0, 1};
    for (int t = 0; t < 3; t++) {
      for (int j = 0; j < 4; j++) {
        System.arraycopy(values, (t * 3 + from[j]) * IN, four, (t * 4 + j) * IN, IN);
      }
    }
    model.apply(tape.variable(Shape.of(IN, 4, 3), four));
    Tensor again = model.apply(z);
    near("y", again.toArray(), y.toArray(), FLOAT);
    tape.backward(Cells.weighed(tape, again, 1));
    near("gradient", Cells.gradients(model), gradients, FLOAT);
  }

  /** The same five calls on a live state, on a kept one and on a snapshot. */
  @ParameterizedTest
  @EnumSource
  void columnsOfStatesAndSnapshotsAreTheSame(Cells cells) {
    Chain model = model(cells);
    model.apply(Cells.input(tape, 1, IN, 3));
    Recur first = model.recurs().getFirst();
    Recur fork = first.fork();
    Snapshot saved = first.save();
    for (State state : List.of(first.state(), fork.state())) {
      State two = state.take(2, 0);
      assertSame(saved.take(2, 0), fork, two);
      assertSame(saved.swap(0, 2), fork, state.swap(0, 2));
      assertSame(saved.put(saved.take(2, 0), 0, 1), fork, state.put(two, 0, 1));
      assertSame(Snapshot.join(saved, saved.take(1)), fork, State.join(state, state.take(1)));
      assertSame(saved.split(1, 2).getLast(), fork, state.split(1, 2).getLast());
      assertSame(saved, fork, State.join(state.split(1, 1, 1).toArray(State[]::new)));
    }
    fork.restore(saved);
    fork.take(2, 0);
    assertEquals(text(saved.take(2, 0)), text(fork.save()));
  }

  private static void assertSame(Snapshot expected, Recur recur, State actual) {
    recur.state(actual);
    assertEquals(text(expected), text(recur.save()));
    recur.reset();
  }

  private static String text(Snapshot snapshot) {
    StringBuilder text = new StringBuilder();
    for (List<Snapshot.Part> parts : snapshot.states()) {
      for (Snapshot.Part part : parts) {
        text.append(part.rows()).append('×').append(part.batch());
        text.append(Arrays.toString(part.values())).append('\n');
      }
    }
    return text.toString();
  }

  @Test
  void freshIsFresh() {
    Chain model = model(Cells.RNN);
    model.reset(0, 7);
    model.take(7, 7);
    Snapshot fresh = model.save();
    assertEquals(List.of(List.of(), List.of()), fresh.take(1).states());
    assertEquals(List.of(List.of(), List.of()), Snapshot.join(fresh, fresh).states());
    model.apply(Cells.input(tape, 1, IN, 2));
    ShapeException mixed =
        assertThrows(ShapeException.class, () -> Snapshot.join(model.save(), fresh));
    assertTrue(mixed.getMessage().contains("fresh"), mixed.getMessage());
  }

  @Test
  void whatDoesNotFitIsRefusedAndNothingChanged() {
    Chain model = model(Cells.LSTM);
    model.apply(Cells.input(tape, 1, IN, 3));
    Snapshot saved = model.save();
    for (int[] bad : List.of(columns(3), columns(0, -1))) {
      assertRefused(IndexOutOfBoundsException.class, "need 0 ≤ column < 3", () -> model.reset(bad));
      assertRefused(IndexOutOfBoundsException.class, "need 0 ≤ column < 3", () -> model.take(bad));
      assertRefused(IndexOutOfBoundsException.class, "need 0 ≤ column < 3", () -> saved.take(bad));
    }
    State state = model.recurs().getFirst().state();
    assertRefused(ShapeException.class, "one or more", () -> model.take());
    assertRefused(ShapeException.class, "one or more", () -> saved.take());
    assertRefused(ShapeException.class, "one or more", State::join);
    assertRefused(ShapeException.class, "one or more", Snapshot::join);
    assertRefused(ShapeException.class, "each place once", () -> state.put(state.take(0, 1), 1, 1));
    assertRefused(ShapeException.class, "one place for each", () -> saved.put(saved, 1));
    assertRefused(ShapeException.class, "this sum", () -> state.split(1, 1));
    assertRefused(ShapeException.class, "this sum", () -> saved.split(4, -1));
    State other = State.of(Cells.input(tape, 1, OUT, 1));
    assertRefused(ShapeException.class, "of one cell", () -> State.join(state, other));
    Snapshot one = new Snapshot(saved.states().subList(0, 1));
    assertRefused(
        ShapeException.class, "none", () -> Snapshot.join(one, new Snapshot(saved.states())));
    assertRefused(
        ShapeException.class, "none", () -> Snapshot.join(new Snapshot(saved.states()), one));
    assertEquals(text(saved), text(model.save()));
  }

  private static void assertRefused(
      Class<? extends RuntimeException> kind, String words, Executable call) {
    RuntimeException refused = assertThrows(kind, call);
    assertTrue(refused.getMessage().contains(words), refused.getMessage());
  }
}
