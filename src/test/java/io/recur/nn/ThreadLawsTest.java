package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Elsewhere;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A model with state is used by one thread at a time, and by any thread after another. */
class ThreadLawsTest {
  private static final int UNITS = 3;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** What the cell does in the middle of a step. */
  private Runnable during = () -> {};

  private final Recur inner =
      new Recur(
              (h, x) -> {
                Tensor next = h.add(x);
                during.run();
                return Step.step(next, next);
              },
              Parameter.fixed(Shape.of(UNITS, 1), 0, 0, 0))
          .stepwise();

  private final Chain model = chain(gru(UNITS, UNITS), inner, dense(UNITS, 2)).on(device, 1);

  private Tensor x(Tape on, float value) {
    return on.input(Shape.of(UNITS, 1), value, 2 * value, 3 * value);
  }

  @Test
  void aSecondThreadIsRefusedWhileAStepRuns() {
    model.apply(x(tape, 1));
    Snapshot before = model.save();
    int[] refused = {0};
    try (Tape other = Tape.on(device)) {
      Tensor its = x(other, 1);
      during =
          () -> {
            Elsewhere.isRefused("Recur(", () -> inner.apply(its));
            Elsewhere.isRefused("Recur(", () -> model.apply(its));
            Elsewhere.isRefused("Recur(", model::reset);
            Elsewhere.isRefused("Recur(", model::truncate);
            Elsewhere.isRefused("Recur(", inner::state);
            Elsewhere.isRefused("Recur(", model::save);
            Elsewhere.isRefused("Recur(", () -> model.restore(before));
            Elsewhere.isRefused("Recur(", model::fork);
            refused[0]++;
          };
      model.apply(x(tape, 2));
    }
    assertEquals(1, refused[0]);
  }

  /** The first Recur is outside a step of the second alone, and still does not change. */
  @Test
  void severalStatesChangeTogetherOrNotAtAll() {
    Recur first = model.recurs().getFirst();
    model.apply(x(tape, 1));
    during =
        () -> {
          Elsewhere.isRefused("Recur(", model::reset);
          Elsewhere.isRefused("Recur(", model::truncate);
        };
    inner.apply(x(tape, 2));
    assertFalse(first.isFresh());
    assertEquals(tape, first.state().h().tape(), "its history was not truncated");
  }

  @Test
  void aForkIsRefusedATapeThatAnotherThreadUses() {
    Chain fork = model.fork();
    during = () -> Elsewhere.isRefused("tape", () -> fork.apply(x(tape, 1)));
    Tensor first = x(tape, 1);
    model.apply(first);
    Tensor second = x(tape, 1);
    during = () -> Elsewhere.isRefused("tape", () -> fork.apply(second));
    model.apply(second);
    assertTrue(fork.recurs().stream().allMatch(Recur::isFresh));
  }

  @Test
  void severalThreadsCopyOneModelAtOnce() throws Exception {
    model.apply(x(tape, 1));
    model.truncate();
    float[] expected = model.fork().apply(x(tape, 2)).toArray();
    List<Future<float[]>> answers = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 200; i++) {
        answers.add(
            pool.submit(
                () -> {
                  model.save();
                  inner.state();
                  try (Tape own = Tape.inference(device)) {
                    return model.fork().apply(x(own, 2)).toArray();
                  }
                }));
      }
      for (Future<float[]> answer : answers) {
        assertArrayEquals(expected, answer.get());
      }
    }
  }

  /** Truncate and reset let go of the tape, so they use it. */
  @Test
  void aStateOnATapeThatAnotherThreadUsesStays() {
    model.apply(x(tape, 1));
    float[] h = inner.state().h().toArray();
    try (var _ = tape.enter()) {
      Elsewhere.isRefused("tape", inner::truncate);
      Elsewhere.isRefused("tape", inner::reset);
      Elsewhere.isRefused("tape", model::save);
    }
    assertArrayEquals(h, inner.state().h().toArray());
    assertEquals(tape, inner.state().h().tape());
  }

  @Test
  void aStepThatThrowsLeavesTheModelToOthers() throws Throwable {
    during =
        () -> {
          throw new ArithmeticException();
        };
    assertThrows(ArithmeticException.class, () -> model.apply(x(tape, 1)));
    during = () -> {};
    model.reset();
    tape.clear();
    Elsewhere.run(() -> model.apply(x(tape, 1)).toArray());
    Elsewhere.run(model::truncate);
    assertFalse(inner.isFresh());
  }

  /** A pool of threads that hands a session round gives what one thread gives. */
  @Test
  void aSessionMayGoFromThreadToThread() throws Exception {
    Chain session = chain(lstm(UNITS, 16), gru(16, 8), dense(8, 2)).on(device, 1);
    Chain alone = session.fork();
    List<float[]> expected = new ArrayList<>();
    List<float[]> found = new ArrayList<>();
    try (Tape handed = Tape.inference(device);
        Tape own = Tape.inference(device);
        ExecutorService platform = Executors.newFixedThreadPool(3);
        ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        float value = 0.01f * i;
        expected.add(alone.apply(x(own, value)).toArray());
        alone.truncate();
        Future<float[]> answer =
            (i % 2 == 0 ? platform : virtual)
                .submit(
                    () -> {
                      float[] y = session.apply(x(handed, value)).toArray();
                      handed.clear();
                      return y;
                    });
        found.add(answer.get());
      }
    }
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), "step " + i);
    }
  }

  @Test
  void anotherSeedForParametersThatAreThereIsRefused() {
    model.on(device, 1);
    Thrown.says(
        IllegalStateException.class,
        () -> model.on(device, 2),
        "on: seed=2",
        "from seed=1",
        "build another model");
    Chain grown = chain(model, dense(2, 2)).on(device, 2); // what is there keeps its values
    assertEquals(2, grown.apply(x(tape, 1)).shape().rows());
  }

  @Test
  void forksOnTapesOfTheirOwnNeedNoLock() throws Exception {
    Chain shared = chain(lstm(UNITS, 16), dense(16, 2)).on(device, 1);
    float[] expected = answer(shared.fork());
    List<Future<float[]>> answers = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 40; i++) {
        answers.add(pool.submit(() -> answer(shared.fork())));
      }
      for (Future<float[]> answer : answers) {
        assertArrayEquals(expected, answer.get());
      }
    }
  }

  private float[] answer(Chain fork) {
    try (Tape own = Tape.inference(device)) {
      float[] y = {};
      for (int i = 0; i < 10; i++) {
        y = fork.apply(x(own, i)).toArray();
        own.clear();
      }
      return y;
    }
  }
}
