package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Recur;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that serves, has idle sessions leave memory by a clock that jumps, writes all others to
 * a file again and again, and is killed at random moments: the file and the store are whole each
 * time, and no state is one of two moments.
 */
@Tag(Devices.CPU)
class KilledServingTest {
  private static final int SESSIONS = 300;
  private static final int SHORT = 3;
  private static final int LONG = 50;

  @TempDir private Path folder;

  /** The process that is killed. */
  static final class Server {
    private Server() {}

    public static void main(String[] arguments) throws IOException {
      Path folder = Path.of(arguments[0]);
      Random random = new Random();
      AtomicInteger ahead = new AtomicInteger();
      try (Device device = Device.cpu(1);
          FileStore store = FileStore.open(folder.resolve("store"));
          Sessions sessions =
              Sessions.open(
                  Counting.recur().on(device, 1),
                  device,
                  Batching.ADAPTIVE,
                  new Idle(5, store, () -> Instant.now().plusSeconds(ahead.get())))) {
        while (true) {
          ahead.set(random.nextInt(-7200, 7200)); // a clock that jumps
          for (int i = 0; i < 200; i++) {
            int id = random.nextInt(SESSIONS);
            if (!sessions.isOpen(id)) {
              sessions.open(id);
            }
            Counting.count(sessions.step(id, Counting.request()));
          }
          SessionFile.write(sessions, folder.resolve("all"));
        }
      }
    }
  }

  private void kills(int wanted) throws Exception {
    Random random = new Random(3);
    long stored = 0;
    for (int kill = 0; kill < wanted; kill++) {
      Path output = folder.resolve("output.txt");
      Process server = ChildJvm.start(output, Server.class, List.of(), folder.toString());
      while (server.isAlive() && !Files.exists(folder.resolve("all"))) {
        Thread.sleep(2);
      }
      boolean ended = server.waitFor(1000 + random.nextInt(400), TimeUnit.MILLISECONDS);
      server.destroyForcibly().waitFor();
      assertTrue(!ended, () -> read(output));
      stored += check();
    }
    assertTrue(stored > 0, "no session was in the store at any kill");
  }

  private static String read(Path output) {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Opens what the process has left; returns the number of sessions in the store. */
  private long check() throws IOException {
    try (Device device = Device.cpu(1);
        FileStore store = FileStore.open(folder.resolve("store"))) {
      Recur model = Counting.recur().on(device, 1);
      long stored = store.count();
      try (Sessions sessions =
          Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
        int found = 0;
        for (int id = 0; id < SESSIONS; id++) {
          if (sessions.isOpen(id)) {
            assertTrue(Counting.count(sessions.step(id, Counting.request())) > 0);
            found++;
          }
        }
        assertEquals(stored, found);
        sessions.drain();
      }
      try (Sessions sessions = Sessions.open(model, device)) {
        long restored = SessionFile.restore(sessions, folder.resolve("all"));
        int found = 0;
        for (int id = 0; id < SESSIONS; id++) {
          if (sessions.isOpen(id)) {
            Counting.count(sessions.step(id, Counting.request()));
            found++;
          }
        }
        assertEquals(restored, found);
      }
      return stored;
    }
  }

  @Test
  void aServerThatIsKilledLeavesWholeStates() throws Exception {
    kills(SHORT);
  }

  @Test
  @Tag("soak")
  void fiftyKillsLeaveWholeStates() throws Exception {
    kills(LONG);
    System.out.printf(
        "soak: %d kills of a server at random moments: all states were whole%n", LONG);
  }
}
