package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Snapshot;
import io.recur.nn.StateBatch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that replace others while sessions are served. */
class VersionsTest {
  @AutoClose private final Device device = Devices.here();
  private final Chain model = chain(lstm(3, 16), dense(16, 2)).on(device, 1);
  private final Chain retrained = chain(lstm(3, 16), dense(16, 2)).on(device, 2);
  private final Chain otherHead = chain(lstm(3, 16), dense(16, 5)).on(device, 3);
  private final Chain larger = chain(lstm(3, 40), dense(40, 2)).on(device, 4);
  private final Chain otherKind = chain(gru(3, 32), dense(32, 2)).on(device, 5);

  @TempDir private Path folder;

  private static final float[] X = {1, 2, 3};

  /** The answers of a fork to equal inputs, from its begin or from a state. */
  private float[] alone(Layer its, byte[] state, int steps) {
    try (Layer own = its.fork();
        Tape tape = Tape.inference(device)) {
      if (state.length > 0) {
        own.restore(Snapshot.of(state));
      }
      float[] y = {};
      for (int t = 0; t < steps; t++) {
        y = own.apply(tape.input(X)).toArray();
        tape.clear();
      }
      return y;
    }
  }

  private float[] alone(Layer its, int steps) {
    return alone(its, new byte[0], steps);
  }

  private static List<Long> sessionsOf(Sessions sessions) {
    return sessions.versions().all().stream().map(ModelVersion::sessions).toList();
  }

  private static List<Integer> numbersOf(Sessions sessions) {
    return sessions.versions().all().stream().map(ModelVersion::number).toList();
  }

  @Test
  void aSessionStaysWithItsModelUntilItIsReset() {
    try (Sessions sessions = Sessions.open(model, device)) {
      Versions versions = sessions.versions();
      sessions.open(1, 2);
      sessions.open("text");
      sessions.step(1, X);
      assertEquals(2, versions.replace(larger, Moving.AT_RESET));
      sessions.open(3);
      sessions.fork(1, 4);
      assertEquals(List.of(4L, 1L), sessionsOf(sessions));
      assertArrayEquals(alone(model, 2), sessions.step(1, X));
      assertArrayEquals(alone(model, 1), sessions.step(2, X));
      assertArrayEquals(alone(larger, 1), sessions.step(3, X));
      assertArrayEquals(alone(model, 2), sessions.step(4, X));
      assertEquals(1, versions.of(4));
      assertEquals(1, versions.of("text"));
      assertEquals(2, versions.of(3));
      sessions.reset(1);
      assertEquals(2, versions.of(1));
      assertArrayEquals(alone(larger, 1), sessions.step(1, X));
      sessions.restore(2, sessions.save(3));
      assertArrayEquals(alone(larger, 2), sessions.step(2, X));
      assertEquals(List.of(1, 2), numbersOf(sessions));
      sessions.close(4);
      sessions.reset("text");
      assertEquals(2, versions.of("text"));
      assertEquals(List.of(2), numbersOf(sessions), "the last session has left");
    }
  }

  @Test
  void sessionsThatMoveAtOnceTakeTheirStatesAlong() {
    try (Sessions sessions = Sessions.open(model, device)) {
      sessions.open(1, 2);
      sessions.step(1, X);
      byte[] state = sessions.save(1);
      assertEquals(2, sessions.versions().replace(retrained, Moving.AT_ONCE));
      assertArrayEquals(state, sessions.save(1));
      assertArrayEquals(alone(retrained, state, 1), sessions.step(1, X));
      assertArrayEquals(alone(retrained, 1), sessions.step(2, X));
      state = sessions.save(1);
      assertEquals(3, sessions.versions().replace(otherHead, Moving.AT_ONCE));
      assertArrayEquals(alone(otherHead, state, 1), sessions.step(1, X), "5 values, not 2");
      assertEquals(List.of(3), numbersOf(sessions));
    }
  }

  @Test
  void statesThatDoNotFitAreRefusedAndNothingIsReplaced() {
    try (Sessions sessions = Sessions.open(model, device)) {
      Versions versions = sessions.versions();
      sessions.open(1);
      sessions.step(1, X);
      Thrown.says(ShapeException.class, () -> versions.replace(larger, Moving.AT_ONCE), "16", "40");
      assertThrows(ShapeException.class, () -> versions.replace(otherKind, Moving.AT_ONCE), "GRU");
      assertThrows(
          IllegalArgumentException.class,
          () -> versions.replace(chain(dense(3, 2)).on(device, 1), Moving.AT_RESET));
      assertEquals(List.of(1), numbersOf(sessions));
      assertArrayEquals(alone(model, 2), sessions.step(1, X));
      byte[] ofLarger;
      try (Sessions others = Sessions.open(larger, device)) {
        others.open(1);
        ofLarger = others.save(1);
      }
      assertThrows(ShapeException.class, () -> sessions.restore(9, ofLarger));
      assertEquals(2, versions.replace(larger, Moving.AT_RESET));
      sessions.restore(9, ofLarger);
      assertArrayEquals(alone(larger, 1), sessions.step(9, X));
      sessions.close(1);
      versions.replace(otherKind, Moving.AT_RESET);
      assertThrows(ShapeException.class, () -> versions.replace(model, Moving.AT_ONCE));
    }
    Sessions closed = Sessions.open(model, device);
    closed.close();
    assertThrows(
        SessionException.class, () -> closed.versions().replace(retrained, Moving.AT_ONCE));
  }

  /** Steps that wait while the model is replaced are steps of the model at their turn. */
  @Test
  void requestsThatWaitAreNeitherLostNorMixed() throws InterruptedException {
    Gate gate = new Gate();
    Chain gated = chain(gate, lstm(3, 16), dense(16, 2)).on(device, 1);
    try (Sessions sessions = Sessions.open(gated, device)) {
      sessions.open(0, 1, 2);
      CompletableFuture<float[]> inside = sessions.stepAsync(0, Request.of(X));
      gate.awaitBatch();
      CompletableFuture<float[]> first = sessions.stepAsync(1, Request.of(X));
      Thread replacing =
          Thread.ofPlatform().start(() -> sessions.versions().replace(retrained, Moving.AT_ONCE));
      while (replacing.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      CompletableFuture<float[]> second = sessions.stepAsync(2, Request.of(X));
      gate.open();
      replacing.join();
      assertArrayEquals(alone(model, 1), inside.join());
      assertArrayEquals(alone(retrained, 1), first.join(), "its turn came after the replacement");
      assertArrayEquals(alone(retrained, 1), second.join());
    }
  }

  /** Every answer is one of a model that served, and each session's are those of its own. */
  @Test
  void modelsAreReplacedWhileManyThreadsStep() throws InterruptedException {
    List<Chain> models = List.of(model, retrained, larger, otherKind);
    List<List<float[]>> expected = new ArrayList<>();
    for (Chain its : models) {
      List<float[]> answers = new ArrayList<>();
      for (int steps = 1; steps <= 5; steps++) {
        answers.add(alone(its, steps));
      }
      expected.add(answers);
    }
    AtomicBoolean isOver = new AtomicBoolean();
    List<Throwable> wrong = new ArrayList<>();
    try (Sessions sessions = Sessions.open(model, device)) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int id = t;
        sessions.open(id);
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        while (!isOver.get()) {
                          sessions.reset(id);
                          int version = sessions.versions().of(id);
                          List<float[]> its = expected.get((version - 1) % models.size());
                          for (float[] answer : its) {
                            assertArrayEquals(answer, sessions.step(id, X));
                          }
                          assertEquals(version, sessions.versions().of(id));
                        }
                      } catch (Throwable e) {
                        synchronized (wrong) {
                          wrong.add(e);
                        }
                      }
                    }));
      }
      int last = Devices.rounds(60);
      for (int number = 2; number <= last; number++) {
        assertEquals(
            number, sessions.versions().replace(models.get((number - 1) % 4), Moving.AT_RESET));
      }
      isOver.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(List.of(), wrong);
      for (int id = 0; id < 4; id++) {
        sessions.reset(id);
      }
      assertEquals(List.of(last), numbersOf(sessions));
      assertEquals(List.of(4L), sessionsOf(sessions));
    }
  }

  @Test
  void memoryOfModelsThatWereReplacedComesBack() {
    try (Sessions sessions = Sessions.open(model, device)) {
      sessions.open(1);
      long before = 0;
      for (int round = 0; round < Devices.rounds(300); round++) {
        Chain next = round % 2 == 0 ? larger : model;
        sessions.versions().replace(next, Moving.AT_RESET);
        sessions.reset(1);
        sessions.step(1, X);
        assertEquals(1, sessions.versions().all().size());
        before = round == 1 ? sessions.counts().bytes() : before;
        assertTrue(round < 2 || sessions.counts().bytes() <= 2 * before);
      }
    }
  }

  /** What serves no session is closed: its fork of the model takes no state any more. */
  @Test
  void aModelThatWasReplacedIsClosed() {
    try (Sessions sessions = Sessions.open(model, device)) {
      StateBatch states = sessions.calls().newest().states();
      MemorySegment[] state = {MemorySegment.ofArray(new byte[4 * states.floats()])};
      states.load(state, new long[1]);
      sessions.versions().replace(retrained, Moving.AT_ONCE);
      assertEquals(List.of(2), numbersOf(sessions));
      Thrown.says(IllegalStateException.class, () -> states.load(state, new long[1]), "closed");
    }
  }

  @Test
  void asManyModelsAsMayHaveSessionsDoAndNoMore() {
    Chain small = chain(lstm(3, 1)).on(device, 1);
    try (Sessions sessions = Sessions.open(small, device, Batching.ADAPTIVE.withLargest(1))) {
      for (int number = 1; number <= 256; number++) {
        assertEquals(number, sessions.versions().all().getLast().number());
        sessions.open(number);
        if (number < 256) {
          sessions.versions().replace(small, Moving.AT_RESET);
        }
      }
      Thrown.says(
          IllegalStateException.class,
          () -> sessions.versions().replace(small, Moving.AT_RESET),
          "256 models have sessions");
      sessions.close(17);
      assertEquals(257, sessions.versions().replace(small, Moving.AT_RESET));
      assertEquals(256, sessions.versions().of(256));
    }
  }

  /** A session in the store stays with its model, too, and keeps it alive. */
  @Test
  void sessionsInTheStoreHaveAModel() throws IOException {
    AtomicLong millis = new AtomicLong(1_000_000);
    InstantSource clock = () -> Instant.ofEpochMilli(millis.get());
    try (FileStore store = FileStore.open(folder)) {
      Idle idle = new Idle(1000, store, clock);
      Sessions sessions = Sessions.open(model, device, Batching.ADAPTIVE, idle);
      sessions.open(1, 2, 3);
      sessions.step(1, X);
      sessions.step(2, X);
      millis.addAndGet(5000);
      while (sessions.counts().stored() < 3) {
        Thread.onSpinWait();
      }
      sessions.versions().replace(larger, Moving.AT_RESET);
      assertEquals(List.of(3L, 0L), sessionsOf(sessions));
      assertArrayEquals(alone(model, 2), sessions.step(1, X));
      sessions.reset(3);
      assertArrayEquals(alone(larger, 1), sessions.step(3, X));
      assertEquals(List.of(2L, 1L), sessionsOf(sessions));
      Thrown.says(
          ShapeException.class, () -> sessions.versions().replace(retrained, Moving.AT_ONCE), "40");
      sessions.close(3);
      sessions.versions().replace(otherKind, Moving.AT_RESET);
      sessions.versions().replace(retrained, Moving.AT_ONCE);
      assertEquals(List.of(2L), sessionsOf(sessions));
      sessions.versions().replace(otherHead, Moving.AT_RESET); // the states of which would fit
      assertEquals(List.of(2L, 0L), sessionsOf(sessions));
      assertArrayEquals(alone(retrained, stateAfterOneStep(), 1), sessions.step(2, X));
      sessions.drain();
    }
    try (FileStore store = FileStore.open(folder);
        Sessions sessions =
            Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
      assertEquals(2, store.count());
      sessions.versions().replace(larger, Moving.AT_RESET);
      sessions.step(1, X);
      assertEquals(1, sessions.versions().of(1), "the newest whose states fit");
    }
  }

  private byte[] stateAfterOneStep() {
    try (Sessions sessions = Sessions.open(model, device)) {
      sessions.open(1);
      sessions.step(1, X);
      return sessions.save(1);
    }
  }

  @Test
  void aFileHasTheSessionsOfAllModels() throws IOException {
    Path file = folder.resolve("all");
    Random random = new Random(1);
    try (Sessions sessions = Sessions.open(model, device);
        Sessions others = Sessions.open(model, device)) {
      for (int id = 0; id < 500; id++) {
        sessions.open(id);
        if (id == 200 || id == 300) {
          sessions.versions().replace(id == 200 ? larger : retrained, Moving.AT_RESET);
        }
        sessions.step(id, random.nextInt(5), 2, 3);
      }
      assertEquals(500, SessionFile.write(sessions, file));
      Thrown.says(ShapeException.class, () -> SessionFile.restore(others, file), "another model");
      assertEquals(0, others.counts().sessions());
      others.open(900);
      others.versions().replace(larger, Moving.AT_RESET);
      assertEquals(500, SessionFile.restore(others, file));
      assertEquals(List.of(401L, 100L), sessionsOf(others));
      for (int id = 0; id < 500; id++) {
        assertArrayEquals(sessions.save(id), others.save(id));
      }
    }
  }
}
