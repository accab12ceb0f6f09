package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Repeat;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every refusal names the numbers and the rule or the remedy. */
class BadInputTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static void refused(
      Class<? extends RuntimeException> kind, Executable use, String... facts) {
    String message = assertThrows(kind, use).getMessage();
    for (String fact : facts) {
      assertTrue(message.contains(fact), () -> "'" + fact + "' is missing in: " + message);
    }
  }

  private static void badShape(Executable use, String... facts) {
    refused(ShapeException.class, use, facts);
  }

  private static void badLife(Executable use, String... facts) {
    refused(IllegalStateException.class, use, facts);
  }

  // Inputs.

  @ParameterizedTest
  @EnumSource
  void anInputOfTheWrongSizeIsRefusedAndChangesNothing(Cells cells) {
    Recur recur = cells.make(3, 5).on(device, 1);
    recur.apply(Cells.input(tape, 1, 3, 2));
    byte[] before = recur.save().toBytes();
    for (int[] shape : new int[][] {{4, 2}, {2, 2}, {4, 2, 3}}) {
      Tensor x = Cells.input(tape, 1, shape);
      badShape(() -> recur.apply(x), "3", "x=" + shape[0] + "×2");
    }
    assertArrayEquals(before, recur.save().toBytes());
  }

  @Test
  void aBuiltInCellNamesItself() {
    Recur recur = lstm(3, 5).on(device, 1);
    badShape(
        () -> recur.apply(Cells.input(tape, 1, 4, 2)), "LSTMCell(3 => 5)", "x=4×2", "need 3 rows");
  }

  @Test
  void aDenseInsideAChainNamesBothSizes() {
    Chain model = chain(dense(3, 5), dense(4, 2)).on(device, 1);
    badShape(() -> model.apply(Cells.input(tape, 1, 3, 7)), "W=2×4", "x=5×7", "4 != 5");
  }

  @Test
  void aStateOfTheWrongSizeIsRefused() {
    LSTMCell cell = new LSTMCell(3, 5);
    new Recur(cell).on(device, 1);
    Tensor x = Cells.input(tape, 1, 3, 2);
    Tensor five = Cells.input(tape, 2, 5, 2);
    Tensor four = Cells.input(tape, 2, 4, 2);
    Tensor wide = Cells.input(tape, 2, 5, 3);
    badShape(() -> cell.step(State.of(five, four), x), "state=4×2", "x=3×2", "5×2");
    badShape(() -> cell.run(State.of(five, wide), x), "state=5×3", "x=3×2", "5×2");
    badShape(() -> cell.step(State.of(five), x), "a state of 1 tensors; need 2");
    badShape(() -> cell.run(State.of(five, five, five), x), "a state of 3 tensors; need 2");
  }

  // Parts.

  private static Parameter vector(int length) {
    return Parameter.zeros(Shape.of(length));
  }

  private static Parameter state(int rows) {
    return Parameter.zeros(Shape.of(rows, 1));
  }

  @Test
  void partsThatDoNotFitAreRefused() {
    Matrix square = Matrix.dense(5, 5);
    Elementwise tanh = Elementwise.TANH;
    badShape(
        () -> new RNNCell(tanh, Matrix.dense(4, 3), square, vector(5), state(5)),
        "RNNCell",
        "Wi=4×3",
        "Wh=5×5",
        "d=5");
    badShape(
        () -> new RNNCell(tanh, Matrix.dense(5, 3), Matrix.dense(5, 4), vector(5), state(5)),
        "Wh=5×4");
    badShape(
        () -> new RNNCell(tanh, Matrix.dense(5, 3), square, vector(6), state(5)), "b=6", "d=5");
    badShape(
        () -> new RNNCell(tanh, Matrix.dense(5, 3), square, vector(5), state(4)),
        "state0=4×1",
        "need state0 5×1");
    badShape(
        () ->
            new RNNCell(
                tanh, Matrix.dense(5, 3), square, vector(5), Parameter.zeros(Shape.of(5, 2))),
        "state0=5×2",
        "need state0 5×1");
    badShape(
        () ->
            new LSTMCell(Matrix.dense(15, 3), Matrix.dense(20, 5), vector(20), state(5), state(5)),
        "LSTMCell",
        "Wi=15×3",
        "Wh=20×5",
        "b=20",
        "need Wh 4·d × d");
    badShape(
        () ->
            new LSTMCell(Matrix.dense(20, 3), Matrix.dense(20, 5), vector(20), state(5), state(6)),
        "state0=6×1");
    badShape(
        () ->
            new GRUCell(Matrix.dense(15, 3), Matrix.dense(15, 5), vector(15), vector(14), state(5)),
        "GRUCell",
        "bh=14",
        "need bh 5 or 15");
    badShape(
        () ->
            new LSTMCell(
                Matrix.dense(20, 3),
                Matrix.dense(20, 5),
                vector(20),
                vector(5),
                state(5),
                state(5)),
        "LSTMCell",
        "bh=5",
        "need bh 20");
    badShape(
        () ->
            new GRUv3Cell(
                Matrix.dense(15, 3), Matrix.dense(10, 5), Matrix.dense(5, 4), vector(15), state(5)),
        "GRUv3Cell",
        "(5×4)",
        "5×5");
    badShape(() -> new Dense(tanh, Matrix.dense(5, 3), vector(4)), "Dense", "W=dense(5×3)", "b=4");
  }

  @Test
  void aBandThatIsNotMadeOfSquareBlocksIsRefused() {
    badShape(() -> Matrix.diagonal(5, 3), "rows=5", "columns=3", "square blocks");
    badShape(
        () -> Matrix.diagonal(Parameter.zeros(Shape.of(3, 2))), "diagonal", "3×2", "one column");
    badShape(() -> Matrix.tridiagonal(4, 1), "rows=4", "columns=1");
    badShape(() -> Matrix.tridiagonal(3, 3, 1, 2, 3), "rows=3", "columns=3", "3 values; need 9");
  }

  @Test
  void aCellThatIsTooLargeIsRefusedWithItsSizes() {
    String[] facts = {"in=1", "out=600000000", "at most 2147483647"};
    badShape(() -> Layers.rnn(1, 600_000_000), facts);
    badShape(() -> Layers.lstm(1, 600_000_000), facts);
    badShape(() -> Layers.gru(1, 600_000_000), facts);
    badShape(() -> Layers.gruV3(1, 600_000_000), facts);
  }

  // Memory.

  @Test
  void aModelWithoutMemorySaysHowToGiveItSome() {
    Tensor x = Cells.input(tape, 1, 3, 2);
    badLife(() -> rnn(3, 5).apply(x), "h0 5×1", "on(device, seed)");
    badLife(() -> dense(3, 5).apply(x), "W 5×3", "on(device, seed)");
    badLife(() -> rnn(3, 5).parameters().zeroGradients(), "Wi 5×3", "on(device, seed)");
  }

  @Test
  void aWeightThatAFunctionDidNotListSaysSo() {
    Parameter w = Parameter.glorot(5, 3).named("W");
    Recur recur = new Recur((h, x) -> Step.step(h.add(w.matmul(x)), h), state(5)).on(device, 1);
    badLife(
        () -> recur.apply(Cells.input(tape, 1, 3, 2)), "W 5×3", "list the parameters of a cell");
  }

  @Test
  void aSecondOnTheSameDeviceKeepsTheWeights() {
    Recur recur = rnn(3, 5).on(device, 1);
    float[] before = recur.parameters().named().get("Wi").toArray();
    recur.on(device, 1);
    chain(recur, dense(5, 2)).on(device, 3);
    assertArrayEquals(before, recur.parameters().named().get("Wi").toArray());
  }

  @Test
  void aModelStaysOnItsDevice() {
    Recur recur = rnn(3, 5).on(device, 1);
    try (Device other = Devices.opened()) {
      badLife(() -> recur.on(other, 1), "Wi 5×3", "stays where it is");
      badLife(() -> chain(dense(3, 3), recur).on(other, 1), "Wi 5×3", "stays where it is");
    }
  }

  @ParameterizedTest
  @EnumSource(to = "MGU") // opens devices; what holds for one of the catalogue holds for all
  void aTapeOfAnotherDeviceIsRefused(Cells cells) {
    Recur recur = cells.make(3, 5).on(device, 1);
    try (Device other = Devices.opened();
        Tape its = Tape.on(other)) {
      badLife(
          () -> recur.apply(Cells.input(its, 1, 3, 2)),
          "is on " + device,
          "and the tape on " + other);
      recur.apply(Cells.input(tape, 1, 3, 2));
      recur.truncate();
      badLife(
          () -> recur.apply(Cells.input(its, 1, 3, 2)),
          "is on " + device,
          "and the tape on " + other);
    }
  }

  /** A cell that is run by hand has no Recur to look first. */
  @ParameterizedTest
  @EnumSource(to = "MGU") // opens devices; what holds for one of the catalogue holds for all
  void aCellWhoseWeightsAreOnAnotherDeviceIsRefused(Cells cells) {
    Cell cell = cells.make(3, 5).on(device, 1).cell();
    try (Device other = Devices.opened();
        Tape its = Tape.on(other)) {
      Tensor x = Cells.input(its, 1, 3, 2);
      State state =
          new State(cell.state0().stream().map(part -> Cells.input(its, 2, 5, 2)).toList());
      badLife(() -> cell.step(state, x), "is on " + device, "and the tape on " + other);
      badLife(() -> cell.run(state, x), "is on " + device, "and the tape on " + other);
    }
  }

  @Test
  void aParameterOfAnotherDeviceIsNotLifted() {
    Parameter p = vector(5).named("b").on(device);
    try (Device other = Devices.opened();
        Tape its = Tape.on(other)) {
      badLife(() -> its.use(p), "tensor 5 is on " + device, "and the tape on " + other);
      badLife(() -> Repeat.repeat(its, p, Shape.of(5, 2)), "tensor 5 is on " + device);
    }
  }

  @Test
  void fixedParametersTakeNoGradient() {
    Parameter fixed = Parameter.fixed(Shape.of(1, 1), 1).named("h0").on(device);
    badLife(fixed::gradientArray, "h0 1×1", "fixed");
  }

  // Lives.

  @ParameterizedTest
  @EnumSource
  void aClosedTapeIsRefused(Cells cells) {
    Recur recur = cells.make(3, 5).on(device, 1);
    Tape closed = Tape.on(device);
    Tensor x = Cells.input(closed, 1, 3, 2);
    Tensor y = recur.apply(x);
    closed.close();
    badLife(() -> recur.apply(x), "closed");
    recur.reset();
    badLife(() -> recur.apply(x), "closed", "Tape.on(device)");
    badLife(y::toArray, "closed");
    badLife(() -> closed.backward(y, new float[10]), "closed");
    badLife(closed::clear, "closed");
    closed.close();
  }

  @ParameterizedTest
  @EnumSource
  void aClearedTensorIsRefused(Cells cells) {
    Recur recur = cells.make(3, 5).on(device, 1);
    Tensor x = Cells.input(tape, 1, 3, 2);
    Tensor y = recur.apply(x);
    State state = recur.state();
    recur.truncate();
    tape.clear();
    badLife(() -> recur.apply(x), "3×2", "before the tape was cleared");
    badLife(y::toArray, "5×2", "before the tape was cleared");
    badLife(state.h()::toArray, "5×2", "before the tape was cleared");
    badLife(() -> tape.backward(y, new float[10]), "before the tape was cleared");
    recur.apply(Cells.input(tape, 1, 3, 2));
  }

  @ParameterizedTest
  @EnumSource(to = "MGU") // opens devices; what holds for one of the catalogue holds for all
  void aClosedDeviceIsRefused(Cells cells) {
    Device brief = Devices.opened();
    Recur recur = cells.make(3, 5).on(brief, 1);
    Tape its = Tape.on(brief);
    Tensor x = Cells.input(its, 1, 3, 2);
    Tensor y = recur.apply(x);
    brief.close();
    badLife(() -> recur.apply(x), "is closed");
    badLife(y::toArray, "is closed");
    badLife(recur::truncate, "is closed");
    badLife(() -> its.backward(y, new float[10]), "is closed");
    badLife(() -> rnn(3, 5).on(brief, 1), "is closed");
    badLife(() -> Tape.on(brief), "is closed");
    its.close();
    brief.close();
    recur.reset();
  }

  @Test
  void aTensorWithoutATapeIsRefused() {
    Recur recur = rnn(3, 5).on(device, 1);
    Parameter x = Parameter.of(Shape.of(3), 1, 2, 3).on(device);
    badLife(() -> recur.apply(x), "Recur(RNNCell(3 => 5, tanh))", "on a tape", "tape.use");
  }
}
