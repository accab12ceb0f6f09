package io.recur.peers;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;

import io.recur.bindings.Opened;
import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Recur;
import io.recur.train.Adam;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Counts what the host does for a step of the character model on the CPU double of a GPU: a
 * training step of {@value #BATCH} streams and {@value #TIME} characters each, and one character at
 * a time. Prints a line per step: cell, units, pass, kernels, products, copies and fills, graphs,
 * bytes to the device and from it, all per step, and the host's microseconds.
 *
 * <p>Arguments: units, separated by commas. The double is what {@code RECUR_CUDA} names.
 */
final class HostSide {
  private static final int CLASSES = 107;
  private static final int BATCH = 32;
  private static final int TIME = 64;

  /** A list is launched piece by piece, then captured, then launched as a graph. */
  private static final int WARM_UP = 4;

  private static final int STEPS = 4;
  private static final String GRAPHS = "io.recur.cuda.graphs";
  private static final String DEVICE = "cuda:0";

  private static final Linker LINKER = Linker.nativeLinker();

  private HostSide() {}

  /** A model's work, ready to be repeated. */
  private interface Job {
    void step();
  }

  private record Counts(
      long kernels, long products, long moves, long graphs, long to, long from, double micros) {}

  public static void main(String[] args) {
    Device.cpu(1).close(); // loads OpenBLAS, with which the double then multiplies
    for (String cell : new String[] {"LSTM", "GRU"}) {
      for (String units : args[0].split(",")) {
        for (boolean trains : new boolean[] {true, false}) {
          tell(cell, Integer.parseInt(units), trains);
        }
      }
    }
  }

  private static void tell(String cell, int units, boolean trains) {
    System.setProperty(GRAPHS, "false");
    Counts pieces = counts(cell, units, trains);
    System.setProperty(GRAPHS, "true");
    Counts whole = counts(cell, units, trains);
    System.out.printf(
        Locale.ROOT,
        "= %s,%d,%s,%d,%d,%d,%d,%d,%d,%.0f%n",
        cell,
        units,
        trains ? "train" : "step",
        pieces.kernels,
        pieces.products,
        pieces.moves,
        whole.graphs,
        whole.to,
        whole.from,
        whole.micros);
  }

  private static Counts counts(String cell, int units, boolean trains) {
    try (Device device = Device.of(DEVICE);
        Tape tape = trains ? Tape.on(device) : Tape.inference(device)) {
      Recur recur = cell.equals("LSTM") ? lstm(CLASSES, units) : gru(CLASSES, units);
      Chain model = chain(recur, dense(units, CLASSES)).on(device, 1);
      return counts(trains ? training(model, tape) : sampling(model, tape));
    }
  }

  private static Job training(Chain model, Tape tape) {
    int[] text = new int[BATCH * (TIME + 1)];
    for (int i = 0; i < text.length; i++) {
      text[i] = i * i % CLASSES;
    }
    Streams streams = new Streams(text, CLASSES, BATCH, TIME);
    Trainer trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
    Trainer.Loss loss =
        i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
    return () -> trainer.pass(0, 1, loss);
  }

  private static Job sampling(Chain model, Tape tape) {
    float[] x = new float[CLASSES];
    float[] y = new float[CLASSES];
    return () -> {
      model.apply(tape.input(x)).value().read(y);
      tape.clear();
    };
  }

  private static Counts counts(Job job) {
    for (int i = 0; i < WARM_UP; i++) {
      job.step();
    }
    Counts before = now();
    for (int i = 0; i < STEPS; i++) {
      job.step();
    }
    Counts after = now();
    return new Counts(
        (after.kernels - before.kernels) / STEPS,
        (after.products - before.products) / STEPS,
        (after.moves - before.moves) / STEPS,
        (after.graphs - before.graphs) / STEPS,
        (after.to - before.to) / STEPS,
        (after.from - before.from) / STEPS,
        (after.micros - before.micros) / STEPS);
  }

  /** All that was counted so far; the time is the one outside of the double. */
  private static Counts now() {
    return new Counts(
        count("cuLaunchKernel"),
        count("cublasGemmEx_64") + count("cublasSgemv_v2_64"),
        count("cuMemcpyDtoDAsync_v2") + count("cuMemsetD32Async"),
        count("cuGraphLaunch"),
        bytes("cuMemcpyHtoDAsync_v2"),
        bytes("cuMemcpyDtoHAsync_v2"),
        (System.nanoTime() - nanos()) / 1e3);
  }

  private static long count(String call) {
    return ask("recur_double_count", call);
  }

  private static long bytes(String call) {
    return ask("recur_double_bytes", call);
  }

  private static long ask(String question, String call) {
    try (Arena arena = Arena.ofConfined()) {
      var descriptor = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
      return (long) handle(question, descriptor).invokeExact(arena.allocateFrom(call));
    } catch (Throwable e) {
      throw new IllegalStateException(question, e);
    }
  }

  private static long nanos() {
    try {
      var descriptor = FunctionDescriptor.of(ValueLayout.JAVA_LONG);
      return (long) handle("recur_double_nanos", descriptor).invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        Opened.SYMBOLS
            .find(name)
            .orElseThrow(() -> new IllegalStateException("RECUR_CUDA names no CPU double")),
        descriptor);
  }
}
