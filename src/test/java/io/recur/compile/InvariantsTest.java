package io.recur.compile;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.sigmoid;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.grad.Graph;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import io.recur.nn.Cells;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import io.recur.train.Adam;
import io.recur.train.Optimiser;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a step computes from parameters alone is computed once per run, and follows these. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class InvariantsTest {
  private static final int UNITS = 5;

  private final Device device;
  @AutoClose private final Tape tape;
  @AutoClose private final Tape inference;

  private final Parameter a = parameter(1, UNITS).named("a");
  private final Parameter b = parameter(2, UNITS).named("b");
  private final Parameter c = parameter(3, 1).named("c");
  private final Parameter w = Parameter.glorot(UNITS, UNITS).named("W");

  InvariantsTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
    this.inference = Tape.inference(device);
  }

  private static Parameter parameter(long seed, int rows) {
    return Parameter.of(Shape.of(rows), Cells.values(new Random(seed), rows));
  }

  /** h' = σ(a)·e^b∘h + (1 − c)·W·x. */
  private Recur recur() {
    return new Recur(
            (h, x) -> {
              Tensor decay = sigmoid(h.tape().use(a)).mul(exp(h.tape().use(b)));
              Tensor share = h.tape().use(c).scale(-1).add(1);
              Tensor y = decay.mul(h).add(share.mul(w.matmul(x)));
              return Step.step(y, y);
            },
            Parameter.zeros(Shape.of(UNITS, 1)).named("h0"),
            a,
            b,
            c,
            w)
        .on(device, 1)
        .requireCompiled();
  }

  private Graph graph() {
    recur(); // gives the parameters memory
    Trace.Result result =
        Trace.of(
            device,
            true,
            Shape.of(UNITS, 2),
            false,
            List.of(Shape.of(UNITS, 2)),
            (state, x) -> {
              Tensor decay = sigmoid(x.tape().use(a)).mul(exp(x.tape().use(b)));
              Tensor share = x.tape().use(c).scale(-1).add(1);
              Tensor y = decay.mul(state.getFirst()).add(share.mul(w.matmul(x)));
              return List.of(y, y);
            });
    assertNotNull(result.graph(), result.reason());
    return result.graph();
  }

  @Test
  void theProgramReadsTheResultsAsVectors() {
    Graph graph = graph();
    Invariants invariants = new Invariants(graph, device);
    assertFalse(invariants.isEmpty());
    var program = Compiler.compile(invariants.graph, UNITS, true);
    assertEquals(List.of(UNITS, 1), program.program().vectors());
    assertTrue(
        program.program().forward().instructions().size()
            < Compiler.compile(graph, UNITS, true).program().forward().instructions().size());
  }

  @Test
  void aStepWithoutAnyStaysAsItIs() {
    Invariants once = new Invariants(graph(), device);
    Invariants twice = new Invariants(once.graph, device);
    assertTrue(twice.isEmpty());
    assertSame(once.graph, twice.graph);
  }

  @Test
  void gradientsReachTheParameters() {
    Recur recur = recur();
    float[][] expected = gradients(recur.fork().stepwise());
    float[][] found = gradients(recur);
    for (int i = 0; i < expected.length; i++) {
      near("parameter " + i, expected[i], found[i], FLOAT);
    }
  }

  @Test
  void aFrozenParameterTakesNone() {
    Recur recur = recur();
    b.freeze();
    float[][] found = gradients(recur);
    b.unfreeze();
    assertArrayEquals(new float[UNITS], found[1]);
    near("a", gradients(recur)[0], found[0], FLOAT);
  }

  /** Computing them is an operation of its own: the run still notes what it reads itself. */
  @Test
  void aMatrixThatIsWrittenBeforeTheBackwardPassIsRefused() {
    w.on(device); // in memory of its own, whose writes are counted apart
    Recur recur = recur();
    Tensor loss = recur.apply(Cells.input(tape, 4, UNITS, 2, 7)).sum();
    w.value().write(w.toArray());
    assertThrows(IllegalStateException.class, () -> tape.backward(loss));
  }

  private float[][] gradients(Recur recur) {
    recur.parameters().zeroGradients();
    recur.reset();
    Tensor x = Cells.input(tape, 4, UNITS, 2, 7);
    tape.backward(Cells.weighed(tape, recur.apply(x), 5));
    recur.reset();
    tape.clear();
    return new float[][] {a.gradientArray(), b.gradientArray(), c.gradientArray()};
  }

  @Test
  void tapesThatDoNotRecordFollowWhatIsWritten() {
    Recur recur = recur();
    for (int round = 0; round < 3; round++) {
      float[] expected = outputs(recur.fork().stepwise());
      assertArrayEquals(expected, outputs(recur), 1e-6f, "round " + round);
      a.value().write(Cells.values(new Random(round + 20), UNITS));
      assertFalse(Arrays.equals(expected, outputs(recur)));
    }
  }

  @Test
  void tapesThatDoNotRecordFollowTheOptimiser() {
    Recur recur = recur();
    Optimiser optimiser = new Adam(0.1f);
    for (int round = 0; round < 3; round++) {
      float[] before = outputs(recur);
      gradients(recur);
      optimiser.step(recur.parameters());
      float[] now = outputs(recur);
      assertFalse(Arrays.equals(before, now));
      assertArrayEquals(outputs(recur.fork().stepwise()), now, 1e-6f, "round " + round);
    }
  }

  private float[] outputs(Layer layer) {
    layer.reset();
    float[] y = layer.apply(Cells.input(inference, 4, UNITS, 2, 7)).toArray();
    layer.reset();
    inference.clear();
    return y;
  }
}
