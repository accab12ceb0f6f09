package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions whose store is on a disk that is full. */
@Tag(Devices.CPU)
class FullDiskServingTest {
  private static final int SESSIONS = 25_000; // 40 MB
  private static final long MINUTE = 60_000;

  @TempDir private Path folder;

  /** The process that has the disk. */
  static final class Server {
    private final Sessions sessions;
    private final int[] steps = new int[SESSIONS];

    private Server(Sessions sessions) {
      this.sessions = sessions;
    }

    /** Begins. */
    public static void main(String[] arguments) throws IOException {
      Path disk = Path.of(arguments[1]);
      Path ballast = SmallDisk.fillHalf(disk);
      AtomicLong millis = new AtomicLong(MINUTE);
      try (Device device = Device.cpu(1);
          FileStore store = FileStore.open(disk.resolve("store"));
          Sessions sessions =
              Sessions.open(
                  Counting.recur().on(device, 1),
                  device,
                  Batching.ADAPTIVE,
                  new Idle(MINUTE, store, () -> Instant.ofEpochMilli(millis.get())))) {
        Server server = new Server(sessions);
        for (int id = 0; id < SESSIONS; id++) {
          sessions.open(id);
        }
        int refused = server.stepAll();
        millis.addAndGet(2 * MINUTE);
        while (sessions.counts().notStored() == 0) {
          Thread.onSpinWait();
        }
        Counts full = sessions.counts();
        int whileFull = server.stepAll();
        Files.delete(ballast);
        int after = server.stepAll();
        System.out.printf(
            "refused %d, %d with %d stored, %d in memory; %d afterwards%n",
            refused, whileFull, full.stored(), full.sessions(), after);
      }
    }

    /** Steps each session. Returns how many were refused, whose steps do not count. */
    private int stepAll() {
      int refused = 0;
      for (int id = 0; id < SESSIONS; id++) {
        try {
          int count = Counting.count(sessions.step(id, Counting.request()));
          if (count != ++steps[id]) {
            throw new IllegalStateException(id + " has " + count + " steps of " + steps[id]);
          }
        } catch (UncheckedIOException e) {
          refused++;
        }
      }
      return refused;
    }
  }

  /** Who is in memory is served, who is in the store gets an error, and no step is lost. */
  @Test
  void aFullDiskConcernsThoseWhoAreOnIt() throws Exception {
    String told = SmallDisk.run(folder, Server.class, "");
    assertTrue(told.contains("refused 0,") && told.contains("; 0 afterwards"), told);
    assertTrue(told.matches("(?s).*with [1-9]\\d+ stored, [1-9]\\d+ in memory.*"), told);
  }
}
