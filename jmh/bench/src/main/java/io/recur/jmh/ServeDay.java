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
 * for a store. Compares the most memory of the second half of the day with that of the first.
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
      long[] day = new long[3]; // the most from the third hour to the twelfth
      long[] night = new long[3]; // and after it
      for (int minute = 0; minute < 24 * 60; minute++) {
        steps += minute(sessions, requests, random, minute, eachMinute);
        millis.addAndGet(MINUTE);
        int bound = 4 * eachMinute * (IDLE_MINUTES + 4);
        while (sessions.counts().sessions() > bound) {
          Thread.onSpinWait();
        }
        if (minute >= 3 * 60) {
          long[] now = {sessions.counts().bytes(), Serve.resident(), size(folder)};
          long[] most = minute < 12 * 60 ? day : night;
          Arrays.setAll(most, i -> Math.max(most[i], now[i]));
        }
      }
      Serve.print(
          "24 simulated hours, %,d sessions opened, %,d steps: at most %,d bytes of the table, %,d"
              + " resident, %,d of the store from hour 3 to 12; later %.3f, %.3f, %.3f of that",
          24L * 60 * eachMinute,
          steps,
          day[0],
          day[1],
          day[2],
          (double) night[0] / day[0],
          (double) night[1] / day[1],
          (double) night[2] / day[2]);
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
