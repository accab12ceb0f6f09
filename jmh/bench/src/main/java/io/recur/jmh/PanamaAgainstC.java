package io.recur.jmh;

import io.recur.bindings.kernels.recur_h;
import io.recur.bindings.openblas.cblas_h;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What Panama costs: native calls from Java against the same calls from a C program on the same
 * library files, on one thread.
 *
 * <p>Both processes stay up and are timed in turn, so each figure is the median over pairs that
 * were measured beside each other. The answers must agree to the bit before anything is timed.
 * {@code --short}: few pairs, small sizes, and no file is written.
 */
public final class PanamaAgainstC {
  private static final List<String> ROUTINES = List.of("sgemm", "sgemv", "forward");
  private static final Path PROGRAM = Path.of("jmh", "bench", "target", "panama");
  private static final Path CSV = Path.of("jmh", "panama.csv");

  /** From this many multiply-adds on the target is a rate, below it a time. */
  private static final long LARGE = 64 * 64 * 64;

  private static final double LEAST_RATE = 0.98;
  private static final double MOST_NANOSECONDS = 15;

  private final boolean brief;
  private final Device device;
  private final C c;

  private PanamaAgainstC(boolean brief, Device device, C c) {
    this.brief = brief;
    this.device = device;
    this.c = c;
  }

  /**
   * A routine at a size.
   *
   * @param more nanoseconds of a call in Java beyond C's, median of the pairs
   * @param rate of Java as a part of C's, median of the pairs
   */
  private record Row(
      String routine, int size, long work, double c, double java, double more, double rate) {
    boolean holds() {
      return work >= LARGE ? rate >= LEAST_RATE : more <= MOST_NANOSECONDS;
    }

    String csv() {
      return String.format(
          Locale.ROOT, "%s,%d,%.1f,%.1f,%.1f,%.4f", routine, size, c, java, more, rate);
    }

    String markdown() {
      return String.format(
          Locale.ROOT,
          "| %s | %d | %.1f | %.1f | %.1f | %.3f | %s |",
          routine,
          size,
          c,
          java,
          more,
          rate,
          holds() ? "yes" : "no");
    }
  }

  /** The C program. */
  private static final class C implements AutoCloseable {
    private final Process process;
    private final PrintWriter questions;
    private final BufferedReader answers;

    C(String openBlas, String kernels) throws IOException {
      process =
          new ProcessBuilder(PROGRAM.toString(), openBlas, kernels)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      questions = new PrintWriter(process.outputWriter(), true);
      answers = new BufferedReader(new InputStreamReader(process.getInputStream()));
    }

    String ask(String question) throws IOException {
      questions.println(question);
      String answer = answers.readLine();
      if (answer == null) {
        throw new IOException("panama: no answer to '" + question + "'");
      }
      return answer;
    }

    /** Of one call, in nanoseconds, over so many. */
    double time(int times) throws IOException {
      return Double.parseDouble(ask("run " + times)) / times;
    }

    @Override
    public void close() {
      questions.close();
      process.destroy();
    }
  }

  /**
   * Measures, prints, and writes jmh/panama.csv and a part of jmh/RESULTS.md.
   *
   * @param arguments nothing or {@code --short}
   * @throws IOException if the C program fails or a file cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    boolean brief = List.of(arguments).contains("--short");
    if (!Files.isExecutable(PROGRAM)) {
      System.out.printf(
          "PanamaAgainstC: skipped, there is no %s: no C compiler was found when it was built%n",
          PROGRAM);
      return;
    }
    try (Device device = Device.cpu(1)) {
      cblas_h.openblas_set_num_threads(1);
      boolean kernels = NativeCall.hasKernels(device);
      String openBlas = fileOf(cblas_h.cblas_sgemm$address());
      String recur = kernels ? fileOf(recur_h.recur_run_forward$address()) : "-";
      try (C c = new C(openBlas, recur)) {
        PanamaAgainstC comparison = new PanamaAgainstC(brief, device, c);
        comparison.report(kernels ? ROUTINES : ROUTINES.subList(0, 2));
      }
    }
  }

  private void report(List<String> routines) throws IOException {
    System.out.println(Results.circumstances(device));
    List<Row> rows = new ArrayList<>();
    for (String routine : routines) {
      for (int size = 1; size <= (brief ? 128 : 2048); size *= 2) {
        Row row = compare(routine, size);
        System.out.println(row.markdown());
        rows.add(row);
      }
    }
    long held = rows.stream().filter(Row::holds).count();
    if (brief) {
      System.out.println("the answers agree; a short run is not warm, its times mean nothing");
      return;
    }
    System.out.printf("within the targets: %d of %d%n", held, rows.size());
    write(rows, held);
  }

  private void write(List<Row> rows, long held) throws IOException {
    Files.writeString(
        CSV,
        "routine,size,c_ns,java_ns,java_minus_c_ns,java_rate_over_c\n"
            + String.join("\n", rows.stream().map(Row::csv).toList())
            + "\n");
    Results.write(
        "PanamaAgainstC",
        """
        %s

        Within the targets: %d of %d.

        | routine | size | C, ns | Java, ns | Java − C, ns | Java's rate over C's | within |
        |---|---|---|---|---|---|---|
        %s
        """
            .formatted(
                Results.circumstances(device),
                held,
                rows.size(),
                String.join("\n", rows.stream().map(Row::markdown).toList())));
  }

  private Row compare(String routine, int size) throws IOException {
    try (NativeCall call = NativeCall.of(routine, size, device)) {
      call.check();
      String ours = "%016x".formatted(hash(call.answer()));
      String theirs = c.ask("set %s %d %d".formatted(routine, size, Elementwise.TANH.ordinal()));
      if (!ours.equals(theirs)) {
        throw new IllegalStateException(
            "%s %d: the bits of the answers differ: Java %s, C %s"
                .formatted(routine, size, ours, theirs));
      }
      int times = calibrate();
      warm(call, times);
      int pairs = brief ? 3 : (int) Math.clamp(1e9 / (times * c.time(times)), 9, 401);
      double[] inC = new double[pairs];
      double[] inJava = new double[pairs];
      for (int i = 0; i < pairs; i++) {
        inC[i] = c.time(times);
        inJava[i] = time(call, times);
      }
      return row(routine, size, call.work(), inC, inJava);
    }
  }

  private static Row row(String routine, int size, long work, double[] inC, double[] inJava) {
    double[] more = new double[inC.length];
    double[] rate = new double[inC.length];
    for (int i = 0; i < inC.length; i++) {
      more[i] = inJava[i] - inC[i];
      rate[i] = inC[i] / inJava[i];
    }
    return new Row(
        routine,
        size,
        work,
        Results.median(inC),
        Results.median(inJava),
        Results.median(more),
        Results.median(rate));
  }

  /** So many calls that few of their batches are interrupted, and the clock still counts little. */
  private int calibrate() throws IOException {
    int times = 1;
    while (c.time(times) * times < 4e5 && times < 1 << 20) {
      times *= 2;
    }
    return times;
  }

  /** In many batches, so that the loop is compiled from its beginning and not in its middle. */
  private void warm(NativeCall call, int times) {
    long until = System.nanoTime() + (brief ? 20_000_000L : 300_000_000L);
    do {
      call.call(Math.max(1, times / 16));
    } while (System.nanoTime() < until);
  }

  /** As panama.c does: a few calls first, because the other process had the caches. */
  private static double time(NativeCall call, int times) {
    call.call(times / 8);
    long from = System.nanoTime();
    call.call(times);
    return (double) (System.nanoTime() - from) / times;
  }

  /** Of the bits, as panama.c computes it. */
  private static long hash(float[] values) {
    long hash = 0xcbf29ce484222325L;
    for (float value : values) {
      hash = (hash ^ Integer.toUnsignedLong(Float.floatToRawIntBits(value))) * 0x100000001b3L;
    }
    return hash;
  }

  /** The file that an address was loaded from: the first field of what dladdr fills. */
  private static String fileOf(MemorySegment address) {
    Linker linker = Linker.nativeLinker();
    MemorySegment dladdr = linker.defaultLookup().find("dladdr").orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(ValueLayout.ADDRESS, 4);
      int found =
          (int)
              linker
                  .downcallHandle(
                      dladdr,
                      FunctionDescriptor.of(
                          ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                  .invokeExact(address, info);
      if (found == 0) {
        throw new IllegalStateException("dladdr: no file for " + address);
      }
      return info.get(ValueLayout.ADDRESS, 0).reinterpret(4096).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
