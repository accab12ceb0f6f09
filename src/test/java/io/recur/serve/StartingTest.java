package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.grad.ShapeException;
import io.recur.serve.SessionException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that start their session, end it, or have none: one call each. */
class StartingTest extends GatedSessions {
  private static final Request STEP = Request.of(1, 2, 3);

  @TempDir private Path folder;

  @Test
  void theFirstRequestOpensItsSessionOrResetsIt() {
    try (Sessions sessions = opened()) {
      assertArrayEquals(alone(1), sessions.step("a", STEP.starting()));
      assertArrayEquals(alone(2), sessions.step("a", STEP));
      assertArrayEquals(alone(1), sessions.step("a", STEP.numbered(7).starting()));
      assertArrayEquals(alone(2), sessions.step("a", STEP.numbered(8)));
      assertArrayEquals(alone(1), sessions.step("a", STEP.numbered(3).starting()), "begins anew");
      assertArrayEquals(alone(2), sessions.step("a", STEP.numbered(4)));
      assertEquals(1, sessions.counts().sessions());
    }
  }

  @Test
  void theLastRequestClosesItsSessionWithTheAnswer() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      assertArrayEquals(alone(1), sessions.step(1, STEP.ending()));
      assertFalse(sessions.isOpen(1));
      assertArrayEquals(alone(1), sessions.step(1, STEP.starting().ending()));
      refused(Reason.UNKNOWN, () -> sessions.step(1, STEP.ending()), "id=1 is not open");
      assertEquals(0, sessions.counts().sessions());
    }
  }

  /** An answer that is given again ends the session as well. */
  @Test
  void aLastRequestThatIsSentAgainEndsItsSession() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      sessions.step(1, STEP.numbered(1));
      assertArrayEquals(alone(1), sessions.step(1, STEP.numbered(1).ending()));
      assertFalse(sessions.isOpen(1));
    }
  }

  /** All wait together; each has its turn behind the one before it. */
  @Test
  void sequencesThatWaitBehindEachOtherAreKeptApart() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0);
      sessions.stepAsync(0, STEP);
      gate.awaitBatch();
      List<CompletableFuture<float[]>> answers =
          List.of(
              sessions.stepAsync(5, STEP.starting()),
              sessions.stepAsync(5, STEP.ending()),
              sessions.stepAsync(5, STEP.starting()),
              sessions.stepAsync(5, STEP),
              sessions.stepAsync(5, STEP.starting()),
              sessions.stepAsync(5, STEP.ending()));
      CompletableFuture<float[]> behind = sessions.stepAsync(5, STEP);
      gate.open();
      int[] steps = {1, 2, 1, 2, 1, 2};
      for (int i = 0; i < steps.length; i++) {
        assertArrayEquals(alone(steps[i]), answers.get(i).join(), "request " + i);
      }
      refused(Reason.UNKNOWN, behind);
      assertEquals(1, sessions.counts().sessions());
    }
  }

  @Test
  void aRequestOfNoSessionIsAStepOfAFreshFork() {
    try (Sessions sessions = opened()) {
      sessions.open(0);
      sessions.step(0, STEP);
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(alone(1), sessions.stepOnce(STEP));
      }
      assertArrayEquals(alone(1), sessions.stepOnce(STEP.numbered(1).starting().ending()));
      assertArrayEquals(alone(1), sessions.stepOnceAsync(STEP.numbered(1)).join());
      assertArrayEquals(alone(2), sessions.step(0, STEP), "the session named 0 is another");
      assertEquals(1, sessions.counts().sessions());
      assertEquals(7, sessions.counts().requests());
    }
  }

  /** They are one call, and share a batch with those of sessions. */
  @Test
  void requestsOfNoSessionStartsAndStepsAreOneBatch() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0, 1);
      sessions.stepAsync(0, STEP);
      gate.awaitBatch();
      CompletableFuture<float[]> once = sessions.stepOnceAsync(STEP);
      CompletableFuture<float[]> start = sessions.stepAsync(2, STEP.starting());
      CompletableFuture<float[]> step = sessions.stepAsync(1, STEP.ending());
      assertEquals(3, Waits.of(sessions));
      gate.open();
      List<float[]> answers = List.of(once.join(), start.join(), step.join());
      assertEquals(List.of(1, 3), gate.batches);
      answers.forEach(answer -> assertArrayEquals(alone(1), answer));
    }
  }

  @Test
  void aStartThatIsRefusedLeavesNothingOpen() {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0);
      sessions.stepAsync(0, STEP);
      gate.awaitBatch();
      CompletableFuture<float[]> late = sessions.stepAsync(1, STEP.within(0).starting());
      CompletableFuture<float[]> cancelled = sessions.stepAsync(2, STEP.starting());
      CompletableFuture<float[]> wrong = sessions.stepAsync(3, Request.of(1, 2).starting());
      CompletableFuture<float[]> behind = sessions.stepAsync(3, STEP);
      CompletableFuture<float[]> again = sessions.stepAsync(3, STEP.starting());
      cancelled.cancel(false);
      gate.open();
      refused(Reason.LATE, late);
      Thrown.says(CompletionException.class, wrong::join, "2");
      refused(Reason.UNKNOWN, behind);
      assertArrayEquals(alone(1), again.join());
      assertFalse(sessions.isOpen(1));
      assertFalse(sessions.isOpen(2));
      assertEquals(2, sessions.counts().sessions());
    }
  }

  /** What waits or comes too late has not begun. */
  @Test
  void anOpenSessionIsAsItWasBehindAStartThatIsLate() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      sessions.step(1, STEP);
      refused(Reason.LATE, () -> sessions.step(1, STEP.within(0).starting()), "within=0");
      assertArrayEquals(alone(2), sessions.step(1, STEP));
      Thrown.says(ShapeException.class, () -> sessions.step(1, Request.of(1, 2).starting()), "2");
      assertArrayEquals(alone(1), sessions.step(1, STEP), "the model has refused it: it was reset");
    }
  }

  @Test
  void aStartThatIsNotANumberFailsItsSession() {
    try (Sessions sessions = opened()) {
      Request nan = Request.of(1, Float.NaN, 3);
      refused(Reason.FAILED, () -> sessions.step(1, nan.starting()), "id=1", "x[1]");
      refused(Reason.FAILED, () -> sessions.step(1, STEP), "reset or restore it");
      assertArrayEquals(alone(1), sessions.step(1, STEP.starting()));
      refused(Reason.FAILED, () -> sessions.step(1, nan.ending()), "x[1]");
      assertTrue(sessions.isOpen(1), "it was not answered");
      refused(Reason.FAILED, () -> sessions.stepOnce(nan), "a step of no session", "x[1]");
      refused(Reason.LATE, () -> sessions.stepOnce(STEP.within(0)), "id=none");
      assertEquals(3, sessions.counts().failed());
    }
  }

  /** A session in the store is open: it comes back and is reset. */
  @Test
  void aSessionInTheStoreStartsAgain() throws IOException {
    gate.open();
    AtomicLong millis = new AtomicLong(1_000_000);
    InstantSource clock = () -> Instant.ofEpochMilli(millis.get());
    try (FileStore store = FileStore.open(folder);
        Sessions sessions =
            Sessions.open(model, device, Batching.ADAPTIVE, new Idle(1000, store, clock))) {
      sessions.step(1, STEP.starting());
      millis.addAndGet(5000);
      while (sessions.counts().stored() < 1) {
        Thread.onSpinWait();
      }
      assertArrayEquals(alone(1), sessions.step(1, STEP.starting()));
      assertArrayEquals(alone(2), sessions.step(1, STEP.ending()));
      assertEquals(0, sessions.counts().stored());
      assertFalse(sessions.isOpen(1));
    }
  }

  @Test
  void aRequestSaysWhatItIs() {
    assertEquals(
        "Request(3, number 4, starting, ending, version 2)",
        STEP.numbered(4).starting().ending().ofVersion(2).toString());
    Thrown.says(IllegalArgumentException.class, () -> STEP.ofVersion(0), "version=0");
  }

  /** Whichever is the last one: it keeps all others. */
  @Test
  void aRequestKeepsItsSettingsInEveryOrder() {
    List<UnaryOperator<Request>> settings =
        new ArrayList<>(
            List.of(
                its -> its.numbered(4),
                its -> its.within(5),
                Request::starting,
                Request::ending,
                its -> its.ofVersion(2)));
    for (int round = 0; round < settings.size(); round++) {
      Collections.rotate(settings, 1);
      Request request = STEP;
      for (UnaryOperator<Request> setting : settings) {
        request = setting.apply(request);
      }
      assertEquals("Request(3, number 4, starting, ending, version 2)", request.toString());
      assertEquals(5, request.micros);
      assertTrue(request.isLike(STEP));
    }
  }
}
