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
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.nn.Chain;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import io.recur.nn.cells.IndRNNCell;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All sessions in a file and back. */
class SessionFileTest {
  private static final int COUNT = Devices.rounds(3000);

  @AutoClose private final Device device = Devices.here();
  private final Chain model = chain(lstm(3, 64), dense(64, 2)).on(device, 1);

  @TempDir private Path folder;

  private Path file() {
    return folder.resolve("sessions");
  }

  private static Request request(int i) {
    return Request.of(i, 2, (float) Math.sin(i));
  }

  /** Sessions of numbers and texts, some with numbered steps, some failed. */
  private Sessions filled() {
    Sessions sessions = Sessions.open(model, device);
    List<CompletableFuture<float[]>> steps = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      sessions.open(i);
      sessions.open("text " + "é".repeat(i % 20) + i);
      steps.add(sessions.stepAsync(i, i % 2 == 0 ? request(i) : request(i).numbered(i)));
    }
    steps.forEach(CompletableFuture::join);
    assertThrows(SessionException.class, () -> sessions.step(4, Float.NaN, 0, 0));
    sessions.close(6);
    return sessions;
  }

  @Test
  void allSessionsContinueWhereTheyWere() throws IOException {
    try (Sessions sessions = filled();
        Sessions others = Sessions.open(model, device)) {
      assertEquals(2L * COUNT - 1, SessionFile.write(sessions, file()));
      others.open(0, 6);
      assertEquals(2L * COUNT - 1, SessionFile.restore(others, file()));
      assertEquals(2L * COUNT, others.counts().sessions());
      for (int i = 0; i < COUNT; i += 1 + i / 10) {
        assertArrayEquals(again(sessions, i), again(others, i));
        String text = "text " + "é".repeat(i % 20) + i;
        assertArrayEquals(sessions.step(text, 1, 2, 3), others.step(text, 1, 2, 3));
      }
    }
  }

  /** A numbered step again, then a step; or why there is none. */
  private static float[] again(Sessions sessions, int i) {
    if (i == 4 || i == 6) {
      return new float[] {i};
    }
    float[] repeated =
        i % 2 == 0 ? new float[0] : sessions.step(i, Request.of(9, 9, 9).numbered(i));
    float[] next = sessions.step(i, request(7));
    float[] both = Arrays.copyOf(repeated, repeated.length + next.length);
    System.arraycopy(next, 0, both, repeated.length, next.length);
    return both;
  }

  /** A session of 1.2 MB has a block of its own. */
  @Test
  void sessionsThatAreLargerThanABlockAreRestored() throws IOException {
    int units = 300_000;
    IndRNNCell cell =
        new IndRNNCell(
            Elementwise.TANH,
            Matrix.dense(units, 1),
            Parameter.zeros(Shape.of(units)),
            Parameter.zeros(Shape.of(units)),
            Parameter.zeros(Shape.of(units, 1)));
    Recur large = new Recur(cell).on(device, 1);
    Batching two = Batching.ADAPTIVE.withLargest(2);
    try (Sessions sessions = Sessions.open(large, device, two);
        Sessions others = Sessions.open(large, device, two)) {
      for (int i = 0; i < 3; i++) {
        sessions.open(i);
        sessions.step(i, Request.of(i + 1).numbered(1));
      }
      assertEquals(3, SessionFile.write(sessions, file()));
      assertEquals(3, SessionFile.restore(others, file()));
      for (int i = 0; i < 3; i++) {
        Request again = Request.of(9).numbered(1);
        assertArrayEquals(sessions.step(i, again), others.step(i, again), "session " + i);
        assertArrayEquals(sessions.save(i), others.save(i), "session " + i);
      }
    }
  }

  @Test
  void aSessionThatHasFailedHasFailedInTheFile() throws IOException {
    try (Sessions sessions = filled();
        Sessions others = Sessions.open(model, device)) {
      SessionFile.write(sessions, file());
      SessionFile.restore(others, file());
      Thrown.says(
          SessionException.class, () -> others.step(4, 1, 2, 3), "id=4", "reset or restore");
      assertArrayEquals(sessions.save(4), others.save(4));
      assertFalse(others.isOpen(6));
    }
  }

  /** Each session is as it is between two of its steps, whatever is stepped meanwhile. */
  @Test
  void sessionsAreServedWhileTheyAreWritten() throws Exception {
    try (Sessions sessions = Sessions.open(Counting.recur().on(device, 1), device)) {
      for (int id = 0; id < COUNT; id++) {
        sessions.open(id);
      }
      Thread steps =
          Thread.ofPlatform()
              .start(
                  () -> {
                    Random random = new Random(1);
                    while (!Thread.interrupted()) {
                      sessions.step(random.nextInt(COUNT), Counting.request());
                    }
                  });
      SessionFile.write(sessions, file());
      steps.interrupt();
      steps.join();
      try (Sessions others = Sessions.open(Counting.recur().on(device, 1), device)) {
        assertEquals(COUNT, SessionFile.restore(others, file()));
        for (int id = 0; id < COUNT; id++) {
          int written = Counting.count(others.step(id, Counting.request()));
          assertTrue(written <= Counting.count(sessions.step(id, Counting.request())));
        }
      }
    }
  }

  @Test
  void aFileOfAnotherModelIsRefused() throws IOException {
    Chain gru = chain(gru(3, 64), dense(64, 2)).on(device, 1);
    try (Sessions sessions = filled();
        Sessions others = Sessions.open(gru, device)) {
      SessionFile.write(sessions, file());
      Thrown.says(
          ShapeException.class,
          () -> SessionFile.restore(others, file()),
          "128 values there, 64 here",
          "LSTMCell",
          "GRUCell");
      assertEquals(0, others.counts().sessions());
    }
  }

  @Test
  void aDamagedFileIsRefusedBeforeAnySessionChanges() throws IOException {
    try (Sessions sessions = filled();
        Sessions others = Sessions.open(model, device)) {
      SessionFile.write(sessions, file());
      byte[] good = Files.readAllBytes(file());
      Random random = new Random(5);
      for (int round = 0; round < Devices.rounds(60); round++) {
        byte[] bad = good.clone();
        if (round % 3 == 0) {
          bad = Arrays.copyOf(bad, random.nextInt(bad.length));
        } else if (round % 3 == 1) {
          bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
        } else {
          bad = Arrays.copyOf(bad, bad.length + 1 + random.nextInt(100));
        }
        Path damaged = folder.resolve("damaged");
        Files.write(damaged, bad);
        assertThrows(FileSystemException.class, () -> SessionFile.restore(others, damaged));
      }
      assertEquals(0, others.counts().sessions());
    }
  }

  /**
   * Writes the file again with checksums that fit.
   *
   * @param missing the number of the block that is left out
   * @param more sessions that the first block with sessions, and the end, say they have
   */
  private Path written(int missing, int more) throws IOException {
    Path other = folder.resolve("other");
    try (Arena arena = Arena.ofConfined();
        FileChannel from = FileChannel.open(file(), StandardOpenOption.READ);
        FileChannel to = FileChannel.open(Files.createFile(other), StandardOpenOption.WRITE)) {
      Block block = new Block(arena, 1 << 16);
      for (int number = 0; from.position() < from.size(); number++) {
        int sessions = block.read(from);
        if (from.position() == from.size()) {
          long count = block.buffer().getLong() + more;
          ByteBuffer end = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          block.put(end.putLong(count).flip());
        }
        if (number != missing) {
          block.write(to, number == 1 ? sessions + more : sessions);
        }
      }
    }
    return other;
  }

  /** Each block is whole, and yet not all sessions are there. */
  @Test
  void aFileThatLacksSessionsIsRefused() throws IOException {
    try (Sessions sessions = filled();
        Sessions others = Sessions.open(model, device)) {
      SessionFile.write(sessions, file());
      int[][] cases = {{1, 0}, {-1, 1}, {-1, -1}};
      for (int[] its : cases) {
        Path other = written(its[0], its[1]);
        Thrown.says(
            FileSystemException.class,
            () -> SessionFile.restore(others, other),
            its[0] == 1 ? "and says %d".formatted(2L * COUNT - 1) : "a block of",
            "damaged");
        Files.delete(other);
      }
      assertEquals(0, others.counts().sessions());
      assertEquals(2L * COUNT - 1, SessionFile.restore(others, written(-1, 0)));
    }
  }

  @Test
  void anOldFileStaysWhereTheNewOneCannotBeWritten() throws IOException {
    Sessions sessions = filled();
    SessionFile.write(sessions, file());
    byte[] before = Files.readAllBytes(file());
    sessions.close();
    assertThrows(SessionException.class, () -> SessionFile.write(sessions, file()));
    assertArrayEquals(before, Files.readAllBytes(file()));
    try (var files = Files.list(folder)) {
      assertEquals(1, files.count(), "no temporary file stays");
    }
  }
}
