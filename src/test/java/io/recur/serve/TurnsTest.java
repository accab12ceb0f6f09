package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.serve.SessionException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** In which order calls are done, and which of them are one batch. */
class TurnsTest extends GatedSessions {
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

  /** Steps that cannot share a batch take turns: that which has waited longest is next. */
  @Test
  void theOldestStepIsInTheNextBatch() {
    try (Sessions sessions = opened(Batching.ADAPTIVE.withLargest(2))) {
      sessions.open(LongStream.range(0, 7).toArray());
      sessions.stepAsync(0, Request.of(1, 2, 3));
      gate.awaitBatch();
      List<Integer> lengths = List.of(1, 2, 1, 1, 3, 2);
      List<Integer> order = new CopyOnWriteArrayList<>();
      List<CompletableFuture<?>> all = new ArrayList<>();
      for (int i = 0; i < lengths.size(); i++) {
        int length = lengths.get(i);
        float[][] sequence = new float[length][3];
        all.add(sessions.stepAsync(i + 1, Request.of(sequence)).thenRun(() -> order.add(length)));
      }
      gate.open();
      all.forEach(CompletableFuture::join);
      assertEquals(List.of(1, 1, 2, 2, 1, 3), order);
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
}
