package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions that nobody uses leave memory and come back. */
class IdleTest {
  private static final long MINUTE = 60_000;

  @AutoClose private final Device device = Devices.here();
  private final Chain model = chain(lstm(3, 16), dense(16, 2)).on(device, 1);
  private final AtomicLong millis = new AtomicLong(1_000_000);
  private final InstantSource clock = () -> Instant.ofEpochMilli(millis.get());

  @TempDir private Path folder;

  private Sessions opened(SessionStore store) {
    return Sessions.open(model, device, Batching.ADAPTIVE, new Idle(MINUTE, store, clock));
  }

  /** Waits for the hand of the stepping thread, which goes round all rows again and again. */
  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Thread.onSpinWait();
    }
  }

  /** A store in memory, which may be full. */
  private static final class Heap implements SessionStore {
    private final Map<String, byte[]> all = new HashMap<>();
    private volatile boolean isFull;
    private volatile boolean isBroken;

    private static String text(byte[] key) {
      return HexFormat.of().formatHex(key);
    }

    @Override
    public void put(byte[] key, byte[] value) throws IOException {
      if (isFull) {
        throw new IOException("no space left");
      }
      if (isBroken) {
        throw new IllegalStateException("the database has gone away");
      }
      all.put(text(key), value);
    }

    @Override
    public boolean holds(byte[] key) {
      return all.containsKey(text(key));
    }

    @Override
    public byte[] take(byte[] key) {
      return all.remove(text(key));
    }

    @Override
    public long count() {
      return all.size();
    }

    @Override
    public void close() {}
  }

  @Test
  void idleSessionsLeaveAndComeBackAsTheyWere() throws IOException {
    int count = 200;
    try (FileStore store = FileStore.open(folder);
        Sessions sessions = opened(store);
        Sessions always = Sessions.open(model, device)) {
      for (int id = 0; id < count; id++) {
        sessions.open(id);
        always.open(id);
        sessions.step(id, Request.of(id, 2, 3).numbered(id));
        always.step(id, id, 2, 3);
      }
      assertThrows(SessionException.class, () -> sessions.step(3, Float.NaN, 1, 1));
      assertEquals(count, sessions.counts().sessions());
      millis.addAndGet(MINUTE / 2);
      sessions.step(0, 1, 2, 3);
      always.step(0, 1, 2, 3);
      millis.addAndGet(MINUTE * 3 / 4);
      await(() -> sessions.counts().stored() == count - 1);
      assertEquals(1, sessions.counts().sessions());
      assertTrue(sessions.isOpen(7));
      Thrown.says(SessionException.class, () -> sessions.open(7), "id=7 is open");
      Thrown.says(SessionException.class, () -> sessions.fork(0, 7), "id=7 is open");
      Thrown.says(
          SessionException.class, () -> sessions.step(3, 1, 2, 3), "id=3", "reset or restore");
      for (int id = 0; id < count; id++) {
        assertArrayEquals(always.save(id), sessions.save(id), "session " + id);
        if (id != 3) {
          assertArrayEquals(always.step(id, 1, 2, 3), sessions.step(id, 1, 2, 3));
        }
      }
      sessions.close(7);
      assertFalse(sessions.isOpen(7));
      assertEquals(0, sessions.counts().stored());
    }
  }

  @Test
  void aNumberedStepIsRepeatedFromTheStore() throws IOException {
    try (FileStore store = FileStore.open(folder);
        Sessions sessions = opened(store)) {
      sessions.open("a");
      float[] answer = sessions.step("a", Request.of(1, 2, 3).numbered(4));
      millis.addAndGet(2 * MINUTE);
      await(() -> sessions.counts().stored() == 1);
      assertArrayEquals(answer, sessions.step("a", Request.of(1, 2, 3).numbered(4)));
    }
  }

  @Test
  void drainedSessionsContinueInTheNextProcess() throws IOException {
    try (FileStore store = FileStore.open(folder)) {
      Sessions sessions = opened(store);
      for (int id = 0; id < 50; id++) {
        sessions.open(id);
        sessions.step(id, id, 2, 3);
      }
      sessions.drain();
      assertEquals(50, store.count());
    }
    try (FileStore store = FileStore.open(folder);
        Sessions sessions = opened(store);
        Sessions always = Sessions.open(model, device)) {
      for (int id = 0; id < 50; id++) {
        always.open(id);
        always.step(id, id, 2, 3);
        assertArrayEquals(always.step(id, 3, 2, 1), sessions.step(id, 3, 2, 1));
      }
    }
  }

  @Test
  void aFullStoreLeavesSessionsInMemory() {
    Heap store = new Heap();
    Sessions sessions = opened(store);
    sessions.open(1, 2);
    float[] first = sessions.step(1, 1, 2, 3);
    store.isFull = true;
    millis.addAndGet(2 * MINUTE);
    await(() -> sessions.counts().notStored() > 0);
    assertEquals(2, sessions.counts().sessions());
    sessions.reset(1);
    assertArrayEquals(first, sessions.step(1, 1, 2, 3));
    Thrown.says(UncheckedIOException.class, sessions::drain, "no space left");
    sessions.close();
  }

  /** A store of a user's throws what its database throws. */
  @Test
  void aStoreThatThrowsLeavesSessionsInMemory() {
    Heap store = new Heap();
    try (Sessions sessions = opened(store)) {
      sessions.open(1, 2);
      float[] first = sessions.step(1, 1, 2, 3);
      store.isBroken = true;
      millis.addAndGet(2 * MINUTE);
      await(() -> sessions.isOpen(1) && sessions.counts().notStored() > 0);
      assertEquals(2, sessions.counts().sessions());
      sessions.reset(1);
      assertArrayEquals(first, sessions.step(1, 1, 2, 3));
      Thrown.says(IllegalStateException.class, sessions::drain, "the database has gone away");
    }
  }

  @Test
  void aStoreOfAnotherModelIsRefusedAndKeepsWhatItHas() throws IOException {
    try (FileStore store = FileStore.open(folder)) {
      Sessions sessions = opened(store);
      sessions.open(1);
      sessions.step(1, 1, 2, 3);
      sessions.drain();
      Chain other = chain(gru(3, 16), dense(16, 2)).on(device, 1);
      try (Sessions others =
          Sessions.open(other, device, Batching.ADAPTIVE, Idle.after(MINUTE, store))) {
        Thrown.says(ShapeException.class, () -> others.step(1, 1, 2, 3), "another model");
        others.open(2);
        others.step(2, 1, 2, 3);
      }
      try (Sessions again = opened(store)) {
        again.step(1, 1, 2, 3);
      }
    }
  }

  /** A day of sessions that come and go: memory is that of the sessions of a minute. */
  @Test
  void memoryIsFlatOverADay() throws IOException {
    Random random = new Random(1);
    long most = 0;
    try (FileStore store = FileStore.open(folder);
        Sessions sessions = opened(store)) {
      int opened = 0;
      for (int minute = 0; minute < Devices.rounds(24 * 60); minute++) {
        for (int i = 0; i < 4; i++) {
          sessions.open(opened);
          sessions.step(opened++, 1, 2, 3);
        }
        sessions.step(random.nextInt(opened), 1, 2, 3);
        sessions.close(--opened);
        millis.addAndGet(MINUTE);
        int inMemory = 5 * 3;
        await(() -> sessions.counts().sessions() <= inMemory);
        long bytes = sessions.counts().bytes();
        most = minute == 100 ? bytes : most;
        assertTrue(minute <= 100 || bytes <= most, bytes + " bytes in minute " + minute);
      }
      Counts counts = sessions.counts(); // of one moment
      assertEquals(opened, counts.stored() + counts.sessions());
    }
  }

  @Test
  void aClockThatGoesBackMovesNothing() {
    Heap store = new Heap();
    try (Sessions sessions = opened(store)) {
      sessions.open(1);
      sessions.step(1, 1, 2, 3);
      millis.addAndGet(-10 * MINUTE);
      sessions.step(1, 1, 2, 3);
      millis.addAndGet(MINUTE / 2);
      sessions.step(1, 1, 2, 3);
      assertEquals(0, sessions.counts().stored());
      millis.addAndGet(2 * MINUTE);
      await(() -> sessions.counts().stored() == 1);
    }
  }

  @Test
  void aClockThatGoesBackHoldsNothingUp() {
    try (Sessions sessions = opened(new Heap())) {
      sessions.open(1);
      sessions.step(1, 1, 2, 3);
      millis.addAndGet(-10 * MINUTE);
      assertEquals(1, sessions.counts().sessions());
      millis.addAndGet(2 * MINUTE);
      await(() -> sessions.counts().stored() == 1);
    }
  }

  /** A layer after each of whose batches all sessions are idle by the clock. */
  private Layer outlastingAll() {
    return new Layer() {
      @Override
      public Tensor apply(Tensor x) {
        millis.addAndGet(10 * MINUTE);
        LockSupport.parkNanos(5_000_000); // longer than the hand pauses
        return x;
      }

      @Override
      public boolean columnsAreIndependent() {
        return true;
      }
    };
  }

  @Test
  void aSessionWhoseStepWaitsStaysInMemory() {
    Gate gate = new Gate();
    Chain slow = chain(gate, outlastingAll(), lstm(3, 16), dense(16, 2)).on(device, 1);
    int count = 5;
    try (Sessions sessions =
        Sessions.open(
            slow, device, Batching.ADAPTIVE.withLargest(1), new Idle(MINUTE, new Heap(), clock))) {
      sessions.open(LongStream.range(0, count).toArray());
      List<CompletableFuture<float[]>> first = new ArrayList<>();
      for (int id = 0; id < count; id++) {
        first.add(sessions.stepAsync(id, Request.of(1, 2, 3)));
      }
      gate.open();
      float[] second = sessions.step(0, 1, 2, 3);
      for (int id = 1; id < count; id++) {
        assertArrayEquals(first.getFirst().join(), first.get(id).join());
        assertArrayEquals(second, sessions.step(id, 1, 2, 3), "session " + id);
      }
      assertFalse(Arrays.equals(first.getFirst().join(), second));
    }
  }
}
