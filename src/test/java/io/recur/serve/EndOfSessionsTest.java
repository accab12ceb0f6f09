package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.serve.SessionException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What becomes of calls when sessions end, and of calls that could never end. */
class EndOfSessionsTest extends GatedSessions {
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
}
