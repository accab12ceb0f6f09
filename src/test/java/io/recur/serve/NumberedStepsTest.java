package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.serve.SessionException.Reason;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A step with a number is stepped once, however often it is sent. */
class NumberedStepsTest extends GatedSessions {
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
      Waiting again = Waiting.step(Id.of(1), Request.of(sequence).numbered(9));
      assertEquals(2, sessions.calls().answers(again).length, "as many steps");
      refused(
          Reason.PASSED,
          () -> sessions.step(1, Request.of(1, 2, 3).numbered(5)),
          "number=5",
          "last number=9");
      assertArrayEquals(alone(4), sessions.step(1, 1, 2, 3));
      assertEquals(3, sessions.counts().repeated());
      sessions.reset(1);
      assertArrayEquals(alone(1), sessions.step(1, Request.of(1, 2, 3).numbered(0)));
    }
  }

  /** A state that is restored, and a fork, have taken no step with a number. */
  @Test
  void aStateHasNoNumber() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      sessions.step(1, Request.of(1, 2, 3).numbered(5));
      sessions.fork(1, 2);
      assertArrayEquals(alone(2), sessions.step(2, Request.of(1, 2, 3).numbered(5)));
      sessions.restore(1, sessions.save(1));
      assertArrayEquals(alone(2), sessions.step(1, Request.of(1, 2, 3).numbered(5)));
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
}
