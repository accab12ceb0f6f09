package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.log;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Drop;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.cells.IndRNNCell;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.MinGRUCell;
import io.recur.nn.cells.PeepholeLSTMCell;
import io.recur.nn.cells.UGRNNCell;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A compiled cell does what its step does. */
class CompilationTest {
  private static final int IN = 3;
  private static final int OUT = 5;

  @AutoClose private final Device device = Devices.here();

  /** Makes a cell with random parameters. */
  private record Made(String name, Supplier<Recur> recur) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Made> cells() {
    return Stream.of(
        new Made("function", () -> Cells.FUNCTION.make(IN, OUT)),
        new Made("class", () -> Cells.CLASS.make(IN, OUT)),
        new Made("accumulator", CompilationTest::accumulator),
        new Made("MGU", () -> new Recur(new MGUCell(IN, OUT))),
        new Made("UGRNN", () -> new Recur(new UGRNNCell(IN, OUT))),
        new Made("IndRNN", () -> new Recur(new IndRNNCell(IN, OUT))),
        new Made("minGRU", () -> new Recur(new MinGRUCell(IN, OUT))),
        new Made("peephole LSTM", () -> new Recur(new PeepholeLSTMCell(IN, OUT))),
        new Made("diagonal", () -> banded(Matrix.diagonal(OUT, OUT))),
        new Made("tridiagonal", () -> banded(Matrix.tridiagonal(OUT, OUT))),
        new Made("composed of a GRU", () -> new Recur(new Stepped(new GRUCell(IN, OUT)))));
  }

  /** A user's cell that calls the step of another one. */
  record Stepped(Cell inner) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return inner.step(state, x);
    }

    @Override
    public List<Parameter> state0() {
      return inner.state0();
    }

    @Override
    public List<Parameter> parameters() {
      return inner.parameters();
    }
  }

  private static Recur banded(Matrix wh) {
    Cell cell =
        new RNNCell(
            Elementwise.TANH, Matrix.dense(OUT, IN), wh, Cells.random(OUT), Cells.random(OUT, 1));
    return new Recur(new Stepped(cell));
  }

  private static Recur accumulator() {
    return new Recur((h, x) -> Step.step(h.add(x), x), Parameter.fixed(Shape.of(IN, 1), 0, 1, 2));
  }

  /** Outputs, states and gradients of two calls, the second from the state of the first. */
  private List<float[]> run(Recur recur, int batch, int time, boolean isOneHot) {
    List<float[]> found = new ArrayList<>();
    recur.parameters().zeroGradients();
    try (Tape tape = Tape.on(device)) {
      tape.seed(7);
      Tensor first = input(tape, 1, batch, time, isOneHot);
      Tensor second = input(tape, 2, batch, 1, isOneHot);
      Tensor y = recur.apply(first);
      Tensor z = recur.apply(second);
      found.add(y.toArray());
      found.add(z.toArray());
      recur.state().parts().forEach(part -> found.add(part.toArray()));
      Tensor loss = Cells.weighed(tape, y, 3).add(Cells.weighed(tape, z, 4));
      if (loss.isDifferentiable()) {
        tape.backward(loss);
        recur.parameters().named().values().stream()
            .filter(Parameter::isTrainable)
            .forEach(parameter -> found.add(parameter.gradientArray()));
      }
      if (!isOneHot) {
        found.add(first.gradientArray());
      }
      recur.reset();
    }
    return found;
  }

  private static Tensor input(Tape tape, long seed, int batch, int time, boolean isOneHot) {
    if (!isOneHot) {
      return Cells.input(tape, seed, IN, batch, time);
    }
    return tape.oneHot(
        Shape.of(IN, batch, time), new Random(seed).ints((long) batch * time, 0, IN).toArray());
  }

  private static void same(String what, List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      near(what + " " + i, expected.get(i), actual.get(i), FLOAT);
    }
  }

  @ParameterizedTest
  @MethodSource("cells")
  void aCompiledCellDoesWhatItsStepDoes(Made made) {
    Recur recur = made.recur().get().on(device, 1).requireCompiled();
    Recur steps = recur.fork().stepwise();
    for (int batch : new int[] {1, 2, 7}) {
      same(made + " B" + batch, run(steps, batch, 6, false), run(recur, batch, 6, false));
    }
    assertEquals("Recur", recur.describe().substring(0, 5));
    assertTrue(
        recur.explain().contains("batch 7, dense x, recording: compiled: "), recur.explain());
    assertTrue(steps.explain().contains("stepwise() was called"), steps.explain());
  }

  @Test
  void oneHotInputsGatherColumns() {
    Recur recur = Cells.FUNCTION.make(IN, OUT).on(device, 1).requireCompiled();
    same("one-hot", run(recur.fork().stepwise(), 4, 5, true), run(recur, 4, 5, true));
    assertTrue(recur.explain().contains("one-hot x, recording: compiled"), recur.explain());
  }

  @Test
  void aStreamOfSingleStepsIsCompiled() {
    Recur recur = Cells.CLASS.make(IN, OUT).on(device, 1).requireCompiled();
    Recur steps = recur.fork().stepwise();
    try (Tape tape = Tape.inference(device)) {
      for (int t = 0; t < 5; t++) {
        float[] x = Cells.values(new Random(t), IN);
        Tensor y = recur.apply(tape.input(x));
        assertEquals(Shape.of(OUT), y.shape());
        near("y" + t, steps.apply(tape.input(x)).toArray(), y.toArray(), FLOAT);
        tape.clear();
      }
    }
  }

  @Test
  void dropoutDropsTheSameValuesOnATapeThatRecordsAndNoneOnOneThatDoesNot() {
    Parameter w = Cells.random(OUT, IN);
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor y = tanh(w.matmul(x).add(Drop.dropout(h, 0.5f)));
                  return Step.step(y, Drop.dropout(y, 0.3f));
                },
                Cells.random(OUT, 1),
                w)
            .on(device, 1)
            .requireCompiled();
    Recur steps = recur.fork().stepwise();
    same("dropout", run(steps, 4, 6, false), run(recur, 4, 6, false));
    try (Tape tape = Tape.inference(device)) {
      Tensor x = Cells.input(tape, 1, IN, 4, 3);
      near("no dropout", steps.apply(x).toArray(), recur.apply(x).toArray(), FLOAT);
    }
    assertTrue(recur.explain().contains("inference: compiled"), recur.explain());
  }

  @Test
  void aFixedParameterTakesNoGradientAndChangedWeightsAreRead() {
    Parameter w = Cells.random(OUT, IN).named("W");
    Parameter fixed = Parameter.fixed(Shape.of(OUT), 1, 2, 3, 4, 5);
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor y = sigmoid(w.matmul(x).add(h.mul(fixed)));
                  return Step.step(y, y);
                },
                Cells.random(OUT, 1),
                w,
                fixed)
            .on(device, 1)
            .requireCompiled();
    Recur steps = recur.fork().stepwise();
    List<float[]> before = run(recur, 2, 4, false);
    w.value().write(Cells.values(new Random(9), w.shape().count()));
    fixed.value().write(new float[] {5, 4, 3, 2, 1});
    List<float[]> after = run(recur, 2, 4, false);
    same("after", run(steps, 2, 4, false), after);
    assertTrue(Math.abs(before.getFirst()[0] - after.getFirst()[0]) > 1e-3f);
  }

  @Test
  void forksShareTheCompiledCell() {
    int[] calls = {0};
    Recur recur =
        new Recur(
                (h, x) -> {
                  calls[0]++;
                  return Step.step(tanh(h.add(x)), h);
                },
                Parameter.fixed(Shape.of(IN, 1), 0, 0, 0))
            .on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      recur.apply(tape.input(1, 2, 3));
      int first = calls[0]; // two traces and a comparison
      recur.apply(tape.input(1, 2, 3));
      recur.fork().apply(tape.input(1, 2, 3));
      assertEquals(3, first);
      assertEquals(first, calls[0]);
    }
  }

  @Test
  void aCellThatDecidesByABatchIsTracedForEach() {
    Recur recur =
        new Recur(
                (h, x) -> Step.step(h.scale(1f / x.shape().batch()).add(x), h),
                Parameter.fixed(Shape.of(IN, 1), 1, 1, 1))
            .on(device, 1)
            .requireCompiled();
    Recur steps = recur.fork().stepwise();
    for (int batch : new int[] {1, 2, 3, 2, 1}) {
      same("B" + batch, run(steps, batch, 3, false), run(recur, batch, 3, false));
    }
  }

  @Test
  void equalGraphsShareOneCompiledCell() {
    Cell cell = Cells.CLASS.make(IN, OUT).on(device, 1).cell();
    Compilation compilation = new Compilation(cell, "Leaky");
    List<Plan> plans = new ArrayList<>();
    try (Tape tape = Tape.on(device)) {
      for (int batch : new int[] {2, 3}) {
        Tensor x = Cells.input(tape, 1, IN, batch);
        plans.add(compilation.plan(null, tape, cell.state0(), x, batch));
      }
    }
    assertNotSame(plans.get(0), plans.get(1));
    assertSame(plans.get(0).form().compiled(), plans.get(1).form().compiled());
  }

  @Test
  void manyChangesOfShapeKeepFewPlans() {
    Recur recur = Cells.FUNCTION.make(IN, OUT).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      for (int i = 0; i < 1200; i++) {
        recur.reset();
        recur.apply(tape.input(Shape.of(IN, 1 + i % 600), new float[IN * (1 + i % 600)]));
        tape.clear();
      }
    }
    assertEquals(512, recur.explain().lines().count() - 1);
  }

  /** A cell that knows a faster way than its steps. */
  private record OwnRun(Cell its) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return its.step(state, x);
    }

    @Override
    public Step run(State state, Tensor x) {
      return its.run(state, x);
    }

    @Override
    public List<Parameter> state0() {
      return its.state0();
    }

    @Override
    public List<Parameter> parameters() {
      return its.parameters();
    }
  }

  @Test
  void aCellWithItsOwnRunIsNotCompiled() {
    Recur recur = new Recur(new OwnRun(new GRUCell(IN, OUT))).on(device, 1).requireCompiled();
    assertFalse(run(recur, 2, 3, false).isEmpty());
    assertTrue(recur.explain().contains("its own run"), recur.explain());
    assertTrue(Layers.chain(recur, Layers.dense(OUT, 2)).explain().contains("its own run"));
  }

  @Test
  void aPropertyComparesEveryCallAndNamesWhatIsNotANumber() {
    System.setProperty("io.recur.check", "every");
    try {
      Recur recur =
          new Recur(
                  (h, x) -> {
                    Tensor y = log(x.add(h));
                    return Step.step(h, y);
                  },
                  Parameter.fixed(Shape.of(IN, 1), 0, 0, 0))
              .on(device, 1);
      try (Tape tape = Tape.inference(device)) {
        recur.apply(tape.input(1, 2, 3));
        Tensor bad = tape.input(Shape.of(IN, 1, 2), 1, 1, 1, 1, -1, 1);
        Thrown.says(
            IllegalStateException.class, () -> recur.apply(bad), "step 1 is not a number", "f=LOG");
      }
      System.setProperty("io.recur.check", "some");
      Thrown.says(
          IllegalArgumentException.class, CompilationTest::accumulator, "io.recur.check=some");
    } finally {
      System.clearProperty("io.recur.check");
    }
  }
}
