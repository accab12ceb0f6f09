package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.residual;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The laws of a layer of two directions; {@link DirectionsParityTest} has PyTorch's figures. */
class BidirectionalTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int BATCH = 2;
  private static final int STEPS = 6;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Bidirectional layer(Cells cells) {
    return bidirectional(cells.make(IN, OUT), cells.make(IN, OUT)).on(device, 3);
  }

  private Tensor input(int seed, int steps) {
    return Cells.input(tape, seed, IN, BATCH, steps);
  }

  /** The outputs of a Recur that is run from the last step back, by hand. */
  private static Tensor backward(Recur recur, Tensor x) {
    Tensor[] outputs = new Tensor[x.shape().time()];
    recur.reset();
    for (int t = outputs.length - 1; t >= 0; t--) {
      outputs[t] = recur.apply(x.time(t));
    }
    return Concat.time(List.of(outputs));
  }

  @ParameterizedTest
  @EnumSource
  void eachDirectionIsItsRecurByHand(Cells cells) {
    Bidirectional layer = layer(cells);
    Tensor x = input(1, STEPS);
    Tensor y = layer.apply(x);
    tape.backward(Cells.weighed(tape, y, 2));
    Map<String, float[]> gradients = Cells.gradients(layer);
    float[] dx = x.gradientArray();
    List<float[]> states = Cells.values(layer.backward().state());
    layer.parameters().zeroGradients();
    layer.reset();
    Tensor byHand = Concat.rows(layer.forward().apply(x), backward(layer.backward(), x));
    near("y", byHand.toArray(), y.toArray(), FLOAT);
    near("state", layer.backward().state().h().toArray(), states.getFirst(), FLOAT);
    tape.backward(Cells.weighed(tape, byHand, 2));
    near("gradients", Cells.gradients(layer), gradients, FLOAT);
    near("dx", x.gradientArray(), dx, FLOAT);
  }

  @Test
  void outputsAreConcatenatedSummedOrAveraged() {
    Recur one = Cells.LSTM.make(IN, OUT);
    Recur other = Cells.GRU.make(IN, OUT);
    Tensor x = input(1, STEPS);
    float[] both = bidirectional(one, other).on(device, 1).apply(x).toArray();
    for (Bidirectional.Merge merge : Bidirectional.Merge.values()) {
      one.reset();
      float[] y = bidirectional(one, other, merge).apply(x).toArray();
      if (merge == Bidirectional.Merge.CONCATENATE) {
        assertArrayEquals(both, y);
        continue;
      }
      float share = merge == Bidirectional.Merge.SUM ? 1 : 0.5f;
      for (int i = 0; i < y.length; i++) {
        int at = i / OUT * 2 * OUT + i % OUT;
        assertEquals(share * (both[at] + both[at + OUT]), y[i]);
      }
    }
  }

  /** The forward direction goes on where the last chunk ended; the backward one begins. */
  @ParameterizedTest
  @EnumSource
  void theForwardStateIsCarriedAndTheBackwardOneBegins(Cells cells) {
    Bidirectional layer = layer(cells);
    Tensor x = input(1, STEPS);
    layer.apply(x.times(0, 3));
    layer.truncate();
    Tensor second = layer.apply(x.times(3, STEPS));
    tape.backward(Cells.weighed(tape, second, 2));
    for (float[] gradient : Cells.state0Gradients(layer.forward())) {
      assertArrayEquals(new float[gradient.length], gradient);
    }
    for (float[] gradient : Cells.state0Gradients(layer.backward())) {
      assertTrue(gradient[0] != 0, "each call begins from state0, with its gradient");
    }
    Recur forward = layer.forward().fork();
    forward.reset();
    forward.apply(x.times(0, 3));
    Tensor there = forward.apply(x.times(3, STEPS));
    Tensor back = backward(layer.backward().fork(), x.times(3, STEPS));
    near("second chunk", Concat.rows(there, back).toArray(), second.toArray(), FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void oneStepOfAStreamIsRefusedBeforeAnythingChanges(Cells cells) {
    Recur before = Cells.LSTM.make(IN, IN);
    Bidirectional layer = bidirectional(cells.make(IN, OUT), cells.make(IN, OUT));
    Chain model = chain(before, residual(chain(layer, dense(2 * OUT, IN)))).on(device, 1);
    Tensor x = input(1, STEPS);
    model.apply(x.time(0)); // a sequence of one step
    List<float[]> first = Cells.values(before.state());
    List<float[]> forward = Cells.values(layer.forward().state());
    List<float[]> backward = Cells.values(layer.backward().state());
    for (Tensor step : List.of(x.time(1), x.times(1, 2))) {
      Thrown.says(
          IllegalStateException.class,
          () -> model.apply(step),
          "bidirectional: x is one step and the forward state is not fresh",
          "needs the steps that follow",
          "reset()");
      Thrown.says(IllegalStateException.class, () -> layer.apply(step), "one step");
    }
    Cells.same(first, before.state());
    Cells.same(forward, layer.forward().state());
    Cells.same(backward, layer.backward().state());
    model.reset();
    model.apply(x.time(1));
  }

  @ParameterizedTest
  @EnumSource
  void aForkGoesItsOwnWay(Cells cells) {
    Chain model = chain(layer(cells), dense(2 * OUT, 2)).on(device, 1);
    Tensor x = input(1, STEPS);
    model.apply(x.times(0, 3));
    Chain fork = model.fork();
    Bidirectional inside = (Bidirectional) fork.layers().getFirst();
    assertNotSame(model.recurs().getFirst(), inside.forward());
    assertSame(model.recurs().getFirst().cell(), inside.forward().cell());
    assertEquals(model.parameters().named(), fork.parameters().named());
    float[] expected = model.apply(x.times(3, STEPS)).toArray();
    assertArrayEquals(expected, fork.apply(x.times(3, STEPS)).toArray());
    fork.reset();
    assertTrue(fork.recurs().stream().allMatch(Recur::isFresh));
    assertTrue(model.recurs().stream().noneMatch(Recur::isFresh));
  }

  @ParameterizedTest
  @EnumSource
  void aRestoredLayerContinuesBitForBit(Cells cells) {
    Bidirectional layer = layer(cells);
    Tensor x = input(1, STEPS);
    layer.apply(x.times(0, 3));
    byte[] session = layer.save().toBytes();
    float[] expected = layer.apply(x.times(3, STEPS)).toArray();
    layer.apply(x);
    layer.restore(Snapshot.of(session));
    assertArrayEquals(expected, layer.apply(x.times(3, STEPS)).toArray());
    layer.truncate();
    tape.clear();
  }

  /** Reset makes both directions fresh, and truncate cuts the history of both. */
  @ParameterizedTest
  @EnumSource
  void resetAndTruncateReachBothDirections(Cells cells) {
    Bidirectional layer = layer(cells);
    Tensor x = input(1, STEPS);
    Tensor y = layer.apply(x);
    tape.backward(Cells.weighed(tape, y, 2));
    Map<String, float[]> gradients = Cells.gradients(layer);
    layer.truncate();
    layer.apply(input(3, STEPS));
    layer.reset();
    assertTrue(layer.forward().isFresh() && layer.backward().isFresh());
    layer.parameters().zeroGradients();
    Tensor again = layer.apply(x);
    assertArrayEquals(y.toArray(), again.toArray());
    tape.backward(Cells.weighed(tape, again, 2));
    near("gradients", gradients, Cells.gradients(layer), FLOAT);
    layer.truncate();
    tape.backward(Cells.weighed(tape, layer.forward().apply(input(3, 2)), 1));
    assertArrayEquals(new float[x.shape().count()], x.gradientArray());
    layer.truncate();
    tape.clear();
  }

  @Test
  void singleColumnsAreResetAndTaken() {
    Bidirectional layer = layer(Cells.GRU);
    Tensor x = input(1, STEPS);
    layer.apply(x.times(0, 3));
    layer.reset(1);
    layer.take(1, 0);
    Tensor y = layer.apply(Concat.columns(x.columns(1, 2), x.columns(0, 1)).times(3, STEPS));
    Bidirectional alone = layer.fork();
    alone.reset();
    near(
        "column 1 has begun",
        alone.apply(x.columns(1, 2).times(3, STEPS)).toArray(),
        y.columns(0, 1).toArray(),
        FLOAT);
  }

  @Test
  void twoRecursOfOneCellShareTheWeights() {
    Cell cell = Cells.GRU.make(IN, OUT).cell();
    Bidirectional layer = bidirectional(new Recur(cell), new Recur(cell)).on(device, 1);
    assertEquals(new Recur(cell).parameters().count(), layer.parameters().count());
    assertEquals(Shape.of(2 * OUT, BATCH, STEPS), layer.apply(input(1, STEPS)).shape());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Recur recur = Cells.GRU.make(IN, OUT);
    Thrown.says(
        IllegalArgumentException.class,
        () -> bidirectional(recur, recur),
        "bidirectional: forward and backward are one Recur");
    Thrown.says(
        IllegalArgumentException.class,
        () -> bidirectional(recur, Cells.GRU.make(IN, OUT).withoutState0()),
        "has no state0; it begins each call from there");
    Bidirectional uneven =
        bidirectional(recur, Cells.GRU.make(IN, 1), Bidirectional.Merge.SUM).on(device, 1);
    Thrown.says(
        ShapeException.class,
        () -> uneven.apply(input(1, STEPS)),
        "forward gives 4×2×6, backward 1×2×6; need equal sizes");
    Bidirectional layer = layer(Cells.LSTM);
    layer.apply(input(1, STEPS));
    List<float[]> before = Cells.values(layer.forward().state());
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(Cells.input(tape, 1, IN, 5, STEPS)),
        "state batch=2, x batch=5");
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(Cells.input(tape, 1, IN + 1, BATCH, 2)),
        "x=4×2; need 3 rows");
    Cells.same(before, layer.forward().state());
  }

  @Test
  void aForwardStateCanBeGiven() {
    Recur encoder = Cells.GRU.make(IN, OUT).on(device, 1);
    Bidirectional layer =
        bidirectional(Cells.GRU.make(IN, OUT).withoutState0(), Cells.GRU.make(IN, OUT))
            .on(device, 2);
    Tensor x = input(1, STEPS);
    encoder.apply(x);
    layer.forward().state(encoder.state());
    tape.backward(Cells.weighed(tape, layer.apply(input(2, STEPS)), 1));
    Parameter weight = encoder.parameters().named().get("Wi");
    assertTrue(weight.gradientArray()[0] != 0, "the gradient runs into the encoder");
  }

  @Test
  void itPrintsItsDirections() {
    assertEquals(
        """
        Bidirectional(
          Recur(RNNCell(3 => 5, tanh)),  # 50 parameters, state 5
          Recur(RNNCell(3 => 5, tanh)),  # 50 parameters, state 5
        )
        # Total: 8 trainable arrays, 100 parameters,
        # plus 10 non-trainable state, 1 320 bytes off the heap.""",
        bidirectional(Layers.rnn(3, 5), Layers.rnn(3, 5)).toString());
  }
}
