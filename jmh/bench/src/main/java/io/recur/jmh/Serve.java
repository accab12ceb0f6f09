package io.recur.jmh;

import static io.recur.nn.Layers.lstm;

import com.sun.management.OperatingSystemMXBean;
import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Recur;
import io.recur.serve.Batching;
import io.recur.serve.Counts;
import io.recur.serve.Request;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/**
 * Sessions of an LSTM of 128 units, callers in the same process: the memory of a million, steps per
 * second over 100 000 at random with 256 requests outstanding against {@code Recur.apply}, and the
 * time of a step at half of that load with arrivals at fixed times, counted from the intended time.
 * Answers are compared with those of Recurs first.
 *
 * <p>Also the speed with which a million sessions go to a file and come back, {@link ServeFile},
 * and a day of traffic on a simulated clock, {@link ServeDay}.
 *
 * <p>{@code --short}: fewer sessions and seconds.
 */
public final class Serve {
  static final int UNITS = 128;
  private static final int OUTSTANDING = 256;
  static final int INPUTS = 1 << 10;

  private Serve() {}

  /**
   * Measures and prints.
   *
   * @param arguments {@code throughput}, {@code longs} or {@code texts}, which are the ids of a
   *     million, {@code file} or {@code day}; and perhaps {@code --short}
   * @throws Exception if the memory of this process cannot be read, or a file written
   */
  public static void main(String[] arguments) throws Exception {
    boolean brief = List.of(arguments).contains("--short");
    try (Device device = Device.cpu(1)) {
      Recur model = lstm(UNITS, UNITS).on(device, 1);
      System.out.println(Results.circumstances(device));
      int million = brief ? 100_000 : 1_000_000;
      switch (arguments[0]) {
        case "throughput" -> throughput(device, model, brief ? 10_000 : 100_000, brief ? 1 : 5);
        case "file" -> ServeFile.measure(device, model, million);
        case "day" -> ServeDay.measure(device, model, brief ? 20 : 500);
        default -> memory(device, model, million, arguments[0].equals("texts"));
      }
    }
  }

  static float[] input(int number) {
    return Check.random(UNITS, number % INPUTS);
  }

  static Request[] requests() {
    Request[] all = new Request[INPUTS];
    Arrays.setAll(all, i -> Request.of(input(i)));
    return all;
  }

  // Steps per second, and the time of a step.

  private static void throughput(Device device, Recur model, int count, int seconds)
      throws InterruptedException {
    Request[] requests = requests();
    try (Sessions sessions = Sessions.open(model, device, Batching.ADAPTIVE)) {
      open(sessions, count, false);
      rate(sessions, requests, count, seconds);
      for (int turn = 0; turn < 2; turn++) {
        double alone = apply(device, model, 1, seconds)[0];
        Counts before = sessions.counts();
        long cpu = steppingNanos();
        double served = rate(sessions, requests, count, seconds);
        cpu = steppingNanos() - cpu;
        Counts after = sessions.counts();
        long steps = after.requests() - before.requests();
        double mean = (double) steps / (after.batches() - before.batches());
        double[] batched = apply(device, model, (int) Math.round(mean), seconds);
        print(
            "%,.0f steps/s at a mean batch of %.0f; Recur.apply: %,.0f at batch 1 (%.2f of it), %,.0f"
                + " at the mean batch (%.2f of it); per second of a core: %,.0f of %,.0f (%.2f)",
            served,
            mean,
            alone,
            served / alone,
            batched[0],
            served / batched[0],
            1e9 * steps / cpu,
            batched[1],
            1e9 * steps / cpu / batched[1]);
        latency(sessions, requests, count, served / 2, seconds);
      }
    }
  }

  /** The time that the processor has worked for this process. */
  static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  /** The time that the processor has worked for the stepping thread. */
  private static long steppingNanos() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().equals("recur-sessions")) {
        return threads.getThreadCpuTime(thread.getThreadId());
      }
    }
    throw new IllegalStateException("no stepping thread");
  }

  /** Steps of a batch with its state in place, per second and per second of a core. */
  private static double[] apply(Device device, Recur model, int batch, int seconds) {
    try (Recur recur = model.fork();
        Tape tape = Tape.inference(device)) {
      float[] x = Check.random(UNITS * batch, 1);
      float[] y = new float[UNITS * batch];
      Shape shape = Shape.of(UNITS, batch);
      long end = 0;
      long begin = 0;
      long cpu = 0;
      long steps = 0;
      for (int round = 0; round < 2; round++) { // the first to warm up
        begin = System.nanoTime();
        end = begin + TimeUnit.SECONDS.toNanos(seconds);
        cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (steps = 0; System.nanoTime() < end; steps += batch) {
          recur.apply(tape.input(shape, x)).value().read(y);
          tape.clear();
        }
      }
      cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu;
      return new double[] {1e9 * steps / (System.nanoTime() - begin), 1e9 * steps / cpu};
    }
  }

  /** Steps per second with as many requests outstanding, all sent by this thread. */
  private static double rate(Sessions sessions, Request[] requests, int count, int seconds) {
    Random random = new Random(1);
    @SuppressWarnings("unchecked")
    CompletableFuture<float[]>[] sent =
        (CompletableFuture<float[]>[]) new CompletableFuture<?>[OUTSTANDING];
    long begin = System.nanoTime();
    long end = begin + TimeUnit.SECONDS.toNanos(seconds);
    long steps = 0;
    for (int i = 0; i < OUTSTANDING; i++) {
      sent[i] = sessions.stepAsync(random.nextInt(count), requests[i]);
    }
    for (int at = 0; System.nanoTime() < end; at = (at + 1) % OUTSTANDING, steps++) {
      sent[at].join();
      sent[at] = sessions.stepAsync(random.nextInt(count), requests[(int) (steps % INPUTS)]);
    }
    for (CompletableFuture<float[]> last : sent) {
      last.join();
    }
    return 1e9 * (steps + OUTSTANDING) / (System.nanoTime() - begin);
  }

  /**
   * Percentiles of the time from when a request was to be sent until its answer; of the time by
   * which this thread sent it late, which is the machine's and the collector's; and the pauses of
   * the collector meanwhile.
   */
  private static void latency(
      Sessions sessions, Request[] requests, int count, double rate, int seconds)
      throws InterruptedException {
    Random random = new Random(2);
    int total = (int) (rate * seconds);
    long[] nanos = new long[total];
    long[] late = new long[total];
    long[] pausesBefore = pauses();
    CountDownLatch waiting = new CountDownLatch(total);
    long begin = System.nanoTime();
    for (int i = 0; i < total; i++) {
      int number = i;
      long intended = begin + (long) (1e9 * i / rate);
      while (System.nanoTime() < intended) {
        if (intended - System.nanoTime() > 100_000) {
          LockSupport.parkNanos(50_000);
        } else {
          Thread.onSpinWait();
        }
      }
      late[i] = System.nanoTime() - intended;
      sessions
          .stepAsync(random.nextInt(count), requests[i % INPUTS])
          .thenRun(
              () -> {
                nanos[number] = System.nanoTime() - intended;
                waiting.countDown();
              });
    }
    waiting.await();
    long[] pauses = pauses();
    print(
        "at %,.0f requests/s: answered after %s; of these sent late by %s; %d collections of %d ms",
        rate,
        percentiles(nanos),
        percentiles(late),
        pauses[0] - pausesBefore[0],
        pauses[1] - pausesBefore[1]);
  }

  private static String percentiles(long... nanos) {
    Arrays.sort(nanos);
    int count = nanos.length;
    return String.format(
        Locale.ROOT,
        "p50 %.0f, p99 %.0f, p99.9 %.0f µs",
        nanos[count / 2] * 1e-3,
        nanos[(int) (count * 0.99)] * 1e-3,
        nanos[(int) (count * 0.999)] * 1e-3);
  }

  /** How often the collector has stopped this process, and for how many ms. */
  private static long[] pauses() {
    long[] all = new long[2];
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      if (!collector.getName().contains("Concurrent") && !collector.getName().contains("Cycles")) {
        all[0] += collector.getCollectionCount();
        all[1] += collector.getCollectionTime();
      }
    }
    return all;
  }

  // Memory.

  private static String text(int id) {
    return "session-%08d".formatted(id);
  }

  /** Opens the sessions of some numbers. */
  static void open(Sessions sessions, int from, int end) {
    sessions.open(LongStream.range(from, end).toArray());
  }

  static void open(Sessions sessions, int count, boolean isText) {
    int piece = 4096;
    for (int from = 0; from < count; from += piece) {
      int end = Math.min(count, from + piece);
      if (isText) {
        sessions.open(
            LongStream.range(from, end).mapToObj(i -> text((int) i)).toArray(String[]::new));
      } else {
        open(sessions, from, end);
      }
    }
  }

  private static CompletableFuture<float[]> step(
      Sessions sessions, boolean isText, int id, Request request) {
    return isText ? sessions.stepAsync(text(id), request) : sessions.stepAsync(id, request);
  }

  /** Opens sessions, steps each once, and compares some of them with Recurs of their own. */
  private static void memory(Device device, Recur model, int count, boolean isText)
      throws IOException {
    Request[] requests = requests();
    try (Sessions sessions = Sessions.open(model, device)) {
      long begin = System.nanoTime();
      open(sessions, count, isText);
      double seconds = (System.nanoTime() - begin) * 1e-9;
      int piece = 1000;
      for (int from = 0; from < count; from += piece) {
        CompletableFuture<?>[] sent = new CompletableFuture<?>[piece];
        for (int i = 0; i < piece; i++) {
          sent[i] = step(sessions, isText, from + i, requests[(from + i) % INPUTS]);
        }
        CompletableFuture.allOf(sent).join();
      }
      check(device, model, sessions, requests, count, isText);
      print(
          "%,d sessions with %s ids: opened in %.1f s, %,d bytes resident, %,d of the table",
          count, isText ? "text" : "long", seconds, resident(), sessions.counts().bytes());
    }
  }

  private static void check(
      Device device,
      Recur model,
      Sessions sessions,
      Request[] requests,
      int count,
      boolean isText) {
    Random random = new Random(3);
    try (Tape tape = Tape.inference(device)) {
      for (int i = 0; i < 1000; i++) {
        int id = random.nextInt(count);
        try (Recur alone = model.fork()) {
          alone.apply(tape.input(input(id)));
          float[] expected = alone.apply(tape.input(input(5))).toArray();
          byte[] state = isText ? sessions.save(text(id)) : sessions.save(id);
          float[] answer = step(sessions, isText, id, requests[5]).join();
          if (!Arrays.equals(expected, answer)) {
            throw new IllegalStateException("session " + id + " differs from its own Recur");
          }
          if (isText) {
            sessions.restore(text(id), state); // it may be drawn again
          } else {
            sessions.restore(id, state);
          }
          tape.clear();
        }
      }
    }
  }

  static long resident() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }

  static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
