package io.recur.jmh;

import io.recur.device.Device;
import io.recur.nn.Recur;
import io.recur.serve.Request;
import io.recur.serve.SessionFile;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * All sessions to a file and back, on a file system in memory and on the disk, beside the speeds of
 * memory and of the same file systems: a copy, and a file of as many bytes that is written, forced
 * and read. Restored states are compared.
 *
 * <p>Targets, for a million sessions, whose states are 1 GB: 1 GB/s in memory, both ways; on the
 * disk as fast as the plain file.
 */
final class ServeFile {
  private static final int TURNS = 3;
  private static final int STATE_BYTES = 2 * Float.BYTES * Serve.UNITS;
  private static final int PIECE_BYTES = 1 << 20;

  private ServeFile() {}

  static void measure(Device device, Recur model, int count) throws IOException {
    try (Sessions sessions = Sessions.open(model, device)) {
      Serve.open(sessions, count, false);
      step(sessions, count);
      Path memory = Path.of("/dev/shm");
      for (int turn = 0; turn < TURNS; turn++) {
        if (Files.isWritable(memory)) {
          turn("in memory", device, model, sessions, memory, count);
        }
        turn("on the disk", device, model, sessions, Path.of("target"), count);
        copy((long) count * STATE_BYTES);
      }
    }
  }

  private static void step(Sessions sessions, int count) {
    Request[] requests = Serve.requests();
    int piece = 1000;
    for (int from = 0; from < count; from += piece) {
      CompletableFuture<?>[] sent = new CompletableFuture<?>[piece];
      for (int i = 0; i < piece; i++) {
        sent[i] = sessions.stepAsync(from + i, requests[(from + i) % Serve.INPUTS]);
      }
      CompletableFuture.allOf(sent).join();
    }
  }

  private static void turn(
      String where, Device device, Recur model, Sessions sessions, Path folder, int count)
      throws IOException {
    Files.createDirectories(folder);
    Path file = Files.createTempFile(folder, "recur-sessions", null);
    try (Sessions others = Sessions.open(model, device)) {
      Timed write = Timed.of(() -> require(count, SessionFile.write(sessions, file)));
      double gigabytes = Files.size(file) * 1e-9;
      Timed restore = Timed.of(() -> require(count, SessionFile.restore(others, file)));
      Timed again = Timed.of(() -> require(count, SessionFile.restore(others, file)));
      compare(sessions, others, count);
      Path plain = Files.createTempFile(folder, "recur-plain", null);
      try {
        Timed write1 = Timed.of(() -> write(plain, Files.size(file)));
        Timed read1 = Timed.of(() -> read(plain));
        Serve.print(
            "%,d sessions %s, %,.0f bytes of states in %,.0f: written at %s, restored at %s, over"
                + " sessions that are open %s; as many bytes by themselves: written and forced at"
                + " %s, read at %s; %.2f and %.2f of that",
            count,
            where,
            (double) count * STATE_BYTES,
            gigabytes * 1e9,
            write.rate(gigabytes),
            restore.rate(gigabytes),
            again.rate(gigabytes),
            write1.rate(gigabytes),
            read1.rate(gigabytes),
            write1.seconds / write.seconds,
            read1.seconds / restore.seconds);
      } finally {
        Files.delete(plain);
      }
    } finally {
      Files.delete(file);
    }
  }

  private static void require(long expected, long sessions) {
    if (sessions != expected) {
      throw new IllegalStateException(sessions + " of " + expected + " sessions");
    }
  }

  private static void compare(Sessions sessions, Sessions others, int count) {
    Random random = new Random(4);
    for (int i = 0; i < 1000; i++) {
      int id = random.nextInt(count);
      if (!Arrays.equals(sessions.save(id), others.save(id))) {
        throw new IllegalStateException("session " + id + " came back otherwise");
      }
    }
  }

  /** Writes as many random bytes, which no file system makes smaller, and forces them. */
  private static void write(Path file, long bytes) throws IOException {
    byte[] random = new byte[PIECE_BYTES];
    new Random(5).nextBytes(random);
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES).put(random);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      while (channel.position() < bytes) {
        channel.write(piece.clear());
      }
      channel.force(true);
    }
  }

  private static void read(Path file) throws IOException {
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      int read = 0;
      while (read >= 0) {
        read = channel.read(piece.clear());
      }
    }
  }

  /** The speed with which as many bytes are copied in memory. */
  private static void copy(long bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(bytes).fill((byte) 1);
      MemorySegment to = arena.allocate(bytes).fill((byte) 2);
      Timed copied = Timed.of(() -> to.copyFrom(from));
      Serve.print("%,d bytes copied in memory at %s", bytes, copied.rate(bytes * 1e-9));
    }
  }

  /** What is timed. */
  private interface Work {
    void run() throws IOException;
  }

  /**
   * How long something took.
   *
   * @param seconds by the clock
   * @param core seconds of a core
   */
  private record Timed(double seconds, double core) {
    static Timed of(Work work) throws IOException {
      long begin = System.nanoTime();
      long cpu = Serve.cpuNanos();
      work.run();
      return new Timed((System.nanoTime() - begin) * 1e-9, (Serve.cpuNanos() - cpu) * 1e-9);
    }

    String rate(double gigabytes) {
      return String.format(
          Locale.ROOT,
          "%.2f GB/s (%.2f per second of a core)",
          gigabytes / seconds,
          gigabytes / core);
    }
  }
}
