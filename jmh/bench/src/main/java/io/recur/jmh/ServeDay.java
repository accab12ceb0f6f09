package io.recur.jmh;

import io.recur.device.Device;
import io.recur.nn.Recur;
import io.recur.serve.Batching;
import io.recur.serve.FileStore;
import io.recur.serve.Idle;
import io.recur.serve.Request;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * 24 hours of traffic on a simulated clock: each minute sessions open, some of the last two hours
 * are stepped, those of two hours ago are closed; after ten idle minutes a session leaves memory
 * for a store. Prints the memory after the third hour and the most after it.
 */
final class ServeDay {
  private static final long MINUTE = 60_000;
  private static final int IDLE_MINUTES = 10;
  private static final int LIFE_MINUTES = 120;

  private ServeDay() {}

  static void measure(Device device, Recur model, int eachMinute) throws IOException {
    AtomicLong millis = new AtomicLong(MINUTE);
    Path folder = Files.createTempDirectory("recur-day");
    try (FileStore store = FileStore.open(folder);
        Sessions sessions =
            Sessions.open(
                model,
                device,
                Batching.ADAPTIVE,
                new Idle(IDLE_MINUTES * MINUTE, store, () -> Instant.ofEpochMilli(millis.get())))) {
      Request[] requests = Serve.requests();
      Random random = new Random(5);
      long steps = 0;
      long[] third = {};
      long[] most = new long[3];
      for (int minute = 0; minute < 24 * 60; minute++) {
        steps += minute(sessions, requests, random, minute, eachMinute);
        millis.addAndGet(MINUTE);
        int bound = 4 * eachMinute * (IDLE_MINUTES + 4);
        while (sessions.counts().sessions() > bound) {
          Thread.onSpinWait();
        }
        if (minute % 60 == 59 && minute >= 3 * 60 - 1) {
          long[] now = {sessions.counts().bytes(), Serve.resident(), size(folder)};
          third = third.length == 0 ? now : third;
          Arrays.setAll(most, i -> Math.max(most[i], now[i]));
        }
      }
      Serve.print(
          "24 simulated hours, %,d sessions opened, %,d steps: after 3 hours %,d bytes of the table,"
              + " %,d resident, %,d of the store; the most later %,d, %,d, %,d (%.3f, %.3f, %.3f)",
          24L * 60 * eachMinute,
          steps,
          third[0],
          third[1],
          third[2],
          most[0],
          most[1],
          most[2],
          (double) most[0] / third[0],
          (double) most[1] / third[1],
          (double) most[2] / third[2]);
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static int minute(
      Sessions sessions, Request[] requests, Random random, int minute, int each) {
    int first = minute * each;
    int gone = Math.max(0, first - LIFE_MINUTES * each);
    Serve.open(sessions, first, first + each);
    CompletableFuture<?>[] sent = new CompletableFuture<?>[4 * each];
    for (int i = 0; i < sent.length; i++) {
      int id = i < each ? first + i : gone + random.nextInt(first + each - gone);
      sent[i] = sessions.stepAsync(id, requests[i % Serve.INPUTS]);
    }
    CompletableFuture.allOf(sent).join();
    if (minute >= LIFE_MINUTES) {
      for (int i = 0; i < each; i++) {
        sessions.close(gone + i);
      }
    }
    return sent.length;
  }

  private static long size(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }
}
