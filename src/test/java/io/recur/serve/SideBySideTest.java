package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.serve.SessionException.Reason;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Versions that serve side by side, whether sessions have them or not. */
class SideBySideTest extends GatedSessions {
  private static final Request STEP = Request.of(1, 2, 3);

  private final Chain larger = chain(lstm(IN, 12), dense(12, 5)).on(device, 4);
  private final Chain retrained = chain(lstm(IN, 8), dense(8, 2)).on(device, 5);

  private static List<Integer> numbers(Sessions sessions) {
    return sessions.versions().all().stream().map(ModelVersion::number).toList();
  }

  @Test
  void aVersionThatIsKeptServesWithoutSessions() {
    try (Sessions sessions = opened()) {
      Versions versions = sessions.versions();
      versions.keep(1);
      assertEquals(2, versions.replace(larger, Moving.AT_RESET));
      assertEquals(List.of(1, 2), numbers(sessions));
      assertArrayEquals(alone(1), sessions.stepOnce(STEP.ofVersion(1)));
      assertArrayEquals(alone(larger, 1), sessions.stepOnce(STEP.ofVersion(2)));
      assertArrayEquals(alone(larger, 1), sessions.stepOnce(STEP));
      assertArrayEquals(alone(1), sessions.step("one", STEP.ofVersion(1).starting()));
      assertArrayEquals(alone(larger, 1), sessions.step("two", STEP.starting()));
      assertArrayEquals(alone(2), sessions.step("one", STEP));
      assertArrayEquals(alone(larger, 2), sessions.step("two", STEP.ofVersion(2)));
      assertEquals(1, versions.of("one"));
      sessions.close("one");
      assertEquals(List.of(1, 2), numbers(sessions));
      versions.release(1);
      assertEquals(List.of(2), numbers(sessions));
      versions.release(2);
      assertEquals(List.of(2), numbers(sessions), "the newest");
    }
  }

  /** A start moves an open session to the version that it names, whose states have another size. */
  @Test
  void aStartMovesItsSession() {
    try (Sessions sessions = opened()) {
      sessions.versions().keep(1);
      sessions.versions().replace(larger, Moving.AT_RESET);
      for (int round = 0; round < 3; round++) {
        assertArrayEquals(alone(larger, 1), sessions.step(7, STEP.starting()));
        assertArrayEquals(alone(1), sessions.step(7, STEP.ofVersion(1).starting()));
        assertArrayEquals(alone(2), sessions.step(7, STEP));
      }
    }
  }

  @Test
  void anotherVersionThanTheSessionsIsRefused() {
    try (Sessions sessions = opened()) {
      sessions.open(1);
      sessions.versions().replace(larger, Moving.AT_RESET);
      sessions.step(2, STEP.starting());
      refused(
          Reason.VERSION,
          () -> sessions.step(1, STEP.ofVersion(2)),
          "version 2",
          "id=1 is stepped by version 1");
      refused(Reason.VERSION, () -> sessions.step(2, STEP.ofVersion(1)), "by version 2");
      refused(Reason.VERSION, () -> sessions.step(3, STEP.ofVersion(9).starting()), "by version 2");
      refused(Reason.VERSION, () -> sessions.stepOnce(STEP.ofVersion(1000)), "version 1000");
      assertArrayEquals(alone(1), sessions.step(1, STEP));
      assertArrayEquals(alone(larger, 2), sessions.step(2, STEP));
      assertEquals(2, sessions.counts().sessions());
    }
  }

  @Test
  void whatMovesAtOnceLeavesNoVersionBehind() {
    try (Sessions sessions = opened()) {
      Versions versions = sessions.versions();
      versions.keep(1);
      sessions.open(1);
      versions.replace(retrained, Moving.AT_ONCE);
      assertEquals(List.of(2), numbers(sessions));
      refused(Reason.VERSION, () -> sessions.step(1, STEP.ofVersion(1)), "by version 2");
      Thrown.says(
          IllegalArgumentException.class, () -> versions.keep(1), "number=1 does not serve", "[2]");
      Thrown.says(IllegalArgumentException.class, () -> versions.release(3), "number=3");
    }
  }

  /** Starts that wait while the model is replaced, and whose version is gone at their turn. */
  @Test
  void aStartThatWaitsHasAVersionThatServes() throws InterruptedException {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0);
      CompletableFuture<float[]> inside = sessions.stepAsync(0, STEP.ending());
      gate.awaitBatch();
      CompletableFuture<float[]> start = sessions.stepAsync(1, STEP.starting());
      CompletableFuture<float[]> once = sessions.stepOnceAsync(STEP);
      Thread replacing = waiting(() -> sessions.versions().replace(retrained, Moving.AT_ONCE));
      CompletableFuture<float[]> later = sessions.stepAsync(2, STEP.starting());
      gate.open();
      replacing.join();
      assertArrayEquals(alone(1), inside.join());
      for (CompletableFuture<float[]> answer : List.of(start, once, later)) {
        assertArrayEquals(alone(retrained, 1), answer.join());
      }
      assertEquals(2, sessions.versions().of(1));
    }
  }

  private static Thread waiting(Runnable call) {
    Thread thread = Thread.ofPlatform().start(call);
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    return thread;
  }

  private static TableCall packing(Waiting.Kind kind, Version version, MemorySegment memory) {
    TableCall call = new TableCall(kind, Id.of(0));
    call.version = version;
    call.memory = memory;
    return call;
  }

  /** What a file has of the sessions of a version. */
  private static MemorySegment stored(Sessions sessions, Version version) {
    MemorySegment memory = MemorySegment.ofArray(new byte[4096]);
    TableCall stored = packing(Waiting.Kind.STORE, version, memory);
    sessions.calls().answer(stored);
    return memory.asSlice(SessionFile.HEAD_BYTES, stored.storedBytes);
  }

  /** A file brings a session a state of another size while a step of it has its turn. */
  @Test
  void aStepThatWaitsIsOneOfTheVersionThatAFileBrings() throws InterruptedException {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0, 1);
      Version first = sessions.calls().newest();
      MemorySegment packed = stored(sessions, first);
      sessions.versions().replace(larger, Moving.AT_RESET);
      sessions.reset(1);
      sessions.open(2);
      CompletableFuture<float[]> inside = sessions.stepAsync(0, STEP);
      gate.awaitBatch();
      CompletableFuture<float[]> moved = sessions.stepAsync(1, STEP);
      CompletableFuture<float[]> behind = sessions.stepAsync(1, STEP);
      CompletableFuture<float[]> stays = sessions.stepAsync(2, STEP);
      Thread restoring =
          waiting(() -> sessions.calls().answer(packing(Waiting.Kind.RESTORE_ALL, first, packed)));
      gate.open();
      restoring.join();
      assertArrayEquals(alone(1), inside.join());
      assertArrayEquals(alone(1), moved.join());
      assertArrayEquals(alone(2), behind.join());
      assertArrayEquals(alone(larger, 1), stays.join());
      assertEquals(1, sessions.versions().of(1));
      assertEquals(0, sessions.counts().waiting());
    }
  }

  /** They would wait for ever: their turn is one of the version to which all have moved. */
  @Test
  void aFileBringsNoSessionAVersionThatAllHaveLeft() throws InterruptedException {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0, 1);
      Version first = sessions.calls().newest();
      MemorySegment packed = stored(sessions, first);
      CompletableFuture<float[]> inside = sessions.stepAsync(0, STEP);
      gate.awaitBatch();
      CompletableFuture<float[]> waits = sessions.stepAsync(1, STEP);
      Thread replacing = waiting(() -> sessions.versions().replace(retrained, Moving.AT_ONCE));
      TableCall restored = packing(Waiting.Kind.RESTORE_ALL, first, packed);
      sessions.calls().send(restored);
      gate.open();
      replacing.join();
      assertArrayEquals(alone(1), inside.join());
      assertArrayEquals(alone(retrained, 1), waits.join());
      Thrown.says(
          CompletionException.class, restored::join, "no session has the model of the file");
      assertEquals(2, sessions.versions().of(1));
    }
  }

  /** A file has what a session begins with, not what its memory held before. */
  @Test
  void aStartThatWaitsIsPackedWithTheInitialState() throws InterruptedException {
    byte[] used;
    try (Chain own = retrained.fork();
        Tape tape = Tape.inference(device)) {
      own.apply(tape.input(1, 2, 3));
      used = own.save().toBytes();
    }
    MemorySegment memory = MemorySegment.ofArray(new byte[4096]);
    try (Sessions sessions = opened(Batching.ADAPTIVE);
        Sessions others = opened(Batching.ADAPTIVE)) {
      sessions.open(0);
      sessions.restore(9, used);
      sessions.close(9);
      sessions.stepAsync(0, STEP.ending());
      gate.awaitBatch();
      sessions.stepAsync(1, STEP.starting());
      TableCall stored = packing(Waiting.Kind.STORE, sessions.calls().newest(), memory);
      Thread storing = waiting(() -> sessions.calls().answer(stored));
      gate.open();
      storing.join();
      assertEquals(1, stored.stored);
      MemorySegment packed = memory.asSlice(SessionFile.HEAD_BYTES, stored.storedBytes);
      others.calls().answer(packing(Waiting.Kind.RESTORE_ALL, others.calls().newest(), packed));
      assertArrayEquals(alone(1), others.step(1, STEP));
    }
  }

  /** A state that no longer fits when its turn comes opens no session. */
  @Test
  void aRestoreThatTheModelHasLeftBehindOpensNothing() throws InterruptedException {
    try (Sessions sessions = opened(Batching.ADAPTIVE)) {
      sessions.open(0);
      byte[] state = sessions.save(0);
      sessions.stepAsync(0, STEP);
      gate.awaitBatch();
      Thread replacing = waiting(() -> sessions.versions().replace(larger, Moving.AT_RESET));
      List<Throwable> thrown = new CopyOnWriteArrayList<>();
      Thread restoring =
          waiting(
              () ->
                  thrown.add(assertThrows(ShapeException.class, () -> sessions.restore(9, state))));
      gate.open();
      replacing.join();
      restoring.join();
      assertEquals(1, thrown.size());
      assertEquals(1, sessions.counts().sessions());
    }
  }

  /** What overflows fails its last step; the session is not closed without an answer. */
  @Test
  void aLastStepThatFailsLeavesItsSessionOpen() {
    try (Sessions sessions = opened()) {
      Request over = Request.of(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0);
      sessions.open(1);
      refused(Reason.FAILED, () -> sessions.step(1, over.ending()), "gave a value");
      assertTrue(sessions.isOpen(1));
      refused(Reason.FAILED, () -> sessions.step(2, over.starting().ending()), "gave a value");
      assertTrue(sessions.isOpen(2), "it has failed");
      refused(Reason.FAILED, () -> sessions.stepOnce(over), "a step of no session");
      assertEquals(3, sessions.counts().failed(), "once, and two starts");
    }
  }
}
