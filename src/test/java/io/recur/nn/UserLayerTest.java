package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Functions;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a user adds grows in one place: a layer, a container, an operation, a cell. */
class UserLayerTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The example of {@link Layer}. */
  private static final class Residual implements Layer {
    private final Layer inner;

    Residual(Layer inner) {
      this.inner = inner;
    }

    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(x).add(x);
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }

    @Override
    public boolean columnsAreIndependent() {
      return inner.columnsAreIndependent();
    }

    @Override
    public Layer fork(Fork fork) {
      return new Residual(fork.of(inner));
    }
  }

  @Test
  void aContainerOfTheUsersAddsWhatItSays() {
    Recur recur = Cells.GRU.make(3, 3);
    Layer model = new Residual(recur).on(device, 1);
    Tensor x = Cells.input(tape, 1, 3, 2);
    float[] y = model.apply(x).toArray();
    recur.reset();
    near("y", recur.apply(x).add(x).toArray(), y, FLOAT);
    assertEquals(recur.parameters().named(), model.parameters().named());
    assertEquals(List.of(recur), model.recurs());
  }

  /** A container that lists a Recur and does not say how it is forked. */
  private record Forgetful(Layer inner) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(x);
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }
  }

  @Test
  void aContainerThatDoesNotForkItsRecurIsRefusedAFork() {
    Chain model = chain(new Forgetful(Cells.LSTM.make(3, 3)), dense(3, 2)).on(device, 1);
    Thrown.says(
        IllegalStateException.class,
        model::fork,
        "fork: Forgetful holds Recur(LSTMCell(3 => 3))",
        "override it");
    Layer stateless = new Forgetful(dense(3, 3)).on(device, 1);
    assertSame(stateless, stateless.fork());
  }

  @Test
  void aContainerOfTheUsersForksAndKeepsWhatIsShared() {
    Recur shared = Cells.LSTM.make(3, 3);
    Chain model = chain(new Residual(shared), new Residual(chain(shared, dense(3, 3))));
    model.on(device, 1);
    Tensor x = Cells.input(tape, 1, 3, 2);
    model.apply(x);
    Chain fork = model.fork();
    assertEquals(1, fork.recurs().size());
    assertNotSame(shared, fork.recurs().getFirst());
    assertSame(shared.cell(), fork.recurs().getFirst().cell());
    assertArrayEquals(model.apply(x).toArray(), fork.apply(x).toArray());
    List<float[]> after = Cells.values(shared.state());
    fork.apply(x);
    assertArrayEquals(after.getFirst(), shared.state().h().toArray());
  }

  /** Statefulness is found through the user's containers. */
  @Test
  void aContainerOfTheUsersPrintsSavesAndRestores() {
    Layer model = new Residual(new Residual(Cells.RNN.make(3, 3))).on(device, 1);
    Tensor x = Cells.input(tape, 1, 3, 2);
    model.apply(x);
    byte[] session = model.save().toBytes();
    float[] expected = model.apply(x).toArray();
    model.restore(Snapshot.of(session));
    assertArrayEquals(expected, model.apply(x).toArray());
    model.truncate();
    tape.clear();
    String printed = chain(model).toString();
    assertTrue(printed.contains("    Residual("), printed);
    assertTrue(printed.contains("      Recur(RNNCell(3 => 3, tanh))"), printed);
  }

  /** A layer with a parameter: {@code y = s∘x}. */
  private record Gain(Parameter s) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return x.mul(s);
    }

    @Override
    public List<Parameter> own() {
      return List.of(s);
    }
  }

  @Test
  void aLayerOfTheUsersIsPlacedCountedAndTrained() {
    Gain gain = new Gain(Parameter.of(Shape.of(2), 3, 4).named("s"));
    Chain model = chain(dense(2, 2), gain).on(device, 1);
    assertEquals(6 + 2, model.parameters().count());
    assertSame(gain.s(), model.parameters().named().get("1.s"));
    assertEquals(1, model.parameters().spans().size(), "all in one slab");
    Tensor x = tape.input(Shape.of(2, 2), 1, 2, 10, 20);
    Tensor y = gain.apply(x);
    assertArrayEquals(new float[] {3, 8, 30, 80}, y.toArray());
    tape.backward(y.sum());
    assertArrayEquals(new float[] {11, 22}, gain.s().gradientArray());
    assertSame(gain, gain.fork(), "without state it is its own fork");
  }

  /** The example of {@link Op}. */
  private record Twice(Tensor x, Tensor y) implements Op {
    static Tensor twice(Tensor x) {
      try (OpContext context = OpContext.of("twice", x)) {
        Tensor y = context.output(x.shape(), x.isDifferentiable());
        context.device().pointwise().scale(2, x.value(), y.value(), x.shape().count());
        return context.record(new Twice(x, y), y);
      }
    }

    @Override
    public void backward() {
      if (x.isDifferentiable()) {
        x.device().pointwise().addScaled(2, y.gradient(), x.accumulator(), x.shape().count());
      }
    }
  }

  @Test
  void anOperationOfTheUsersHasItsGradient() {
    Tensor x = tape.variable(Shape.of(3), 1, 2, 3);
    Tensor y = Twice.twice(Twice.twice(x).add(x));
    assertArrayEquals(new float[] {6, 12, 18}, y.toArray());
    tape.backward(y, 1, 10, 100);
    assertArrayEquals(new float[] {6, 60, 600}, x.gradientArray());
    int length = tape.length();
    Twice.twice(tape.input(1, 2));
    assertEquals(length, tape.length(), "nothing is recorded for an input");
    tape.withoutGradient(() -> Twice.twice(x));
    assertEquals(length, tape.length(), "nor without gradient");
  }

  /** A cell of the user's around an operation of the user's: {@code h' = tanh(2·(w∘h) + x)}. */
  private record Doubling(Parameter w, Parameter h0) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor h = Functions.tanh(Twice.twice(state.h().mul(w)).add(x));
      return Step.step(h, h);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(w, h0);
    }

    @Override
    public String toString() {
      return "Doubling";
    }
  }

  @Test
  void aCellOfTheUsersHasTheDerivativesOfItsEquation() {
    float[] w = {0.3f, -0.4f};
    float[] h0 = {0.5f, 0.6f};
    float[] x = Cells.values(new Random(1), 2 * 4);
    Doubling cell =
        new Doubling(
            Parameter.of(Shape.of(2), w).named("w"), Parameter.of(Shape.of(2, 1), h0).named("h0"));
    Recur recur = new Recur(cell).on(device, 1);
    Tensor y = recur.apply(tape.input(Shape.of(2, 1, 4), x));
    tape.backward(y.sum());
    double epsilon = 1e-6;
    for (int i = 0; i < 2; i++) {
      double dw = (sum(w[i] + epsilon, h0[i], x, i) - sum(w[i] - epsilon, h0[i], x, i));
      double dh = (sum(w[i], h0[i] + epsilon, x, i) - sum(w[i], h0[i] - epsilon, x, i));
      // Central differences in double: 1e-9; four float32 steps: 1e-6.
      assertEquals(dw / (2 * epsilon), cell.w().gradientArray()[i], 1e-5);
      assertEquals(dh / (2 * epsilon), cell.h0().gradientArray()[i], 1e-5);
    }
    assertTrue(recur.toString().startsWith("Recur(Doubling)  # 4 parameters, state 2"));
  }

  /** The sum of the outputs of unit i. */
  private static double sum(double w, double h0, float[] x, int i) {
    double h = h0;
    double sum = 0;
    for (int t = 0; t < 4; t++) {
      h = Math.tanh(2 * w * h + x[i + 2 * t]);
      sum += h;
    }
    return sum;
  }
}
