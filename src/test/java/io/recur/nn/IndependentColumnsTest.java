package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.layerNorm;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What layers and cells say of the columns of a batch, and what they get for it. */
class IndependentColumnsTest {
  private static final int SIZE = 5;
  private static final int BATCH = 3;
  private static final int CHANGED = 1;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  static Stream<Layer> independent() {
    Stream<Layer> catalogue = Cells.catalogue().map(cells -> cells.make(SIZE, SIZE));
    return Stream.concat(catalogue, builtIn());
  }

  private static Stream<Layer> builtIn() {
    return Stream.of(
        rnn(SIZE, SIZE),
        lstm(SIZE, SIZE),
        gru(SIZE, SIZE),
        gruV3(SIZE, SIZE),
        dense(SIZE, SIZE, Elementwise.TANH),
        dropout(0.2f),
        embedding(SIZE, SIZE),
        chain(dense(SIZE, SIZE, Elementwise.TANH), layerNorm(SIZE)),
        chain(lstm(SIZE, SIZE), chain(dropout(0.2f), dense(SIZE, SIZE)), gru(SIZE, SIZE)),
        new Recur(new Mean(true)));
  }

  /** Two steps and one, so that states change too. */
  private float[] outputs(Layer layer, float[] x) {
    layer.reset();
    tape.seed(1);
    Tensor input = tape.input(Shape.of(SIZE, BATCH, 3), x);
    layer.apply(input.times(0, 2));
    return layer.apply(input.times(2, 3)).toArray();
  }

  @ParameterizedTest
  @MethodSource("independent")
  void aColumnOfWhatSaysSoChangesItselfAlone(Layer layer) {
    layer.on(device, 1);
    assertTrue(layer.columnsAreIndependent());
    assertTrue(layer.keepsBatch());
    float[] x = Cells.values(new Random(1), SIZE * BATCH * 3);
    float[] y = outputs(layer, x);
    for (int t = 0; t < 3; t++) {
      for (int i = 0; i < SIZE; i++) {
        x[i + SIZE * (CHANGED + BATCH * t)] += 0.5f;
      }
    }
    float[] changed = outputs(layer, x);
    for (int i = 0; i < y.length; i++) {
      if (i / SIZE != CHANGED) {
        assertEquals(y[i], changed[i], "value " + i);
      } else if (y[i] != 0) { // dropout
        assertNotEquals(y[i], changed[i], "value " + i);
      }
    }
  }

  /** A cell of a user's: {@code h' = (h + x)/2}. */
  private record Mean(boolean answers, Parameter h0) implements Cell {
    Mean(boolean answers) {
      this(answers, Parameter.zeros(Shape.of(SIZE, 1)));
    }

    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.h().add(x).scale(0.5f);
      return Step.step(h, h);
    }

    @Override
    public boolean columnsAreIndependent() {
      return answers || Cell.super.columnsAreIndependent();
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(h0);
    }
  }

  @Test
  void whoeverSaysNothingIsTakenForDependent() {
    Parameter h0 = Parameter.zeros(Shape.of(SIZE, 1));
    Recur function = new Recur((h, x) -> Step.step(h.add(x), h), h0);
    Layer scale = x -> x.scale(2);
    for (Layer layer : List.of(function, scale, new Recur(new Mean(false)))) {
      assertFalse(layer.columnsAreIndependent());
      assertFalse(chain(dense(SIZE, SIZE), chain(layer)).columnsAreIndependent());
    }
    assertTrue(chain(dense(SIZE, SIZE), function).keepsBatch(), "a Recur keeps it");
    assertFalse(scale.keepsBatch());
    assertFalse(chain(dense(SIZE, SIZE), chain(scale)).keepsBatch());
  }

  /** A layer of a user's: {@code y = 2x}. */
  private record Twice() implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return x.scale(2);
    }

    @Override
    public boolean columnsAreIndependent() {
      return true;
    }
  }

  @Test
  void aChainOverALayerThatSaysSoMovesAllItsStatesOrNone() {
    Recur first = rnn(SIZE, SIZE);
    Recur second = rnn(SIZE, SIZE);
    Chain model = chain(first, new Twice(), second).on(device, 1);
    first.apply(Cells.input(tape, 1, SIZE, 1));
    second.apply(Cells.input(tape, 2, SIZE, 3));
    float[] before = first.state().h().toArray();
    Tensor x = Cells.input(tape, 3, SIZE, 4);
    Thrown.says(ShapeException.class, () -> model.apply(x), "state batch=3, x batch=4");
    assertArrayEquals(before, first.state().h().toArray());
  }

  @Test
  void aLayerThatSaysNothingMayChangeTheBatch() {
    Recur second = rnn(SIZE, SIZE);
    Layer half = x -> x.columns(0, x.shape().batch() / 2);
    Chain model = chain(rnn(SIZE, SIZE), half, second).on(device, 1);
    for (int call = 0; call < 2; call++) {
      model.apply(Cells.input(tape, call, SIZE, 4));
      assertEquals(2, second.state().batch());
    }
  }

  /** A cell that notes the states it was given. */
  private static final class Noting implements Cell {
    private final boolean copies;
    private final Parameter h0 = Parameter.zeros(Shape.of(1, 1));
    private final List<Tensor> given = new ArrayList<>();

    Noting(boolean copies) {
      this.copies = copies;
    }

    @Override
    public Step step(State state, Tensor x) {
      given.add(state.h());
      Tensor h = x.add(state.h());
      return Step.step(h, h);
    }

    @Override
    public boolean copiesState() {
      return copies || Cell.super.copiesState();
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(h0);
    }
  }

  @Test
  void aKeptStateIsCopiedUnlessTheCellDoesSo() {
    for (boolean copies : new boolean[] {false, true}) {
      Noting cell = new Noting(copies);
      Recur recur = new Recur(cell).stepwise().on(device, 1);
      recur.apply(tape.input(1));
      recur.truncate();
      assertArrayEquals(new float[] {3}, recur.apply(tape.input(2)).toArray());
      assertSame(tape, cell.given.getFirst().tape(), "a copy of state0");
      if (copies) {
        assertNull(cell.given.getLast().tape(), "the kept state itself");
      } else {
        assertSame(tape, cell.given.getLast().tape(), "a copy");
      }
      recur.reset();
    }
  }
}
