package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.CpuDouble;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The exact work of a step on a GPU: this test sees one more kernel per step or per character. The
 * numbers are for one step of one layer and its head, without graphs. They do not depend on the
 * units.
 */
class LaunchesTest {
  private static final String GRAPHS = "io.recur.cuda.graphs";
  private static final int CLASSES = 7;
  private static final int BATCH = 3;
  private static final int TIME = 16;
  private static final int WARM_UP = 2;

  /** The bytes sent: characters, targets and the optimiser's numbers, each aligned to a line. */
  private static final long TRAINING_TO = 448;

  /** The bytes fetched per step: the loss and, as a double, the norm. */
  private static final long TRAINING_FROM = 16;

  private static final int LINE = 64;

  @BeforeEach
  void onlyPieceByPiece() {
    CpuDouble.assumeHere();
    System.setProperty(GRAPHS, "false");
  }

  @AfterEach
  void withGraphs() {
    System.clearProperty(GRAPHS);
  }

  private record Calls(long kernels, long products, long moves, long to, long from) {
    static Calls made() {
      return new Calls(
          CpuDouble.count("cuLaunchKernel"),
          CpuDouble.count("cublasGemmEx_64") + CpuDouble.count("cublasSgemv_v2_64"),
          CpuDouble.count("cuMemcpyDtoDAsync_v2") + CpuDouble.count("cuMemsetD32Async"),
          CpuDouble.bytes("cuMemcpyHtoDAsync_v2"),
          CpuDouble.bytes("cuMemcpyDtoHAsync_v2"));
    }

    Calls since(Calls before) {
      return new Calls(
          kernels - before.kernels,
          products - before.products,
          moves - before.moves,
          to - before.to,
          from - before.from);
    }
  }

  private static Calls of(Runnable step) {
    for (int i = 0; i < WARM_UP; i++) {
      step.run();
    }
    Calls before = Calls.made();
    step.run();
    return Calls.made().since(before);
  }

  private static Layer layer(String cell, int units) {
    return cell.equals("LSTM") ? lstm(CLASSES, units) : gru(CLASSES, units);
  }

  @ParameterizedTest
  @CsvSource({
    "LSTM, 16, 58, 36, 2",
    "LSTM, 128, 58, 36, 2",
    "GRU, 16, 54, 36, 2",
    "GRU, 128, 54, 36, 2"
  })
  void aTrainingStep(String cell, int units, long kernels, long products, long moves) {
    try (Device device = Devices.opened();
        Tape tape = Tape.on(device)) {
      Chain model = chain(layer(cell, units), dense(units, CLASSES)).on(device, 1);
      int[] text = new int[BATCH * (TIME + 1)];
      for (int i = 0; i < text.length; i++) {
        text[i] = i * i % CLASSES;
      }
      Streams streams = new Streams(text, CLASSES, BATCH, TIME);
      Trainer trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
      Trainer.Loss loss =
          i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
      assertEquals(
          new Calls(kernels, products, moves, TRAINING_TO, TRAINING_FROM),
          of(() -> trainer.pass(0, 1, loss)));
    }
  }

  @ParameterizedTest
  @CsvSource({"LSTM, 16, 7, 3, 1", "LSTM, 128, 7, 3, 1", "GRU, 16, 5, 3, 1", "GRU, 128, 5, 3, 1"})
  void aCharacterThatIsSampled(String cell, int units, long kernels, long products, long moves) {
    try (Device device = Devices.opened();
        Tape tape = Tape.inference(device)) {
      Chain model = chain(layer(cell, units), dense(units, CLASSES)).on(device, 1);
      float[] x = new float[CLASSES];
      float[] y = new float[CLASSES];
      assertEquals(
          new Calls(kernels, products, moves, LINE, Float.BYTES * CLASSES),
          of(
              () -> {
                model.apply(tape.input(x)).value().read(y);
                tape.clear();
              }));
    }
  }
}
