package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.BufferPool;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A closed Recur gives its memory back, and no answer any more. */
class CloseLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final String CLOSED = "it was closed; close it after its last use";

  @AutoClose private final Device device = Devices.opened();
  @AutoClose private final Tape tape = Tape.on(device);
  @AutoClose private final Tape inference = Tape.inference(device);

  @ParameterizedTest
  @EnumSource
  void aClosedRecurRefusesEveryUse(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(inference, 1, IN, 2);
    recur.apply(x);
    Snapshot snapshot = recur.save();
    recur.close();
    recur.close(); // a second one does nothing
    for (Executable use :
        List.<Executable>of(
            () -> recur.apply(x),
            () -> recur.over(List.of(x)),
            recur::state,
            recur::truncate,
            recur::reset,
            recur::save,
            () -> recur.restore(snapshot),
            recur::fork)) {
      Thrown.says(IllegalStateException.class, use, recur.describe(), CLOSED);
    }
  }

  @Test
  void closingAForkLeavesWeightsAndOtherForks() {
    Recur recur = lstm(IN, OUT).on(device, 1);
    Tensor x = Cells.input(inference, 1, IN, 2);
    recur.apply(x);
    Recur fork = recur.fork();
    Recur other = recur.fork();
    fork.close();
    assertArrayEquals(recur.apply(x).toArray(), other.apply(x).toArray());
  }

  @Test
  void closingAChainClosesEveryRecurInsideOnce() {
    Recur twice = lstm(IN, IN);
    Recur inner = lstm(IN, OUT);
    Chain model = chain(twice, twice, chain(inner), dense(OUT, 2)).on(device, 1);
    model.apply(Cells.input(inference, 1, IN, 1));
    model.close();
    model.close();
    Thrown.says(IllegalStateException.class, twice::state, CLOSED);
    Thrown.says(IllegalStateException.class, inner::state, CLOSED);
    Thrown.says(
        IllegalStateException.class, () -> model.apply(Cells.input(inference, 1, IN, 1)), CLOSED);
  }

  /** A chain of which one Recur is closed refuses before another has moved. */
  @Test
  void aChainWithAClosedRecurMovesNone() {
    Recur first = lstm(IN, IN);
    Recur second = lstm(IN, OUT);
    Chain model = chain(first, second).on(device, 1);
    Tensor x = Cells.input(inference, 1, IN, 1);
    model.apply(x);
    List<float[]> before = Cells.values(first.state());
    second.close();
    Thrown.says(IllegalStateException.class, () -> model.apply(x), CLOSED);
    List<float[]> after = Cells.values(first.state());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
  }

  /** As after reset, the tape can be cleared; what it has recorded can still be walked back. */
  @Test
  void closingARecurWithHistoryLeavesTheTapeWhatItRecorded() {
    Recur recur = lstm(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2);
    recur.apply(x);
    Tensor y = recur.apply(x);
    tape.backward(Cells.weighed(tape, y, 1));
    List<float[]> expected = new ArrayList<>(Cells.gradients(recur).values());
    recur.parameters().zeroGradients();
    recur.close();
    tape.backward(Cells.weighed(tape, y, 1));
    List<float[]> gradients = new ArrayList<>(Cells.gradients(recur).values());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), gradients.get(i));
    }
    tape.clear();
  }

  /** A million forks in turn use one buffer, and so do those of a user's own layer. */
  @Test
  void aForkThatIsClosedGivesItsMemoryToTheNext() {
    Chain model = chain(new Wrapped(lstm(IN, 160)), dense(160, 2)).on(device, 1);
    model.apply(Cells.input(inference, 1, IN, 1));
    BufferPool pool = KernelDevice.of(device).pool(2 * 160);
    assertEquals(1, pool.used());
    for (int i = 0; i < Devices.rounds(1000); i++) {
      try (Layer fork = model.fork()) {
        assertEquals(2, pool.used());
        fork.apply(Cells.input(inference, 1, IN, 1));
        inference.clear();
      }
      assertEquals(1, pool.used());
    }
    model.close();
    assertEquals(0, pool.used());
    int number = pool.take();
    assertEquals(0, number >> 1); // one of the first two, which were all that there ever were
  }

  private record Wrapped(Layer inner) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(x);
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }

    @Override
    public Layer fork(Fork fork) {
      return new Wrapped(fork.of(inner));
    }
  }

  @Test
  void anotherBatchTakesAnotherBufferAndGivesTheFirstBack() {
    Recur recur = lstm(IN, 160).on(device, 1);
    recur.apply(Cells.input(inference, 1, IN, 1));
    recur.reset();
    recur.apply(Cells.input(inference, 1, IN, 3));
    assertEquals(0, KernelDevice.of(device).pool(2 * 160).used());
    assertEquals(1, KernelDevice.of(device).pool(2 * 3 * 160).used());
  }
}
