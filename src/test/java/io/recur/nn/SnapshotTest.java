package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Law 10, second half: a restored state continues exactly where it stopped. */
class SnapshotTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Chain model(Cells cells) {
    return chain(cells.make(IN, OUT), dense(OUT, 2), Cells.LSTM.make(2, OUT)).on(device, 7);
  }

  @ParameterizedTest
  @EnumSource
  void aRestoredModelGoesOnBitForBit(Cells cells) {
    Chain model = model(cells);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    model.apply(x.times(0, 3));
    byte[] session = model.save().toBytes();
    float[] expected = model.apply(x.times(3, 6)).toArray();
    model.apply(x);
    model.restore(Snapshot.of(session));
    assertArrayEquals(expected, model.apply(x.times(3, 6)).toArray());
  }

  /** The same seed gives the same weights, so the session can move to another process. */
  @Test
  void aTwinOfTheModelGoesOnToo() {
    Chain model = model(Cells.GRU);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    model.apply(x.times(0, 3));
    Chain twin = model(Cells.GRU);
    twin.restore(Snapshot.of(model.save().toBytes()));
    float[] expected = model.apply(x.times(3, 6)).toArray();
    assertArrayEquals(expected, twin.apply(x.times(3, 6)).toArray());
  }

  @Test
  void savingChangesNothing() {
    Chain model = model(Cells.RNN);
    Tensor x = Cells.input(tape, 1, IN, 2);
    model.apply(x);
    byte[] first = model.save().toBytes();
    assertArrayEquals(first, model.save().toBytes());
    // History is kept: the gradient still runs back to the first call.
    tape.backward(Cells.weighed(tape, model.apply(Cells.input(tape, 2, IN, 2)), 1));
    assertTrue(x.gradientArray()[0] != 0);
  }

  @Test
  void aSnapshotIsAValue() {
    Chain model = model(Cells.RNN);
    model.apply(Cells.input(tape, 1, IN, 2));
    Snapshot snapshot = model.save();
    byte[] bytes = snapshot.toBytes();
    model.apply(Cells.input(tape, 2, IN, 2));
    model.truncate();
    model.reset();
    assertArrayEquals(bytes, snapshot.toBytes());
    model.restore(snapshot);
    model.apply(Cells.input(tape, 2, IN, 2));
    model.truncate();
    assertArrayEquals(bytes, snapshot.toBytes());
  }

  @Test
  void aFreshModelIsSavedAsFresh() {
    Chain model = model(Cells.GRU_V3);
    Snapshot fresh = Snapshot.of(model.save().toBytes());
    assertEquals(List.of(List.of(), List.of()), fresh.states());
    model.apply(Cells.input(tape, 1, IN, 2));
    model.restore(fresh);
    assertTrue(model.recurs().stream().allMatch(Recur::isFresh));
    tape.clear();
  }

  /** Restoring drops history, so the tape may be cleared. */
  @Test
  void aRestoredStateHasNoHistory() {
    Chain model = model(Cells.CLASS);
    model.apply(Cells.input(tape, 1, IN, 2));
    model.restore(model.save());
    tape.clear();
    tape.backward(Cells.weighed(tape, model.apply(Cells.input(tape, 1, IN, 2)), 1));
    assertArrayEquals(new float[OUT], Cells.state0Gradients(model.recurs().getFirst()).getFirst());
  }

  @Test
  void everyDamagedByteIsNoticed() {
    Chain model = model(Cells.RNN);
    model.apply(Cells.input(tape, 1, IN, 2));
    byte[] whole = model.save().toBytes();
    for (int i = 0; i < whole.length; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= 1;
      assertRefused(damaged);
      assertRefused(Arrays.copyOf(whole, i));
    }
    assertRefused(Arrays.copyOf(whole, whole.length + 1));
  }

  private static void assertRefused(byte[] bytes) {
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> Snapshot.of(bytes));
    assertTrue(refusal.getMessage().contains(bytes.length + " bytes"), refusal.getMessage());
  }

  @Test
  void aSnapshotOfAnotherModelIsRefusedAndNothingChanged() {
    Chain model = model(Cells.RNN);
    model.apply(Cells.input(tape, 1, IN, 2));
    byte[] before = model.save().toBytes();

    Recur one = Cells.RNN.make(IN, OUT).on(device, 1);
    one.apply(Cells.input(tape, 1, IN, 2));
    ShapeException count = assertThrows(ShapeException.class, () -> model.restore(one.save()));
    assertTrue(count.getMessage().contains("2 Recurs, the snapshot 1"), count.getMessage());

    // The first Recur fits and the second does not: neither may have moved.
    Chain other = chain(Cells.RNN.make(IN, OUT), Cells.LSTM.make(OUT, 6)).on(device, 1);
    other.apply(Cells.input(tape, 1, IN, 2));
    ShapeException rows = assertThrows(ShapeException.class, () -> model.restore(other.save()));
    assertTrue(rows.getMessage().contains("LSTMCell(2 => 4)"), rows.getMessage());
    assertTrue(rows.getMessage().contains("4×1"), rows.getMessage());
    assertTrue(rows.getMessage().contains("6×2"), rows.getMessage());

    Chain parts = chain(Cells.RNN.make(IN, OUT), Cells.GRU.make(OUT, OUT)).on(device, 1);
    parts.apply(Cells.input(tape, 1, IN, 2));
    assertThrows(ShapeException.class, () -> model.restore(parts.save()));

    assertArrayEquals(before, model.save().toBytes());
  }
}
