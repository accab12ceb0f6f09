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
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Snapshot;
import io.recur.nn.Step;
import io.recur.serve.SessionException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a session is told, and that nobody else notices. */
class SessionsTest {
  private static final int IN = 3;

  @AutoClose private final Device device = Devices.here();
  private final Gate gate = new Gate();
  private final Chain model = chain(gate, lstm(IN, 8), dense(8, 2)).on(device, 1);

  private static void refused(Reason reason, Executable call, String... words) {
    Thrown.says(SessionException.class, call, words);
    assertSame(reason, assertThrows(SessionException.class, call).reason());
  }

  private static void refused(Reason reason, CompletableFuture<float[]> call) {
    CompletionException thrown = assertThrows(CompletionException.class, call::join);
    assertSame(reason, ((SessionException) thrown.getCause()).reason(), thrown.toString());
  }

  private Sessions opened(Batching batching) {
    return Sessions.open(model, device, batching);
  }

  /** Sessions whose model needs no gate to open. */
  private Sessions opened() {
    gate.open();
    return opened(Batching.ADAPTIVE);
  }

  /** The answers of a fork of the model to equal inputs, after as many steps. */
  private float[] alone(int steps) {
    gate.open();
    try (Chain own = model.fork();
        Tape tape = Tape.inference(device)) {
      float[] y = {};
      for (int t = 0; t < steps; t++) {
        y = own.apply(tape.input(1, 2, 3)).toArray();
        tape.clear();
      }
      return y;
    }
  }

  // Ids.

  @Test
  void numbersAndTextsAreIdsOfDifferentSessions() {
    try (Sessions sessions = opened()) {
      String long64 = "ä".repeat(32);
      sessions.open(7, -1, Long.MIN_VALUE);
      sessions.open("7", long64, "x");
      assertEquals(6, sessions.counts().sessions());
      sessions.step("7", 1, 2, 3);
      assertArrayEquals(alone(1), sessions.step(7, 1, 2, 3));
      assertArrayEquals(alone(2), sessions.step("7", 1, 2, 3));
      assertTrue(sessions.isOpen(long64) && sessions.isOpen(Long.MIN_VALUE));
      assertFalse(sessions.isOpen("y") || sessions.isOpen(8));
      Thrown.says(
          IllegalArgumentException.class, () -> sessions.open("ä".repeat(32) + "x"), "65 bytes");
      Thrown.says(IllegalArgumentException.class, () -> sessions.open(""), "0 bytes");
      Thrown.says(IllegalArgumentException.class, () -> sessions.open("a\uD800"), "surrogate");
    }
  }

  @Test
  void anUnknownSessionIsRefused() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      refused(Reason.UNKNOWN, () -> sessions.step(2, 1, 2, 3), "id=2", "open or restore it");
      refused(Reason.UNKNOWN, () -> sessions.save("1"), "id=\"1\"");
      refused(Reason.UNKNOWN, () -> sessions.fork(2, 3));
      refused(Reason.UNKNOWN, () -> sessions.reset(2));
      refused(Reason.UNKNOWN, () -> sessions.close(2));
      sessions.close(1);
      refused(Reason.UNKNOWN, () -> sessions.step(1, 1, 2, 3));
      assertEquals(0, sessions.counts().sessions());
    }
  }

  @Test
  void sessionsAreOpenedTogetherOrNotAtAll() {
    try (Sessions sessions = opened()) {
      sessions.open(3);
      sessions.step(3, 1, 2, 3);
      refused(Reason.OPEN, () -> sessions.open(1, 2, 3), "id=3 is open");
      refused(Reason.OPEN, () -> sessions.open("a", "b", "a"), "id=\"a\"");
      refused(Reason.OPEN, () -> sessions.fork(3, 3));
      assertFalse(sessions.isOpen(1) || sessions.isOpen("a"));
      assertArrayEquals(alone(2), sessions.step(3, 1, 2, 3));
    }
  }

  // Order and turns.

  @Test
  void callsOfASessionAreDoneInTheirOrder() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      List<CompletableFuture<float[]>> answers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        answers.add(sessions.stepAsync(1, Request.of(1, 2, 3)));
      }
      sessions.fork(1, 2);
      for (int i = 0; i < 50; i++) {
        assertArrayEquals(alone(i + 1), answers.get(i).join());
      }
      assertArrayEquals(alone(51), sessions.step(2, 1, 2, 3));
    }
  }

  @Test
  void whatWaitsBehindACloseFindsNoSession() throws InterruptedException {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(1);
      CompletableFuture<float[]> first = sessions.stepAsync(1, Request.of(1, 2, 3));
      gate.awaitBatch();
      Thread closing = Thread.ofPlatform().start(() -> sessions.close(1));
      while (closing.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      CompletableFuture<float[]> behind = sessions.stepAsync(1, Request.of(1, 2, 3));
      gate.open();
      closing.join();
      assertArrayEquals(alone(1), first.join());
      refused(Reason.UNKNOWN, behind);
    }
  }

  @Test
  void aSessionWithManyRequestsTakesOnePlacePerBatch() {
    try (Sessions sessions = opened(Batching.ADAPTIVE.withLargest(2))) {
      sessions.open(0, 1, 2, 3);
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      List<CompletableFuture<float[]>> greedy = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        greedy.add(sessions.stepAsync(1, Request.of(1, 2, 3)));
      }
      List<Long> before = new ArrayList<>();
      List<CompletableFuture<?>> others = new ArrayList<>();
      for (int id : new int[] {2, 3}) {
        others.add(
            sessions
                .stepAsync(id, Request.of(1, 2, 3))
                .thenRun(
                    () -> before.add(greedy.stream().filter(CompletableFuture::isDone).count())));
      }
      gate.open();
      greedy.getLast().join();
      CompletableFuture.allOf(others.toArray(CompletableFuture[]::new)).join();
      assertTrue(before.stream().allMatch(count -> count <= 2), "served before others: " + before);
    }
  }

  @Test
  void whatWaitsIsOneBatchUpToTheLargest() {
    try (Sessions sessions = opened(Batching.ADAPTIVE.withLargest(6))) {
      List<CompletableFuture<float[]>> answers = new ArrayList<>();
      for (int id = 0; id < 16; id++) {
        sessions.open(id);
      }
      answers.add(sessions.stepAsync(0, Request.of(1, 2, 3)));
      gate.awaitBatch();
      for (int id = 1; id < 16; id++) {
        answers.add(sessions.stepAsync(id, Request.of(1, 2, 3)));
      }
      gate.open();
      answers.forEach(CompletableFuture::join);
      assertEquals(List.of(1, 6, 6, 3), gate.batches);
      assertEquals(4, sessions.counts().batches());
      assertEquals(16, sessions.counts().requests());
      answers.forEach(answer -> assertArrayEquals(alone(1), answer.join()));
    }
  }

  @Test
  void aBatchThatIsNotFullWaitsAsLongAsItIsTold() {
    gate.open();
    try (Sessions sessions = opened(new Batching(3, 1_000_000, 10))) {
      sessions.open(1, 2, 3);
      List<CompletableFuture<float[]>> answers = new ArrayList<>();
      for (int id = 1; id <= 3; id++) {
        answers.add(sessions.stepAsync(id, Request.of(1, 2, 3)));
      }
      answers.forEach(CompletableFuture::join); // full, long before a second has passed
      assertEquals(List.of(3), gate.batches);
    }
  }

  // Refusals.

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

  // Numbers of steps.

  @Test
  void aRepeatedRequestDoesNotStepTwice() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      float[] first = sessions.step(1, Request.of(1, 2, 3).numbered(5));
      assertArrayEquals(alone(1), first);
      assertArrayEquals(first, sessions.step(1, Request.of(1, 2, 3).numbered(5)));
      float[][] sequence = {{1, 2, 3}, {1, 2, 3}};
      float[] second = sessions.step(1, Request.of(sequence).numbered(9));
      assertArrayEquals(second, sessions.step(1, Request.of(sequence).numbered(9)));
      refused(
          Reason.PASSED,
          () -> sessions.step(1, Request.of(1, 2, 3).numbered(5)),
          "number=5",
          "last number=9");
      assertArrayEquals(alone(4), sessions.step(1, 1, 2, 3));
      assertEquals(2, sessions.counts().repeated());
      sessions.reset(1);
      assertArrayEquals(alone(1), sessions.step(1, Request.of(1, 2, 3).numbered(0)));
    }
  }

  @Test
  void aRequestThatWaitsIsRepeatedWithoutASecondStep() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(1);
      CompletableFuture<float[]> first = sessions.stepAsync(1, Request.of(1, 2, 3).numbered(0));
      gate.awaitBatch();
      CompletableFuture<float[]> again = sessions.stepAsync(1, Request.of(1, 2, 3).numbered(0));
      gate.open();
      assertArrayEquals(first.join(), again.join());
      assertArrayEquals(alone(2), sessions.step(1, 1, 2, 3));
    }
  }

  // The end.

  @Test
  void closingRefusesWhatWaits() throws InterruptedException {
    Sessions sessions = opened(Batching.ADAPTIVE);
    sessions.open(0, 1);
    CompletableFuture<float[]> inside = sessions.stepAsync(0, Request.of(1, 2, 3));
    gate.awaitBatch();
    CompletableFuture<float[]> waiting = sessions.stepAsync(1, Request.of(1, 2, 3));
    CompletableFuture<float[]> behind = sessions.stepAsync(1, Request.of(1, 2, 3));
    Thread closing = Thread.ofPlatform().start(sessions::close);
    while (closing.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    refused(Reason.CLOSED, () -> sessions.step(0, 1, 2, 3), "they were closed");
    gate.open();
    closing.join();
    assertArrayEquals(alone(1), inside.join());
    refused(Reason.CLOSED, behind);
    assertTrue(waiting.isDone());
    assertEquals(0, sessions.counts().waiting());
    sessions.close();
  }

  @Test
  void drainingAnswersWhatWaits() throws InterruptedException {
    Sessions sessions = opened(Batching.ADAPTIVE);
    sessions.open(0, 1);
    sessions.stepAsync(0, Request.of(1, 2, 3));
    gate.awaitBatch();
    List<CompletableFuture<float[]>> answers = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      answers.add(sessions.stepAsync(1, Request.of(1, 2, 3)));
    }
    Thread draining = Thread.ofPlatform().start(sessions::drain);
    while (draining.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    refused(Reason.CLOSED, () -> sessions.step(0, 1, 2, 3));
    gate.open();
    draining.join();
    for (int i = 0; i < 10; i++) {
      assertArrayEquals(alone(i + 1), answers.get(i).join());
    }
  }

  @Test
  void aCallThatWouldWaitForItselfIsRefused() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(1);
      CompletableFuture<float[]> inside =
          sessions.stepAsync(1, Request.of(1, 2, 3)).thenApply(y -> sessions.step(1, 1, 2, 3));
      CompletableFuture<float[]> outside =
          sessions.stepAsync(1, Request.of(1, 2, 3)).thenApplyAsync(y -> sessions.step(1, 1, 2, 3));
      gate.open();
      Thrown.says(CompletionException.class, inside::join, "wait for itself", "thenApplyAsync");
      assertArrayEquals(alone(3), outside.join());
    }
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
