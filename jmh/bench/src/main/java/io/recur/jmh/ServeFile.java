package io.recur.jmh;

import io.recur.device.Device;
import io.recur.nn.Recur;
import io.recur.serve.Request;
import io.recur.serve.SessionFile;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * All sessions to a file and back, on a file system in memory and on the disk, beside the speed
 * with which the disk takes as many bytes that are there already. Restored states are compared.
 */
final class ServeFile {
  private static final int TURNS = 3;

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
      long begin = System.nanoTime();
      long cpu = Serve.cpuNanos();
      long written = SessionFile.write(sessions, file);
      double writingCpu = (Serve.cpuNanos() - cpu) * 1e-9;
      double seconds = (System.nanoTime() - begin) * 1e-9;
      double bytes = Files.size(file);
      begin = System.nanoTime();
      cpu = Serve.cpuNanos();
      long restored = SessionFile.restore(others, file);
      double restoringCpu = (Serve.cpuNanos() - cpu) * 1e-9;
      double back = (System.nanoTime() - begin) * 1e-9;
      begin = System.nanoTime();
      SessionFile.restore(others, file);
      double again = (System.nanoTime() - begin) * 1e-9;
      compare(sessions, others, count);
      double plain = plain(file, (long) bytes);
      Serve.print(
          "%,d sessions %s, %,.0f bytes: written at %.2f GB/s (%.2f per second of a core), restored"
              + " at %.2f (%.2f), over sessions that are open %.2f; as many zeros written and forced"
              + " %.2f",
          written,
          where,
          bytes,
          bytes * 1e-9 / seconds,
          bytes * 1e-9 / writingCpu,
          bytes * 1e-9 / back,
          bytes * 1e-9 / restoringCpu,
          bytes * 1e-9 / again,
          bytes * 1e-9 / plain);
      if (written != count || restored != count) {
        throw new IllegalStateException(written + " written, " + restored + " restored");
      }
    } finally {
      Files.delete(file);
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

  /** The seconds that the file system needs for as many bytes. */
  private static double plain(Path beside, long bytes) throws IOException {
    Path file = Files.createTempFile(beside.toAbsolutePath().getParent(), "recur-zeros", null);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
      long begin = System.nanoTime();
      for (long at = 0; at < bytes; at += zeros.capacity()) {
        zeros.clear();
        while (zeros.hasRemaining()) {
          channel.write(zeros);
        }
      }
      channel.force(true);
      return (System.nanoTime() - begin) * 1e-9;
    } finally {
      Files.delete(file);
    }
  }
}
