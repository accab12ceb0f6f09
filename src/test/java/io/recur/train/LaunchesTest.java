package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.cuda.CpuDouble;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
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
  private static final int UNITS = 16;

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

  private static Recur cell(String name, String kind) {
    Parameter h0 = state0();
    return switch (name) {
      case "RNN" ->
          new Recur(
              new RNNCell(Elementwise.TANH, matrix(kind, 1), matrix("dense", 1), bias(1), h0));
      case "LSTM" ->
          new Recur(new LSTMCell(matrix(kind, 4), matrix("dense", 4), bias(4), h0, state0()));
      case "GRU" ->
          new Recur(new GRUCell(matrix(kind, 3), matrix("dense", 3), bias(3), bias(1), h0));
      default ->
          new Recur(
              new GRUv3Cell(matrix(kind, 3), matrix("dense", 2), matrix("dense", 1), bias(3), h0));
    };
  }

  private static Matrix matrix(String kind, int gates) {
    return switch (kind) {
      case "dense" -> Matrix.dense(gates * UNITS, UNITS);
      case "diagonal" -> Matrix.diagonal(gates * UNITS, UNITS);
      default -> Matrix.tridiagonal(gates * UNITS, UNITS);
    };
  }

  private static Parameter bias(int gates) {
    return Parameter.zeros(Shape.of(gates * UNITS));
  }

  private static Parameter state0() {
    return Parameter.zeros(Shape.of(UNITS, 1));
  }

  /** One product with the input and no pass for the bias, then the steps. */
  @ParameterizedTest
  @CsvSource({
    "RNN, dense, 18, 17, 1",
    "RNN, diagonal, 19, 16, 1",
    "LSTM, dense, 20, 17, 1",
    "LSTM, tridiagonal, 21, 16, 1",
    "GRU, dense, 18, 17, 1",
    "GRU, diagonal, 19, 16, 1",
    "GRUv3, dense, 34, 33, 1",
    "GRUv3, tridiagonal, 35, 32, 1"
  })
  void aSequenceOfVectors(String name, String wi, long kernels, long products, long moves) {
    try (Device device = Devices.opened();
        Tape tape = Tape.inference(device)) {
      Recur recur = cell(name, wi).on(device, 1);
      Shape shape = Shape.of(UNITS, BATCH, TIME);
      float[] x = new float[shape.count()];
      float[] y = new float[shape.count()];
      assertEquals(
          new Calls(kernels, products, moves, Float.BYTES * x.length, Float.BYTES * y.length),
          of(
              () -> {
                recur.apply(tape.input(shape, x)).value().read(y);
                tape.clear();
              }));
    }
  }

  @ParameterizedTest
  @CsvSource({"LSTM, 16, 6, 3, 1", "LSTM, 128, 6, 3, 1", "GRU, 16, 4, 3, 1", "GRU, 128, 4, 3, 1"})
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
