package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Concat;
import io.recur.grad.DropConnect;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.cells.IndRNNCell;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.RecurrentDropout;
import io.recur.nn.cells.WeightDrop;
import io.recur.nn.cells.Zoneout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weight drop around any cell, compiled and step by step. */
class WeightDropTest {
  private static final int IN = 3;
  private static final int OUT = 5;
  private static final int UNITS = 1000;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private record Made(String name, Supplier<Cell> cell) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Made> cells() {
    return Stream.of(
        new Made("LSTM", () -> drop(Cells.LSTM, "Wh")),
        new Made("GRU, both matrices", () -> drop(Cells.GRU, "Wh", "Wi")),
        new Made("MGU", () -> drop(Cells.MGU, "Wh", "Whc")),
        new Made("function", () -> drop(Cells.FUNCTION, "Whh")),
        new Made("sLSTM", () -> drop(Cells.SLSTM, "Wh1")),
        new Made("diagonal", () -> WeightDrop.of(banded(Matrix.diagonal(OUT, OUT)), 0.4f, "Wh")),
        new Made(
            "tridiagonal", () -> WeightDrop.of(banded(Matrix.tridiagonal(OUT, OUT)), 0.4f, "Wh")),
        new Made("with zoneout", () -> Zoneout.of(drop(Cells.GRU, "Wh"), 0.3f)),
        new Made(
            "around zoneout",
            () -> WeightDrop.of(Zoneout.of(Cells.LSTM.make(IN, OUT).cell(), 0.3f), 0.4f, "Wh")),
        new Made("twice", () -> WeightDrop.of(drop(Cells.LSTM, "Wh"), 0.3f, "Wi")));
  }

  private static WeightDrop drop(Cells cells, String... matrices) {
    return WeightDrop.of(cells.make(IN, OUT).cell(), 0.4f, matrices);
  }

  private static Cell banded(Matrix wh) {
    return new RNNCell(
        Elementwise.TANH, Matrix.dense(OUT, IN), wh, Cells.random(OUT), Cells.random(OUT, 1));
  }

  /** {@code y = W·x} with a W of ones, so that y shows what was dropped. */
  private Recur ones(float rate) {
    float[] values = new float[UNITS];
    Arrays.fill(values, 1);
    Parameter w = Parameter.of(Shape.of(UNITS, 1), values).named("W");
    Parameter h0 = Parameter.fixed(Shape.of(1, 1), 0);
    Recur plain = new Recur((h, x) -> Step.step(h.scale(1), w.matmul(x)), h0, w);
    return new Recur(WeightDrop.of(plain.cell(), rate, "W")).on(device, 1);
  }

  private static double share(float[] values, float value) {
    int count = 0;
    for (float each : values) {
      count += each == value ? 1 : 0;
    }
    return (double) count / values.length;
  }

  private void allStepsDropTheSameWeights(Recur recur) {
    Tensor x = tape.input(Shape.of(1, 2, 3), 1, 1, 1, 1, 1, 1);
    Tensor y = recur.apply(x);
    float[] first = y.time(0).columns(0, 1).toArray();
    assertEquals(0.25, share(first, 0), 0.06); // four standard deviations
    assertEquals(1, share(first, 0) + share(first, 1 / 0.75f), 1e-9);
    assertArrayEquals(first, y.time(0).columns(1, 2).toArray(), "another column");
    assertArrayEquals(first, y.time(2).columns(1, 2).toArray(), "another step");
    assertFalse(Arrays.equals(first, recur.apply(x).time(0).columns(0, 1).toArray()));
  }

  @Test
  void allStepsOfASequenceDropTheSameWeights() {
    Recur recur = ones(0.25f);
    allStepsDropTheSameWeights(recur.fork().stepwise());
    allStepsDropTheSameWeights(recur.fork().requireCompiled());
  }

  @Test
  void theGradientPassesWhereTheWeightDid() {
    for (Recur recur : List.of(ones(0.25f).stepwise(), ones(0.25f).requireCompiled())) {
      Tensor y = recur.apply(tape.input(Shape.of(1, 1, 2), 1, 1));
      tape.backward(y.sum());
      Parameter w = recur.cell().parameters().getFirst();
      float[] twice = w.gradientArray();
      float[] mask = y.time(0).toArray();
      for (int i = 0; i < UNITS; i++) {
        assertEquals(2 * mask[i], twice[i], 1e-6f);
      }
    }
  }

  @Test
  void nothingIsDroppedWhereNothingIsRecorded() {
    WeightDrop cell = drop(Cells.LSTM, "Wh");
    Recur dropped = new Recur(cell).on(device, 1);
    Recur plain = new Recur(Zoneout.of(cell, 0)); // another wrapper, with the same weights
    try (Tape inference = Tape.inference(device)) {
      Tensor x = Cells.input(inference, 1, IN, 2, 4);
      float[] expected = plain.apply(x).toArray();
      near("inference", expected, dropped.apply(x).toArray(), FLOAT);
      dropped.reset();
      near("its steps", expected, steps(dropped, inference), FLOAT);
      dropped.reset();
      float[] recorded = dropped.apply(Cells.input(tape, 1, IN, 2, 4)).toArray();
      assertFalse(Arrays.equals(expected, recorded));
    }
  }

  /** The outputs of one call per step. */
  private static float[] steps(Recur recur, Tape tape) {
    Tensor x = Cells.input(tape, 1, IN, 2, 4);
    float[] all = new float[OUT * 2 * 4];
    for (int t = 0; t < 4; t++) {
      float[] y = recur.apply(x.time(t)).toArray();
      System.arraycopy(y, 0, all, t * y.length, y.length);
    }
    return all;
  }

  /** Outputs, states and gradients of two sequences, the second from the state of the first. */
  private List<float[]> run(Recur recur, int batch) {
    List<float[]> found = new ArrayList<>();
    recur.parameters().zeroGradients();
    recur.reset();
    tape.clear();
    tape.seed(7);
    Tensor x = Cells.input(tape, 1, IN, batch, 6);
    Tensor y = recur.apply(x);
    Tensor z = recur.apply(Cells.input(tape, 2, IN, batch, 2));
    found.add(y.toArray());
    found.add(z.toArray());
    found.addAll(Cells.values(recur.state()));
    tape.backward(Cells.weighed(tape, y, 3).add(Cells.weighed(tape, z, 4)));
    found.addAll(Cells.gradients(recur).values());
    found.add(x.gradientArray());
    recur.reset();
    return found;
  }

  private static void same(String what, List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      near(what + " " + i, expected.get(i), actual.get(i), FLOAT);
    }
  }

  @ParameterizedTest
  @MethodSource("cells")
  void aCompiledSequenceIsThatOfTheSteps(Made made) {
    Recur recur = new Recur(made.cell().get()).on(device, 1).requireCompiled();
    Recur steps = recur.fork().stepwise();
    for (int batch : new int[] {1, 2, 7}) {
      same(made + " B" + batch, run(steps, batch), run(recur, batch));
    }
    assertTrue(recur.explain().contains("recording: compiled"), recur.explain());
  }

  /** More sequences than a program keeps packed copies, and memory that moves as the tape grows. */
  @Test
  void eachOfManySequencesReadsItsOwnWeights() {
    Recur recur = new Recur(drop(Cells.LSTM, "Wh")).on(device, 1).requireCompiled();
    Recur steps = recur.fork().stepwise();
    for (int count : new int[] {1, 20, 3, 60, 1}) {
      same(count + " sequences", many(steps, count), many(recur, count));
    }
  }

  private List<float[]> many(Recur recur, int count) {
    List<float[]> found = new ArrayList<>();
    recur.parameters().zeroGradients();
    try (Tape its = Tape.on(device)) {
      for (int round = 0; round < 2; round++) {
        its.seed(round);
        Tensor loss = null;
        for (int i = 0; i < count; i++) {
          Tensor y = recur.apply(Cells.input(its, i, IN, 2, 2));
          found.add(y.toArray());
          Tensor part = Cells.weighed(its, y, i);
          loss = loss == null ? part : loss.add(part);
        }
        its.backward(loss);
        recur.reset();
        its.clear();
      }
    }
    found.addAll(Cells.gradients(recur).values());
    return found;
  }

  @Test
  void truncateKeepsTheValueAndCutsTheGradient() {
    Recur recur = new Recur(drop(Cells.LSTM, "Wh")).on(device, 1).requireCompiled();
    recur.apply(Cells.input(tape, 1, IN, 2, 3));
    List<float[]> before = Cells.values(recur.state());
    recur.truncate();
    assertArrayEquals(before.getFirst(), recur.state().h().toArray());
    tape.backward(recur.apply(Cells.input(tape, 2, IN, 2, 3)).sum());
    for (float[] gradient : Cells.state0Gradients(recur)) {
      assertArrayEquals(new float[OUT], gradient);
    }
    recur.reset();
    tape.backward(recur.apply(Cells.input(tape, 2, IN, 2, 3)).sum());
    assertFalse(Arrays.equals(new float[OUT], Cells.state0Gradients(recur).getFirst()));
  }

  @Test
  void resetGivesBackTheFirstSequence() {
    Recur recur = new Recur(drop(Cells.GRU, "Wh")).on(device, 1).requireCompiled();
    same("after a reset", run(recur, 2), run(recur, 2));
  }

  @Test
  void aForkHasMasksOfItsOwnTape() {
    Recur recur = new Recur(drop(Cells.GRU, "Wh")).on(device, 1);
    Recur fork = recur.fork();
    try (Tape other = Tape.on(device)) {
      tape.seed(1);
      other.seed(1);
      float[] y = recur.apply(Cells.input(tape, 1, IN, 2, 3)).toArray();
      assertArrayEquals(y, fork.apply(Cells.input(other, 1, IN, 2, 3)).toArray());
      other.seed(2);
      fork.reset();
      assertFalse(Arrays.equals(y, fork.apply(Cells.input(other, 1, IN, 2, 3)).toArray()));
    }
  }

  @Test
  void recurrentDropoutAroundItKeepsOneMask() {
    Recur inner = ones(0.25f);
    Recur recur = new Recur(RecurrentDropout.of(inner.cell(), 0.5f)).on(device, 1);
    allStepsDropTheSameWeights(recur);
  }

  /** A user's cell that calls the step of another one in a loop of its own. */
  private record Looping(Cell cell, boolean holds) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return cell.step(state, x);
    }

    @Override
    public Step run(State state, Tensor x) {
      try (var _ = holds ? DropConnect.on(x.tape(), Map.of()) : null) {
        Tensor first = step(state, x.time(0)).y();
        return new Step(state, Concat.time(List.of(first, step(state, x.time(1)).y())));
      }
    }

    @Override
    public List<Parameter> state0() {
      return cell.state0();
    }

    @Override
    public List<Parameter> parameters() {
      return cell.parameters();
    }
  }

  @Test
  void aLoopOfOnesOwnHoldsTheMasks() {
    Tensor x = tape.input(Shape.of(1, 1, 2), 1, 1);
    Cell cell = ones(0.25f).cell();
    Tensor y = new Recur(new Looping(cell, true)).apply(x);
    assertArrayEquals(y.time(0).toArray(), y.time(1).toArray());
    Tensor z = new Recur(new Looping(cell, false)).apply(x);
    assertFalse(Arrays.equals(z.time(0).toArray(), z.time(1).toArray()));
  }

  @Test
  void aWeightThatIsNoMatrixOfProductsIsRefused() {
    Cell cell = new IndRNNCell(IN, OUT);
    Recur recur = new Recur(WeightDrop.of(cell, 0.5f, cell.parameters().get(1).name()));
    recur.on(device, 1);
    Thrown.says(
        IllegalStateException.class,
        () -> recur.apply(Cells.input(tape, 1, IN, 2, 3)),
        "whose values are dropped",
        "matmul");
  }

  @Test
  void itPrintsItsCellAndHasItsParameters() {
    Recur recur = new Recur(WeightDrop.of(new LSTMCell(3, 5), 0.5f, "Wh"));
    assertTrue(
        recur
            .toString()
            .startsWith("Recur(WeightDrop(LSTMCell(3 => 5), 0.5, Wh))  # 190 parameters, state 10"),
        recur.toString());
  }

  @Test
  void badArgumentsAreRefused() {
    Cell cell = new MGUCell(3, 5);
    for (float rate : new float[] {-0.1f, 1, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> WeightDrop.of(cell, rate, "Wh"),
          "WeightDrop: rate=" + rate,
          "0 ≤ rate < 1");
    }
    for (String name : new String[] {"W", "h0"}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> WeightDrop.of(cell, 0.5f, name),
          "0 weights of MGUCell(3 => 5) are named " + name,
          "Wi, Wh, Whc, b");
    }
    Thrown.says(
        IllegalArgumentException.class, () -> WeightDrop.of(cell, 0.5f), "no matrix", "Wi, Wh");
    Cell unnamed =
        new Recur(
                (h, x) -> Step.step(h, x),
                Parameter.fixed(Shape.of(1, 1), 0).named("h0"),
                Parameter.glorot(2, 2),
                Parameter.glorot(2, 2))
            .cell();
    Thrown.says(
        IllegalArgumentException.class,
        () -> WeightDrop.of(unnamed, 0.5f, "parameter"),
        "2 weights");
  }
}
