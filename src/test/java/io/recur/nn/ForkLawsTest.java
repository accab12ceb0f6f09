package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Law 10, first half: weights are shared, state is not. */
class ForkLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @ParameterizedTest
  @EnumSource
  void aForkStartsFromACopyOfTheState(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    recur.apply(x.times(0, 3));
    Recur fork = recur.fork();
    float[] expected = recur.apply(x.times(3, 6)).toArray();
    assertArrayEquals(expected, fork.apply(x.times(3, 6)).toArray());
    assertSame(recur.cell(), fork.cell());
  }

  @ParameterizedTest
  @EnumSource
  void aForkAndItsOriginGoTheirOwnWays(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    recur.apply(x.times(0, 2));
    Recur fork = recur.fork();
    List<float[]> before = Cells.values(recur.state());
    fork.apply(x.times(2, 4));
    fork.truncate();
    fork.reset();
    fork.apply(Cells.input(tape, 2, IN, 5));
    assertEquals(2, recur.state().batch());
    assertSameValues(before, recur.state());
    List<float[]> ofFork = Cells.values(fork.state());
    recur.apply(x.times(4, 6));
    recur.reset();
    assertSameValues(ofFork, fork.state());
  }

  @ParameterizedTest
  @EnumSource
  void theForkOfAFreshRecurIsFresh(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Recur fork = recur.fork();
    assertTrue(fork.isFresh());
    tape.backward(Cells.weighed(tape, fork.apply(Cells.input(tape, 1, IN, 2)), 1));
    for (float[] gradient : Cells.state0Gradients(recur)) {
      assertTrue(gradient[0] != 0, "the shared state0 takes the fork's gradient");
    }
    assertTrue(recur.isFresh());
  }

  /** A fork has the state's value, not its history. */
  @ParameterizedTest
  @EnumSource
  void noGradientPassesAFork(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2);
    recur.apply(x);
    tape.backward(Cells.weighed(tape, recur.fork().apply(Cells.input(tape, 2, IN, 2)), 1));
    assertArrayEquals(new float[2 * IN], x.gradientArray());
    for (float[] gradient : Cells.state0Gradients(recur)) {
      assertArrayEquals(new float[gradient.length], gradient);
    }
  }

  @Test
  void aForkOfAModelKeepsItsStructureAndSharesItsWeights() {
    Recur twice = Cells.RNN.make(OUT, OUT);
    Chain model = chain(Cells.LSTM.make(IN, OUT), chain(twice, dense(OUT, OUT)), twice);
    model.on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2);
    model.apply(x);
    Chain fork = model.fork();
    assertEquals(2, fork.recurs().size());
    assertEquals(model.parameters().named(), fork.parameters().named());
    for (int i = 0; i < 2; i++) {
      assertNotSame(model.recurs().get(i), fork.recurs().get(i));
      assertSame(model.recurs().get(i).cell(), fork.recurs().get(i).cell());
    }
    assertSame(fork.recurs().get(1), fork.layers().get(2), "a layer that stands twice");
    assertArrayEquals(model.apply(x).toArray(), fork.apply(x).toArray());
    model.parameters().named().get("0.b").value().slice(0, 3).write(5, 5, 5);
    assertArrayEquals(model.apply(x).toArray(), fork.apply(x).toArray());
  }

  @ParameterizedTest
  @EnumSource
  void forksOnTwoThreadsNeedNoLock(Cells cells) throws Exception {
    Chain model = chain(cells.make(IN, OUT), dense(OUT, OUT), Cells.LSTM.make(OUT, OUT));
    model.on(device, 1);
    model.apply(Cells.input(tape, 1, IN, 1));
    List<float[]> alone = new ArrayList<>();
    for (int session = 0; session < 2; session++) {
      alone.add(talk(model.fork(), session));
    }
    List<Callable<float[]>> talks = new ArrayList<>();
    for (int session = 0; session < 2; session++) {
      Chain fork = model.fork();
      int number = session;
      talks.add(() -> talk(fork, number));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<float[]>> together = threads.invokeAll(talks);
      for (int session = 0; session < 2; session++) {
        // The same kernels on the same numbers, whoever else runs: exact.
        assertArrayEquals(alone.get(session), together.get(session).get());
      }
    }
  }

  /** Many steps of inference on a tape of its own; the last output. */
  private float[] talk(Layer model, int session) {
    try (Tape own = Tape.inference(device)) {
      float[] last = {};
      for (int t = 0; t < Devices.rounds(200); t++) {
        last = model.apply(Cells.input(own, 1000 * session + t, IN, 1)).toArray();
        own.clear();
      }
      return last;
    }
  }

  private static void assertSameValues(List<float[]> expected, State actual) {
    assertEquals(expected.size(), actual.parts().size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.parts().get(i).toArray());
    }
  }
}
