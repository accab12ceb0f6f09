package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Sequences of different lengths cost what their valid steps cost, at any order of theirs: an LSTM
 * over 64 of them, against the sum over t of the time of one step of a batch of as many sequences
 * as are alive at t. Both are measured in turns within one process; the target is a ratio of at
 * most 1.2, and rows above it are named at the end.
 *
 * <p>{@code --short}: fewer turns, H 256 alone, and no file is written.
 */
public final class Lengths {
  private static final int BATCH = 64;
  private static final int TIME = 100;
  private static final int TURNS = 9;

  /** The most that the sum of the steps' times may be exceeded by, as a ratio. */
  private static final double MOST = 1.2;

  private Lengths() {}

  /** What is compared. */
  private record Work(String name, boolean trains, int hidden, int[] lengths) {
    /** How many sequences have step t. */
    int alive(int t) {
      return (int) Arrays.stream(lengths).filter(length -> length > t).count();
    }
  }

  /**
   * Median milliseconds of a call, of the steps of which it consists, and of a call without ends.
   */
  private record Row(Work work, double padded, double steps, double whole) {
    double ratio() {
      return padded / steps;
    }

    String name() {
      return "%s, %s, H %d"
          .formatted(work.name(), work.trains() ? "train" : "forward", work.hidden());
    }

    String markdown() {
      return String.format(
          Locale.ROOT,
          "| %s | %s | %d | %.2f | %.2f | %.2f | %.2f |",
          work.name(),
          work.trains() ? "train" : "forward",
          work.hidden(),
          padded,
          steps,
          ratio(),
          whole);
    }
  }

  /**
   * Measures, prints, and writes a part of jmh/RESULTS.md.
   *
   * @param arguments nothing or {@code --short}
   * @throws IOException if the file cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    boolean brief = List.of(arguments).contains("--short");
    List<Row> rows = new ArrayList<>();
    try (Device device = Device.cpu()) {
      for (int hidden : brief ? new int[] {256} : new int[] {256, 1024}) {
        for (boolean trains : new boolean[] {false, true}) {
          for (Work work : works(trains, hidden)) {
            rows.add(measured(device, work, brief ? 5 : TURNS));
            System.out.println(rows.getLast().markdown());
          }
        }
      }
      String table =
          """
          | lengths | pass | H | padded, ms | sum of its steps, ms | ratio | all of 100 steps, ms |
          |---|---|---|---|---|---|---|
          %s

          %s
          """
              .formatted(
                  String.join("\n", rows.stream().map(Row::markdown).toList()), judged(rows));
      System.out.print(Results.circumstances(device) + "\n\n" + table);
      if (!brief) {
        Results.write("Lengths", Results.circumstances(device) + "\n\n" + table);
      }
    }
  }

  private static String judged(List<Row> rows) {
    List<String> above =
        rows.stream().filter(row -> row.ratio() > MOST).map(row -> row.name() + ".").toList();
    return above.isEmpty()
        ? "No ratio is above " + MOST + "."
        : "Above " + MOST + ": " + String.join(" ", above);
  }

  private static List<Work> works(boolean trains, int hidden) {
    Random random = new Random(1);
    int[] uniform = random.ints(BATCH, 1, TIME + 1).toArray();
    uniform[BATCH / 2] = TIME;
    int[] oneLong = new int[BATCH];
    Arrays.fill(oneLong, TIME / 10);
    oneLong[BATCH / 2] = TIME;
    int[] equal = new int[BATCH];
    Arrays.fill(equal, TIME);
    int[] shortest = uniform.clone();
    Arrays.sort(shortest);
    int[] longest = Arrays.stream(shortest).map(i -> -i).sorted().map(i -> -i).toArray();
    return List.of(
        new Work("uniform in 1 … 100", trains, hidden, uniform),
        new Work("the same, the shortest first", trains, hidden, shortest),
        new Work("the same, the longest first", trains, hidden, longest),
        new Work("one of 100, 63 of 10", trains, hidden, oneLong),
        new Work("all of 100", trains, hidden, equal));
  }

  private static Row measured(Device device, Work work, int turns) {
    try (Tape tape = work.trains() ? Tape.on(device) : Tape.inference(device)) {
      Recur layer = Layers.lstm(work.hidden(), work.hidden()).on(device, 1);
      check(tape, layer, work);
      Shape shape = Shape.of(work.hidden(), BATCH, TIME);
      float[] x = Check.random(shape.count(), 3);
      double[] padded = new double[turns];
      double[] steps = new double[turns];
      double[] whole = new double[turns];
      for (int turn = -1; turn < turns; turn++) { // the first to warm up
        int at = Math.max(0, turn);
        padded[at] =
            milliseconds(
                2,
                () -> {
                  Padded of = Padded.of(tape.input(shape, x), work.lengths());
                  run(tape, layer, layer.apply(of).stretches());
                });
        steps[at] = steps(tape, layer, work, x);
        whole[at] =
            milliseconds(2, () -> run(tape, layer, List.of(layer.apply(tape.input(shape, x)))));
      }
      return new Row(work, median(padded), median(steps), median(whole));
    }
  }

  /** The sum over t of the time of one step; steps of one batch are measured once for all. */
  private static double steps(Tape tape, Recur layer, Work work, float... x) {
    Map<Integer, Double> times = new TreeMap<>();
    double sum = 0;
    for (int t = 0; t < TIME; t++) {
      int alive = work.alive(t);
      if (alive > 0 && !times.containsKey(alive)) {
        Shape shape = Shape.of(work.hidden(), alive, 1);
        float[] step = Arrays.copyOf(x, shape.count());
        times.put(
            alive,
            milliseconds(6, () -> run(tape, layer, List.of(layer.apply(tape.input(shape, step))))));
      }
      sum += alive == 0 ? 0 : times.get(alive);
    }
    return sum;
  }

  /** Ends a call: with the gradient of a sum where the tape records. */
  private static void run(Tape tape, Recur layer, List<Tensor> outputs) {
    if (tape.isRecording()) {
      Tensor sum = outputs.getFirst().sum();
      for (Tensor y : outputs.subList(1, outputs.size())) {
        sum = sum.add(y.sum());
      }
      tape.backward(sum);
    } else {
      outputs.getLast().value().slice(0, 1).read();
    }
    layer.reset();
    tape.clear();
  }

  /** Median of some calls, after one that is not counted. */
  private static double milliseconds(int calls, Runnable call) {
    call.run();
    double[] times = new double[calls];
    for (int i = 0; i < calls; i++) {
      long start = System.nanoTime();
      call.run();
      times[i] = (System.nanoTime() - start) * 1e-6;
    }
    return median(times);
  }

  private static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** The last state of each sequence, and the gradients, against those of each sequence alone. */
  private static void check(Tape tape, Recur layer, Work work) {
    int rows = work.hidden();
    float[] x = Check.random(rows * BATCH * TIME, 3);
    Tensor input = tape.input(Shape.of(rows, BATCH, TIME), x);
    layer.apply(Padded.of(input, work.lengths()));
    float[] together = layer.state().h().toArray();
    layer.reset();
    float[] alone = new float[together.length];
    for (int b : new int[] {0, BATCH / 2}) {
      int length = work.lengths()[b];
      float[] its = new float[rows * length];
      for (int t = 0; t < length; t++) {
        System.arraycopy(x, (t * BATCH + b) * rows, its, t * rows, rows);
      }
      layer.apply(tape.input(Shape.of(rows, 1, length), its));
      alone = layer.state().h().toArray();
      float[] column = Arrays.copyOfRange(together, b * rows, (b + 1) * rows);
      Check.close(work.name() + " " + b, column, Check.widen(alone), 1e-4);
      layer.reset();
    }
    tape.clear();
  }
}
