package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Laws 6 and 7: reset makes a Recur fresh, and both calls reach every Recur inside, each once. */
class ResetLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  // Law 6.

  @ParameterizedTest
  @EnumSource
  void resetGivesState0AgainGradientAndAll(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 3);
    Tensor y = recur.apply(x);
    tape.backward(Cells.weighed(tape, y, 1));
    Map<String, float[]> expected = Cells.gradients(recur);
    recur.parameters().zeroGradients();
    recur.truncate();
    recur.apply(x);
    recur.reset();
    assertTrue(recur.isFresh());
    Tensor again = recur.apply(x);
    assertArrayEquals(y.toArray(), again.toArray());
    tape.backward(Cells.weighed(tape, again, 1));
    near("gradient", expected, Cells.gradients(recur), FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void resetAfterTruncateIsFresh(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    recur.apply(Cells.input(tape, 1, IN, 2));
    recur.truncate();
    assertFalse(recur.isFresh());
    recur.reset();
    assertTrue(recur.isFresh());
    // Another batch is welcome.
    recur.apply(Cells.input(tape, 1, IN, 3));
  }

  @ParameterizedTest
  @EnumSource
  void aStateThatIsOverwrittenLeavesState0Alone(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    List<float[]> before = Cells.values(new State(List.copyOf(recur.cell().state0())));
    overwrite(recur.state());
    recur.truncate();
    overwrite(recur.state());
    recur.apply(Cells.input(tape, 1, IN, 1));
    overwrite(recur.state());
    recur.reset();
    overwrite(recur.state());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), recur.cell().state0().get(i).toArray());
    }
  }

  private static void overwrite(State state) {
    for (Tensor part : state.parts()) {
      float[] nines = new float[part.shape().count()];
      Arrays.fill(nines, 9);
      part.value().write(nines);
    }
  }

  @ParameterizedTest
  @EnumSource
  void resetSeesWhatTrainingMadeOfState0(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 1);
    float[] untrained = recur.apply(x).toArray();
    Parameter state0 = recur.cell().state0().getFirst();
    float[] values = new float[state0.shape().count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 2 == 0 ? 0.9f : -0.9f;
    }
    state0.value().write(values);
    recur.reset();
    float[] trained = recur.apply(x).toArray();
    assertFalse(Arrays.equals(untrained, trained));
    recur.reset();
    assertArrayEquals(state0.toArray(), recur.state().h().toArray());
  }

  // Law 7.

  /** A container of the user's own. */
  private record Twice(Layer inner) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(inner.apply(x));
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }
  }

  private final Recur first = Cells.RNN.make(IN, IN);
  private final Recur second = Cells.LSTM.make(IN, IN);
  private final Recur third = Cells.CLASS.make(IN, IN);
  private final Chain nested =
      chain(first, chain(dense(IN, IN), chain(second, first)), new Twice(chain(third, second)));

  @Test
  void everyRecurIsFoundOnce() {
    assertEquals(List.of(first, second, third), nested.recurs());
  }

  @Test
  void resetReachesEveryRecur() {
    nested.on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2);
    Tensor y = nested.apply(x);
    tape.backward(Cells.weighed(tape, y, 1));
    Map<String, float[]> gradients = Cells.gradients(nested);
    nested.reset();
    for (Recur recur : List.of(first, second, third)) {
      assertTrue(recur.isFresh());
    }
    nested.parameters().zeroGradients();
    Tensor again = nested.apply(x);
    assertArrayEquals(y.toArray(), again.toArray());
    tape.backward(Cells.weighed(tape, again, 1));
    near("gradient", gradients, Cells.gradients(nested), FLOAT);
  }

  @Test
  void truncateReachesEveryRecur() {
    nested.on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2);
    nested.apply(x);
    List<List<float[]>> before = states();
    nested.truncate();
    List<List<float[]>> after = states();
    for (int i = 0; i < before.size(); i++) {
      for (int part = 0; part < before.get(i).size(); part++) {
        assertArrayEquals(before.get(i).get(part), after.get(i).get(part));
      }
    }
    tape.backward(Cells.weighed(tape, nested.apply(Cells.input(tape, 2, IN, 2)), 1));
    assertArrayEquals(new float[2 * IN], x.gradientArray());
    for (Recur recur : nested.recurs()) {
      for (float[] gradient : Cells.state0Gradients(recur)) {
        assertArrayEquals(new float[IN], gradient);
      }
    }
    nested.truncate();
    tape.clear();
  }

  private List<List<float[]>> states() {
    return nested.recurs().stream().map(recur -> Cells.values(recur.state())).toList();
  }

  /** A Recur that stands twice runs twice a call over one state, and has one set of weights. */
  @Test
  void aRecurThatStandsTwiceHasOneState() {
    Chain model = chain(first, first).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, 2);
    Tensor y = model.apply(x);
    tape.backward(Cells.weighed(tape, y, 1));
    Map<String, float[]> gradients = Cells.gradients(model);
    model.parameters().zeroGradients();
    first.reset();
    Tensor byHand = first.apply(first.apply(x));
    assertArrayEquals(byHand.toArray(), y.toArray());
    tape.backward(Cells.weighed(tape, byHand, 1));
    near("gradient", gradients, Cells.gradients(first), FLOAT);
    assertEquals(4, model.parameters().arrays());
    assertEquals(first.parameters().count(), model.parameters().count());
  }
}
