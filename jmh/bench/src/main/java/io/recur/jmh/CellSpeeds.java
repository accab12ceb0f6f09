package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.Recur;
import io.recur.nn.cells.MGUCell;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * How fast each cell of the catalogue is, beside the built-in GRU of the same sizes in turn: a step
 * of one column through {@code Recur.apply}, and sequences of a batch, forward and in training. Of
 * a cell the time is the median, and the share of the GRU's that of the ratios of each turn.
 *
 * <p>Writes {@code jmh/cells.csv}, of which {@code docs/cells.md} takes its figures. {@code
 * --short}: a turn each, and no file is written.
 */
public final class CellSpeeds {
  private static final Path FILE = Path.of("jmh", "cells.csv");
  private static final int IN = 128;
  private static final int OUT = 256;
  private static final int BATCH = 32;
  private static final int TIME = 64;
  private static final int TURNS = 9;

  /** Milliseconds of a turn, and before the first one. */
  private static final double TURN = 60;

  private static final double WARM_UP = 1500;

  private CellSpeeds() {}

  /** What is measured of a cell. */
  private enum Work {
    STEP(1, 1, false),
    FORWARD(BATCH, TIME, false),
    TRAINING(BATCH, TIME, true);

    private final int batch;
    private final int time;
    private final boolean trains;

    Work(int batch, int time, boolean trains) {
      this.batch = batch;
      this.time = time;
      this.trains = trains;
    }

    /** One column without a dimension of time: a step. */
    Shape shape() {
      return time == 1 ? Shape.of(IN, batch) : Shape.of(IN, batch, time);
    }
  }

  /** A cell in a work, called again and again. */
  private static final class Runner implements AutoCloseable {
    private final Work work;
    private final Tape tape;
    private final Recur recur;
    private final float[] x;
    private int calls = 1;

    Runner(Device device, Work work, Cell cell) {
      this.work = work;
      this.tape = work.trains ? Tape.on(device) : Tape.inference(device);
      this.recur = new Recur(cell).on(device, 42);
      this.x = Check.random(work.shape().count(), 3);
    }

    /** The outputs, against those of the equations, step by step; then warms up. */
    void check(double warmUp) {
      float[] actual = outputs(recur);
      Check.close(recur.cell() + "", actual, Check.widen(outputs(recur.fork().stepwise())), 1e-4);
      double spent = 0;
      double best = Double.POSITIVE_INFINITY;
      do {
        double now = turn();
        spent += now * calls;
        best = Math.min(best, now);
        calls = (int) Math.max(1, TURN / best);
      } while (spent < warmUp);
    }

    private float[] outputs(Recur layer) {
      float[] y = layer.apply(tape.input(work.shape(), x)).toArray();
      layer.reset();
      tape.clear();
      return y;
    }

    /** Milliseconds of a call. */
    double turn() {
      long start = System.nanoTime();
      for (int i = 0; i < calls; i++) {
        call();
      }
      return (System.nanoTime() - start) * 1e-6 / calls;
    }

    private void call() {
      Tensor y = recur.apply(tape.input(work.shape(), x));
      if (work.trains) {
        tape.backward(y.sum());
        recur.reset();
      } else if (work != Work.STEP) {
        recur.reset(); // a stream goes on
      }
      tape.clear();
    }

    @Override
    public void close() {
      recur.close();
      tape.close();
    }
  }

  /**
   * Measures, prints, and writes the file.
   *
   * @param arguments nothing or {@code --short}
   * @throws IOException if the file cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    boolean brief = List.of(arguments).contains("--short");
    List<String> lines = new ArrayList<>();
    try (Device device = Device.cpu()) {
      lines.add("measured," + Results.circumstances(device).replace(',', ';'));
      lines.add("cell,step (µs),÷ GRU's,forward (ms),÷ GRU's,training (ms),÷ GRU's");
      for (BiFunction<Integer, Integer, Cell> cell : catalogue()) {
        StringBuilder line = new StringBuilder(cell.apply(1, 1).getClass().getSimpleName());
        for (Work work : Work.values()) {
          line.append(',').append(figures(device, work, cell, brief));
        }
        lines.add(line.toString());
        System.out.println(line);
      }
    }
    if (!brief) {
      Files.write(FILE, lines);
      System.out.println(FILE + " written");
    }
  }

  /** All cells that are made from the sizes of x and y, as the package holds them. */
  private static List<BiFunction<Integer, Integer, Cell>> catalogue() throws IOException {
    String folder = "/" + MGUCell.class.getPackageName().replace('.', '/');
    List<BiFunction<Integer, Integer, Cell>> cells = new ArrayList<>();
    URI place =
        URI.create("jar:" + MGUCell.class.getProtectionDomain().getCodeSource().getLocation());
    try (FileSystem jar = FileSystems.newFileSystem(place, Map.of());
        Stream<Path> files = Files.list(jar.getPath(folder))) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith("Cell.class") && !name.contains("$") && !name.startsWith("Paper")) {
          cells.add(
              maker(folder.substring(1).replace('/', '.') + "." + name.replace(".class", "")));
        }
      }
    }
    return cells;
  }

  private static BiFunction<Integer, Integer, Cell> maker(String name) {
    return (in, out) -> {
      try {
        var made = Class.forName(name).getConstructor(int.class, int.class).newInstance(in, out);
        return (Cell) made;
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(
            name + ": a cell of the catalogue has (int in, int out)", e);
      }
    };
  }

  /** The time of a call, in the unit of the title, and its share of the GRU's. */
  private static String figures(
      Device device, Work work, BiFunction<Integer, Integer, Cell> cell, boolean brief) {
    try (Runner its = new Runner(device, work, cell.apply(IN, OUT));
        Runner gru = new Runner(device, work, new GRUCell(IN, OUT))) {
      its.check(brief ? 0 : WARM_UP);
      gru.check(brief ? 0 : WARM_UP);
      double[] times = new double[brief ? 1 : TURNS];
      double[] ratios = new double[times.length];
      for (int i = 0; i < times.length; i++) {
        times[i] = its.turn();
        ratios[i] = times[i] / gru.turn();
      }
      double time = Results.median(times) * (work == Work.STEP ? 1e3 : 1);
      return String.format(
          Locale.ROOT, time < 100 ? "%.1f,%.2f" : "%.0f,%.2f", time, Results.median(ratios));
    }
  }
}
