package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.device.cuda.CpuDouble;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.util.Locale;

/**
 * The steps of a character model, and what they ask of a GPU, as its CPU double counts it.
 *
 * <p>As a program, for {@code make host-gpu}, it prints a line per cell, size and pass: kernels,
 * products, copies and fills, graphs, bytes to the device and from it, all per step, and the host's
 * microseconds. Its argument is the numbers of units, separated by commas; the variable {@code
 * RECUR_CUDA} names the double.
 *
 * @param classes of characters
 * @param batch streams of text
 * @param time characters of a training step
 */
record CharacterSteps(int classes, int batch, int time) {
  static final String GRAPHS = "io.recur.cuda.graphs";

  /** A list is launched piece by piece, then captured, then launched as a graph. */
  private static final int WARM_UP = 4;

  private static final int STEPS = 4;

  /**
   * What was asked of the device.
   *
   * @param kernels launched
   * @param products of matrices
   * @param moves copies and fills within the device
   * @param graphs launched; what is in them is counted with the others when they are replayed
   * @param to bytes to the device
   * @param from bytes from it
   */
  record Calls(long kernels, long products, long moves, long graphs, long to, long from) {
    /** All so far. */
    static Calls made() {
      return new Calls(
          CpuDouble.count("cuLaunchKernel"),
          CpuDouble.count("cublasGemmEx_64") + CpuDouble.count("cublasSgemv_v2_64"),
          CpuDouble.count("cuMemcpyDtoDAsync_v2") + CpuDouble.count("cuMemsetD32Async"),
          CpuDouble.count("cuGraphLaunch"),
          CpuDouble.bytes("cuMemcpyHtoDAsync_v2"),
          CpuDouble.bytes("cuMemcpyDtoHAsync_v2"));
    }

    /** Those per step, of a number of steps that began when the others had been made. */
    Calls perStep(Calls before, int steps) {
      return new Calls(
          (kernels - before.kernels) / steps,
          (products - before.products) / steps,
          (moves - before.moves) / steps,
          (graphs - before.graphs) / steps,
          (to - before.to) / steps,
          (from - before.from) / steps);
    }

    /** Those of one step, after two that warm up. */
    static Calls of(Runnable step) {
      step.run();
      step.run();
      Calls before = made();
      step.run();
      return made().perStep(before, 1);
    }
  }

  /** A cell and its head; LSTM or GRU. */
  Chain model(String cell, int units, Device device) {
    Layer layer = cell.equals("LSTM") ? lstm(classes, units) : gru(classes, units);
    return chain(layer, dense(units, classes)).on(device, 1);
  }

  /** A step of truncated back-propagation, with clipping and Adam. */
  Runnable training(Chain model, Tape tape) {
    int[] text = new int[batch * (time + 1)];
    for (int i = 0; i < text.length; i++) {
      text[i] = i * i % classes;
    }
    Streams streams = new Streams(text, classes, batch, time);
    Trainer trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
    Trainer.Loss loss =
        i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
    return () -> trainer.pass(0, 1, loss);
  }

  /** One character in, the scores of the next one out. */
  Runnable sampling(Chain model, Tape tape) {
    float[] x = new float[classes];
    float[] y = new float[classes];
    return () -> {
      model.apply(tape.input(x)).value().read(y);
      tape.clear();
    };
  }

  public static void main(String[] args) {
    Device.cpu(1).close(); // loads OpenBLAS, with which the double then multiplies
    CharacterSteps steps = new CharacterSteps(107, 32, 64);
    for (String cell : new String[] {"LSTM", "GRU"}) {
      for (String units : args[0].split(",")) {
        for (boolean trains : new boolean[] {true, false}) {
          steps.print(cell, Integer.parseInt(units), trains);
        }
      }
    }
  }

  private void print(String cell, int units, boolean trains) {
    System.setProperty(GRAPHS, "false");
    Measured pieces = measured(cell, units, trains);
    System.setProperty(GRAPHS, "true");
    Measured whole = measured(cell, units, trains);
    System.out.printf(
        Locale.ROOT,
        "= %s,%d,%s,%d,%d,%d,%d,%d,%d,%.0f%n",
        cell,
        units,
        trains ? "train" : "step",
        pieces.calls.kernels,
        pieces.calls.products,
        pieces.calls.moves,
        whole.calls.graphs,
        whole.calls.to,
        whole.calls.from,
        whole.micros);
  }

  /**
   * A step's calls and its time outside of the double.
   *
   * @param calls per step
   * @param micros of the host
   */
  private record Measured(Calls calls, double micros) {}

  private Measured measured(String cell, int units, boolean trains) {
    try (Device device = Device.of("cuda:0");
        Tape tape = trains ? Tape.on(device) : Tape.inference(device)) {
      Chain model = model(cell, units, device);
      Runnable step = trains ? training(model, tape) : sampling(model, tape);
      for (int i = 0; i < WARM_UP; i++) {
        step.run();
      }
      Calls before = Calls.made();
      long began = System.nanoTime() - CpuDouble.nanos();
      for (int i = 0; i < STEPS; i++) {
        step.run();
      }
      long ended = System.nanoTime() - CpuDouble.nanos();
      return new Measured(Calls.made().perStep(before, STEPS), (ended - began) / 1e3 / STEPS);
    }
  }
}
