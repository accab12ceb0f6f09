package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Snapshot;
import io.recur.nn.State;
import io.recur.nn.Step;
import io.recur.serve.SessionException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever sends what cannot be served is told so, and nobody else notices. */
class RefusalsTest extends GatedSessions {
  @Test
  void aFullQueueRejectsAndServesWhatWaits() {
    try (Sessions sessions = opened(Batching.ADAPTIVE.withMostWaiting(3))) {
      sessions.open(0, 1);
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      List<CompletableFuture<float[]>> answers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        answers.add(sessions.stepAsync(1, Request.of(1, 2, 3)));
      }
      refused(Reason.OVERFULL, answers.get(3));
      refused(
          Reason.OVERFULL,
          () -> sessions.step(0, 1, 2, 3),
          "id=0",
          "waiting=3",
          "raise mostWaiting");
      gate.open();
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(alone(i + 1), answers.get(i).join());
      }
      assertArrayEquals(alone(4), sessions.step(1, 1, 2, 3));
      assertEquals(4, sessions.counts().rejected());
    }
  }

  @Test
  void aRequestThatIsLateOrCancelledDoesNotStep() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0, 1);
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      CompletableFuture<float[]> late = sessions.stepAsync(1, Request.of(1, 2, 3).within(0));
      CompletableFuture<float[]> cancelled = sessions.stepAsync(1, Request.of(1, 2, 3));
      CompletableFuture<float[]> served =
          sessions.stepAsync(1, Request.of(1, 2, 3).within(Long.MAX_VALUE / 2000));
      cancelled.cancel(false);
      gate.open();
      assertArrayEquals(alone(1), served.join());
      refused(Reason.LATE, late);
      Thrown.says(CompletionException.class, late::join, "within=0 µs", "it did not step");
      assertEquals(2, sessions.counts().refused());
    }
  }

  @Test
  void aWrongShapeIsRefusedAlone() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0, 1, 2, 3);
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      CompletableFuture<float[]> before = sessions.stepAsync(1, Request.of(1, 2, 3));
      CompletableFuture<float[]> wrong = sessions.stepAsync(2, Request.of(1, 2));
      CompletableFuture<float[]> oneHot = sessions.stepAsync(2, Request.symbol(7, 6));
      CompletableFuture<float[]> after = sessions.stepAsync(3, Request.of(1, 2, 3));
      gate.open();
      assertArrayEquals(alone(1), before.join());
      assertArrayEquals(alone(1), after.join());
      for (CompletableFuture<float[]> call : List.of(wrong, oneHot)) {
        CompletionException thrown = assertThrows(CompletionException.class, call::join);
        assertSame(ShapeException.class, thrown.getCause().getClass());
      }
      assertThrows(ShapeException.class, () -> sessions.step(2, 1, 2, 3, 4));
      assertArrayEquals(alone(1), sessions.step(2, 1, 2, 3));
    }
  }

  @Test
  void notANumberFailsItsSessionAloneUntilItBeginsAgain() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0, 1, 2, 3);
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      CompletableFuture<float[]> good = sessions.stepAsync(1, Request.of(1, 2, 3));
      CompletableFuture<float[]> bad = sessions.stepAsync(2, Request.of(1, Float.NaN, 3));
      CompletableFuture<float[]> behind = sessions.stepAsync(2, Request.of(1, 2, 3));
      CompletableFuture<float[]> infinite =
          sessions.stepAsync(3, Request.of(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0));
      gate.open();
      assertArrayEquals(alone(1), good.join());
      refused(Reason.FAILED, bad);
      Thrown.says(CompletionException.class, bad::join, "id=2", "x[1] is not a number");
      refused(Reason.FAILED, behind);
      refused(Reason.FAILED, infinite); // its gates are ∞ − ∞
      refused(
          Reason.FAILED, () -> sessions.step(3, 1, 2, 3), "an earlier step", "reset or restore");
      assertEquals(2, sessions.counts().failed());
      sessions.restore(2, sessions.save(2)); // the state before the step that failed
      assertArrayEquals(alone(1), sessions.step(2, 1, 2, 3));
      sessions.reset(3);
      assertArrayEquals(alone(1), sessions.step(3, 1, 2, 3));
    }
  }

  /** Adds up its inputs and gives their roots, or adds up the roots and gives the inputs. */
  private record Roots(Parameter begin, boolean areKept) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor root = Functions.sqrt(x);
      return areKept ? Step.step(state.h().add(root), x) : Step.step(state.h().add(x), root);
    }

    @Override
    public boolean columnsAreIndependent() {
      return true;
    }

    @Override
    public List<Parameter> state0() {
      return List.of(begin);
    }

    @Override
    public List<Parameter> parameters() {
      return state0();
    }
  }

  /** Whether it is the state alone that would hold it, or the answer alone. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aStepThatWouldGiveWhatIsNotANumberChangesNothing(boolean areKept) {
    Recur roots = new Recur(new Roots(Parameter.zeros(Shape.of(IN, 1)), areKept)).on(device, 1);
    try (Sessions sessions = Sessions.open(roots, device)) {
      sessions.open(1);
      sessions.step(1, 1, 4, 9);
      byte[] state = sessions.save(1);
      refused(
          Reason.FAILED, () -> sessions.step(1, 1, -4, 9), "id=1", "gave a value", "not a number");
      assertArrayEquals(state, sessions.save(1));
      refused(Reason.FAILED, () -> sessions.step(1, 1, 4, 9), "an earlier step");
      sessions.restore(1, state);
      assertArrayEquals(
          areKept ? new float[] {1, 4, 9} : new float[] {1, 2, 3}, sessions.step(1, 1, 4, 9));
      assertEquals(1, sessions.counts().failed());
    }
  }

  /** A layer that throws for a value that it does not like. */
  private static Layer throwing() {
    return new Layer() {
      @Override
      public Tensor apply(Tensor x) {
        for (float value : x.toArray()) {
          if (value > 99) {
            throw new IllegalArgumentException("too large: " + value);
          }
        }
        return x;
      }

      @Override
      public boolean columnsAreIndependent() {
        return true;
      }
    };
  }

  @Test
  void aModelThatThrowsForOneSessionRefusesItAlone() {
    Chain picky = chain(throwing(), gate, lstm(IN, 8), dense(8, 2)).on(device, 1);
    try (Sessions sessions = Sessions.open(picky, device)) {
      sessions.open(0, 1, 2, 3);
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      CompletableFuture<float[]> before = sessions.stepAsync(1, Request.of(1, 2, 3));
      CompletableFuture<float[]> bad = sessions.stepAsync(2, Request.of(1, 2, 100));
      CompletableFuture<float[]> after = sessions.stepAsync(3, Request.of(1, 2, 3));
      gate.open();
      assertArrayEquals(before.join(), after.join());
      Thrown.says(CompletionException.class, bad::join, "too large: 100");
      assertArrayEquals(before.join(), sessions.step(2, 1, 2, 3));
    }
  }

  @Test
  void aStateOfAnotherModelIsRefusedAndChangesNothing() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      sessions.step(1, 1, 2, 3);
      Chain twin = chain(new Gate(), lstm(IN, 8), dense(8, 2)).on(device, 1);
      byte[] other = chain(gru(IN, 8)).on(device, 1).save().toBytes();
      byte[] larger = chain(lstm(IN, 9)).on(device, 1).save().toBytes();
      byte[] two = new Snapshot(List.of(List.of(part(8), part(8)))).toBytes();
      for (byte[] state : List.of(other, larger, two)) {
        assertThrows(ShapeException.class, () -> sessions.restore(1, state));
        assertThrows(ShapeException.class, () -> sessions.restore(9, state));
      }
      byte[] damaged = sessions.save(1);
      damaged[damaged.length / 2] ^= 1;
      assertThrows(IllegalArgumentException.class, () -> sessions.restore(1, damaged));
      assertFalse(sessions.isOpen(9));
      assertArrayEquals(alone(2), sessions.step(1, 1, 2, 3));
      sessions.restore("fresh", twin.save().toBytes());
      assertArrayEquals(alone(1), sessions.step("fresh", 1, 2, 3));
    }
  }

  private static Snapshot.Part part(int rows) {
    return new Snapshot.Part(rows, 2, new float[2 * rows]);
  }

  @Test
  void aModelThatCannotBeServedIsRefused() {
    Recur dependent = new Recur((h, x) -> Step.step(h.add(x), h), Parameter.zeros(Shape.of(IN, 1)));
    Thrown.says(
        IllegalArgumentException.class,
        () -> Sessions.open(chain(lstm(IN, IN), dependent).on(device, 1), device),
        "may depend on the others",
        "columnsAreIndependent()");
    Thrown.says(
        IllegalArgumentException.class,
        () -> Sessions.open(dense(IN, 2).on(device, 1), device),
        "has no Recur");
    Thrown.says(
        IllegalArgumentException.class,
        () -> Sessions.open(gru(IN, 2).withoutState0().on(device, 1), device),
        "no state0");
    Thrown.says(IllegalStateException.class, () -> Sessions.open(gru(IN, 2), device), "");
    try (Device other = Devices.opened()) {
      Thrown.says(
          IllegalArgumentException.class, () -> Sessions.open(model, other), "open them for that");
    }
  }
}
