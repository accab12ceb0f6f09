package io.recur.train;

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
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.train.CharacterSteps.Calls;
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
  private static final int CLASSES = 7;
  private static final int BATCH = 3;
  private static final int TIME = 16;
  private static final int UNITS = 16;
  private static final CharacterSteps STEPS = new CharacterSteps(CLASSES, BATCH, TIME);

  /** The bytes sent: characters, targets and the optimiser's numbers, each aligned to a line. */
  private static final long TRAINING_TO = 448;

  /** The bytes fetched per step: the loss and, as a double, the norm. */
  private static final long TRAINING_FROM = 16;

  private static final int LINE = 64;

  @BeforeEach
  void onlyPieceByPiece() {
    CpuDouble.assumeHere();
    System.setProperty(CharacterSteps.GRAPHS, "false");
  }

  @AfterEach
  void withGraphs() {
    System.clearProperty(CharacterSteps.GRAPHS);
  }

  @ParameterizedTest
  @CsvSource({
    "LSTM, 16, 60, 36, 2",
    "LSTM, 128, 60, 36, 2",
    "GRU, 16, 57, 36, 2",
    "GRU, 128, 57, 36, 2"
  })
  void aTrainingStep(String cell, int units, long kernels, long products, long moves) {
    try (Device device = Devices.opened();
        Tape tape = Tape.on(device)) {
      Chain model = STEPS.model(cell, units, device);
      assertEquals(
          new Calls(kernels, products, moves, 0, TRAINING_TO, TRAINING_FROM),
          Calls.of(STEPS.training(model, tape)));
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

  /**
   * One product with the input and no pass for the bias, then the steps. A GRUv3's update gate is
   * computed beside its candidate, so its rows of Wh·h are a product of their own.
   */
  @ParameterizedTest
  @CsvSource({
    "RNN, dense, 18, 17, 1",
    "RNN, diagonal, 18, 16, 1",
    "LSTM, dense, 20, 17, 1",
    "LSTM, tridiagonal, 20, 16, 1",
    "GRU, dense, 18, 17, 1",
    "GRU, diagonal, 18, 16, 1",
    "GRUv3, dense, 34, 49, 1",
    "GRUv3, tridiagonal, 34, 48, 1"
  })
  void aSequenceOfVectors(String name, String wi, long kernels, long products, long moves) {
    try (Device device = Devices.opened();
        Tape tape = Tape.inference(device)) {
      Recur recur = cell(name, wi).on(device, 1);
      Shape shape = Shape.of(UNITS, BATCH, TIME);
      float[] x = new float[shape.count()];
      float[] y = new float[shape.count()];
      assertEquals(
          new Calls(kernels, products, moves, 0, Float.BYTES * x.length, Float.BYTES * y.length),
          Calls.of(
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
      Chain model = STEPS.model(cell, units, device);
      assertEquals(
          new Calls(kernels, products, moves, 0, LINE, Float.BYTES * CLASSES),
          Calls.of(STEPS.sampling(model, tape)));
    }
  }
}
