package io.recur.jmh;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Recur;
import io.recur.train.Adam;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Memory that does not grow: 100 000 streaming steps of an LSTM-256, 10 000 training steps of a
 * small character model, and 10 000 steps that each have another batch than the one before, with
 * the memory resident in this process and the tape's own after 10 %, 50 % and 100 % of them.
 *
 * <p>It runs in a JVM of its own whose heap is fixed and touched at the start, so that what is seen
 * is native memory; and without the optimising compiler, whose own memory comes and goes by 20 MB.
 * {@code --short}: a tenth of the steps, and no file is written.
 */
public final class SteadyState {
  private static final int HIDDEN = 256;
  private static final int CLASSES = 20;

  /** Of the loop of shapes: units, and more sizes of a batch than a cell keeps plans. */
  private static final int UNITS = 16;

  private static final int SIZES = 600;

  /** What resident memory may grow by between 10 % and 100 %: the JVM's own code and tables. */
  private static final long SLACK_BYTES = 1L << 20;

  private SteadyState() {}

  /** What is held after so many steps. */
  private record Row(String loop, int steps, long resident, long tape) {
    String markdown() {
      return String.format(
          Locale.ROOT,
          "| %s | %d | %s | %d |",
          loop,
          steps,
          resident < 0 ? "unknown" : Long.toString(resident),
          tape);
    }
  }

  /**
   * Measures in a JVM of its own, prints, and writes a part of jmh/RESULTS.md.
   *
   * @param arguments nothing or {@code --short}
   * @throws Exception if the memory grew or an answer is wrong
   */
  public static void main(String[] arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC"));
    command.add("-XX:TieredStopAtLevel=1");
    command.addAll(List.of("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Forked.class.getName()));
    command.addAll(List.of(arguments));
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0) {
      throw new IllegalStateException("SteadyState: failed, see above; status=" + status);
    }
  }

  /** The other JVM. */
  static final class Forked {
    private Forked() {}

    public static void main(String[] arguments) throws IOException {
      boolean brief = List.of(arguments).contains("--short");
      try (Device device = Device.cpu()) {
        List<Row> rows = new ArrayList<>();
        rows.addAll(streaming(device, brief ? 10_000 : 100_000));
        rows.addAll(training(device, brief ? 1_000 : 10_000));
        rows.addAll(shapes(device, brief ? 1_000 : 10_000));
        String table =
            """
            | loop | steps | resident, bytes | tape, bytes |
            |---|---|---|---|
            %s
            """
                .formatted(String.join("\n", rows.stream().map(Row::markdown).toList()));
        System.out.print(Results.circumstances(device) + "\n\n" + table);
        checkFlat(rows.subList(0, 3), brief);
        checkFlat(rows.subList(3, 6), brief);
        checkFlat(rows.subList(6, 9), brief);
        if (!brief) {
          Results.write("SteadyState", Results.circumstances(device) + "\n\n" + table);
        }
      }
    }
  }

  private static List<Row> streaming(Device device, int steps) {
    try (Tape tape = Tape.inference(device)) {
      Recur recur = lstm(HIDDEN, HIDDEN).on(device, 1);
      float[] x = Check.random(HIDDEN, 3);
      checkStreaming(tape, recur.fork(), x);
      float[] last = new float[HIDDEN];
      Runnable step =
          () -> {
            recur.apply(tape.input(x)).value().read(last);
            tape.clear();
          };
      return measured("streaming", steps, tape, step);
    }
  }

  /** Eight single steps against a sequence of eight. */
  private static void checkStreaming(Tape tape, Recur recur, float[] x) {
    int steps = 8;
    float[] repeated = new float[x.length * steps];
    float[] last = {};
    for (int t = 0; t < steps; t++) {
      last = recur.apply(tape.input(x)).toArray();
      tape.clear();
      System.arraycopy(x, 0, repeated, t * x.length, x.length);
    }
    recur.reset();
    float[] whole =
        recur.apply(tape.input(Shape.of(x.length, 1, steps), repeated)).time(steps - 1).toArray();
    tape.clear();
    Check.close("streaming", last, Check.widen(whole), 1e-4);
  }

  private static List<Row> training(Device device, int steps) {
    try (Tape tape = Tape.on(device)) {
      Chain model = chain(lstm(CLASSES, 32), dense(32, CLASSES)).on(device, 1);
      Random random = new Random(1);
      int[] text = new int[8 * (16 * 50 + 1)];
      for (int i = 1; i < text.length; i++) {
        text[i] = (text[i - 1] + 1 + random.nextInt(2)) % CLASSES; // one bit a character
      }
      Streams streams = new Streams(text, CLASSES, 8, 16);
      Trainer trainer = new Trainer(model, new Adam(0.01f), tape).clipNorm(5);
      float[] loss = {0};
      trainer.onStep(
          event -> {
            loss[0] = event.loss();
            return true;
          });
      int[] chunk = {0};
      Runnable step =
          () -> {
            if (chunk[0] == 0) {
              model.reset();
            }
            trainer.pass(
                chunk[0],
                chunk[0] + 1,
                i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i)));
            chunk[0] = (chunk[0] + 1) % streams.chunks();
          };
      List<Row> rows = measured("training", steps, tape, step);
      if (!(loss[0] < 1)) { // the text's entropy is 0.69 nats, an untrained model's loss 3.0
        throw new IllegalStateException(
            "training: loss=%s after %d steps; it should be below 1".formatted(loss[0], steps));
      }
      return rows;
    }
  }

  /** A batch of another size at each step, of more sizes than are kept: each call is traced. */
  private static List<Row> shapes(Device device, int steps) {
    try (Tape tape = Tape.inference(device)) {
      Recur recur = lstm(UNITS, UNITS).on(device, 1);
      float[] column = Check.random(UNITS, 3);
      float[] expected = recur.apply(tape.input(column)).toArray();
      tape.clear();
      int[] step = {0};
      Runnable change =
          () -> {
            int batch = SIZES - step[0]++ % SIZES; // the largest first
            float[] x = new float[UNITS * batch];
            System.arraycopy(column, 0, x, x.length - UNITS, UNITS);
            recur.reset();
            float[] y = recur.apply(tape.input(Shape.of(UNITS, batch), x)).toArray();
            tape.clear();
            float[] last = Arrays.copyOfRange(y, y.length - UNITS, y.length);
            Check.close("shapes", last, Check.widen(expected), 1e-5);
          };
      return measured("shapes", steps, tape, change);
    }
  }

  private static List<Row> measured(String loop, int steps, Tape tape, Runnable step) {
    List<Row> rows = new ArrayList<>();
    int done = 0;
    for (int goal : new int[] {steps / 10, steps / 2, steps}) {
      for (; done < goal; done++) {
        step.run();
      }
      rows.add(new Row(loop, goal, resident(), tape.bytes()));
    }
    return rows;
  }

  /** Bytes of this process in memory, or -1 where the system does not say. */
  private static long resident() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      return -1; // no Linux
    }
    return -1;
  }

  private static void checkFlat(List<Row> rows, boolean brief) {
    Row first = rows.getFirst();
    Row last = rows.getLast();
    long slack = brief ? 4 * SLACK_BYTES : SLACK_BYTES; // classes are still loaded
    if (first.tape != last.tape || last.resident > first.resident + slack) {
      throw new IllegalStateException(
          "%s: memory grew between %d and %d steps: resident %d to %d bytes, tape %d to %d"
              .formatted(
                  last.loop,
                  first.steps,
                  last.steps,
                  first.resident,
                  last.resident,
                  first.tape,
                  last.tape));
    }
  }
}
