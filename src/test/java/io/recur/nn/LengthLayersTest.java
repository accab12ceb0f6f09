package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.conv1d;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.layerNorm;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.cells.WeightDrop;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers over sequences of different lengths, and what they refuse. */
class LengthLayersTest {
  private static final int SIZE = 4;
  private static final int TIME = 5;
  private static final int[] LENGTHS = {3, 0, 5, 3, 1};
  private static final int BATCH = LENGTHS.length;
  private static final double TOLERANCE = 2e-5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** A user's layer that knows no lengths, with a state inside. */
  private record Residual(Layer inner, boolean columnsAreIndependent) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(x).add(x);
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }

    @Override
    public Layer fork(Fork fork) {
      return new Residual(fork.of(inner), columnsAreIndependent);
    }
  }

  static Stream<Arguments> layers() {
    return Stream.of(
        Arguments.of("dense", dense(SIZE, 3, Elementwise.SIGMOID)),
        Arguments.of("layer norm", layerNorm(SIZE)),
        Arguments.of("convolution", conv1d(SIZE, 3, 3).padding(1)),
        Arguments.of("chain", chain(lstm(SIZE, 6), layerNorm(6), gru(6, 5), dense(5, 2))),
        Arguments.of("user's", new Residual(lstm(SIZE, SIZE), true)),
        Arguments.of("user's, dependent", new Residual(lstm(SIZE, SIZE), false)),
        Arguments.of("stateless", (Layer) x -> x.mul(x)),
        Arguments.of(
            "nested", chain(gru(SIZE, SIZE), new Residual(chain(lstm(SIZE, SIZE)), true))));
  }

  private static float[] padded(long seed) {
    float[] values = Cells.values(new Random(seed), SIZE * BATCH * TIME);
    for (int i = 0; i < values.length; i++) {
      boolean isValid = i / SIZE / BATCH < LENGTHS[i / SIZE % BATCH];
      values[i] = isValid ? values[i] : Float.NaN;
    }
    return values;
  }

  private static int[] columns(int b) {
    int[] columns = new int[LENGTHS[b]];
    Arrays.setAll(columns, t -> t * BATCH + b);
    return columns;
  }

  /** Twice, so that the second call starts where each sequence of the first one ended. */
  @ParameterizedTest
  @MethodSource("layers")
  void eachSequenceIsAsItIsAlone(String name, Layer layer) {
    layer.on(device, 3);
    Tensor first = tape.variable(Shape.of(SIZE, BATCH, TIME), padded(1));
    Tensor second = tape.variable(Shape.of(SIZE, BATCH, TIME), padded(2));
    layer.apply(Padded.of(first, LENGTHS));
    Padded y = layer.apply(Padded.of(second, LENGTHS));
    assertArrayEquals(LENGTHS, y.lengths(), name);
    Tensor all = y.data();
    tape.backward(Functionals.squares(y.valid()));
    float[] dx = first.gradientArray();
    float[] dx2 = second.gradientArray();
    Map<String, float[]> together = Cells.gradients(layer);
    layer.parameters().zeroGradients();
    Tensor loss = null;
    for (int b = 0; b < BATCH; b++) {
      layer.reset();
      if (LENGTHS[b] > 0) {
        Shape shape = Shape.of(SIZE, 1, LENGTHS[b]);
        layer.apply(first.take(columns(b)).reshape(shape));
        Tensor its = layer.apply(second.take(columns(b)).reshape(shape));
        near(name + " y " + b, its.toArray(), all.take(columns(b)).toArray());
        Tensor squares = Functionals.squares(its);
        loss = loss == null ? squares : loss.add(squares);
      }
    }
    tape.backward(loss);
    near(name + " dx", first.gradientArray(), dx);
    near(name + " dx of the second call", second.gradientArray(), dx2);
    Cells.gradients(layer).forEach((each, values) -> near(each, values, together.get(each)));
    layer.reset();
  }

  private static void near(String what, float[] expected, float[] actual) {
    Near.check(what, Reference.doubles(expected), actual, TOLERANCE);
  }

  private static final class Functionals {
    static Tensor squares(Tensor y) {
      return y.mul(y).sum();
    }
  }

  @Test
  void oneHotSequencesAreGathered() {
    Chain model = chain(embedding(6, SIZE), lstm(SIZE, 5)).on(device, 2);
    int[] classes = {1, 0, 5, 2, 0, 3};
    Padded x = Padded.of(tape.oneHot(Shape.of(6, 2, 3), classes), 3, 1);
    float[] y = model.apply(x).data().take(0, 2, 4).toArray();
    model.reset();
    near("one-hot", model.apply(tape.oneHot(Shape.of(6, 1, 3), 1, 5, 0)).toArray(), y);
    Recur direct = lstm(6, 5).on(device, 2);
    float[] of = direct.apply(x).data().take(1).toArray();
    direct.reset();
    near("one-hot x", direct.apply(tape.oneHot(Shape.of(6, 1, 1), 0)).toArray(), of);
  }

  @Test
  void dropoutLeavesZerosBehindTheEnds() {
    Padded x = Padded.of(tape.variable(Shape.of(SIZE, BATCH, TIME), padded(1)), LENGTHS);
    float[] y = dropout(0.5f).apply(x).data().toArray();
    for (int i = 0; i < y.length; i++) {
      assertTrue(i / SIZE / BATCH < LENGTHS[i / SIZE % BATCH] || y[i] == 0, "value " + i);
    }
  }

  @Test
  void batchNormIsOverTheValidSteps() {
    BatchNorm norm = new BatchNorm(SIZE).on(device, 1);
    Padded x = Padded.of(tape.variable(Shape.of(SIZE, BATCH, TIME), padded(1)), LENGTHS);
    float[] y = norm.apply(x).valid().toArray();
    BatchNorm other = new BatchNorm(SIZE).on(device, 1);
    near("batch norm", other.apply(x.valid()).toArray(), y);
  }

  /** One mask for all steps of the sequences, however many stretches they have. */
  @Test
  void droppedWeightsAreTheSameForAllStretches() {
    Parameter wh = Parameter.of(Shape.of(SIZE, SIZE), identity()).named("Wh");
    Parameter h0 = Parameter.of(Shape.of(SIZE, 1), 1, 1, 1, 1).named("h0");
    for (boolean isStepwise : new boolean[] {false, true}) {
      Recur recur = new Recur(WeightDrop.of(new Product(wh, h0), 0.5f, "Wh")).on(device, 1);
      if (isStepwise) {
        recur.stepwise();
      } else {
        recur.requireCompiled();
      }
      Set<List<Boolean>> masks = new HashSet<>();
      for (int call = 0; call < 8; call++) {
        Tensor zeros = tape.input(Shape.of(SIZE, 3, 3), new float[SIZE * 9]);
        float[] y = recur.apply(Padded.of(zeros, 3, 2, 1)).data().take(0, 3, 6).toArray();
        recur.reset();
        List<Boolean> mask = mask(y, 0);
        masks.add(mask);
        assertEquals(mask, mask(y, 1));
        assertEquals(mask, mask(y, 2));
      }
      assertNotEquals(1, masks.size());
    }
  }

  private static List<Boolean> mask(float[] y, int step) {
    return Stream.of(0, 1, 2, 3).map(i -> y[step * SIZE + i] == 0).toList();
  }

  private static float[] identity() {
    float[] values = new float[SIZE * SIZE];
    for (int i = 0; i < SIZE; i++) {
      values[i * SIZE + i] = 1;
    }
    return values;
  }

  /** {@code y = Wh·h0 + 0·x}: shows the mask of each step. */
  private record Product(Parameter wh, Parameter h0) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor y = wh.matmul(state.h()).add(x.scale(0));
      return new Step(State.of(state.h().add(x.scale(0))), y);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(wh, h0);
    }
  }

  @Test
  void aStateOfOneColumnIsRepeated() {
    Recur recur = gru(SIZE, 3).on(device, 1);
    recur.apply(tape.input(Shape.of(SIZE, 1), 1, 2, 3, 4));
    float[] h = recur.state().h().toArray();
    recur.apply(Padded.of(tape.input(Shape.of(SIZE, BATCH, TIME), padded(1)), LENGTHS));
    assertArrayEquals(h, recur.state().h().column(1).toArray(), "of the empty sequence");
  }

  @Test
  void whatDoesNotFitChangesNoState() {
    Chain model = chain(gru(SIZE, 3), lstm(3, 2)).on(device, 1);
    model.apply(tape.input(Shape.of(SIZE, 2), 1, 2, 3, 4, 5, 6, 7, 8));
    List<float[]> before = model.recurs().stream().map(r -> r.state().h().toArray()).toList();
    Padded other = Padded.of(tape.input(Shape.of(SIZE, BATCH, TIME), padded(1)), LENGTHS);
    Thrown.says(ShapeException.class, () -> model.apply(other), "state batch=2, x batch=5");
    Padded tall = Padded.of(tape.input(Shape.of(5, 2, 2), new float[20]), 2, 1);
    Thrown.says(ShapeException.class, () -> model.apply(tall), "x=5×2; need 4 rows");
    Layer user = new Residual(model.layers().getFirst(), true);
    Thrown.says(ShapeException.class, () -> user.apply(other), "state batch=2, x batch=5");
    Thrown.says(ShapeException.class, () -> user.apply(tall), "need 4 rows");
    List<float[]> after = model.recurs().stream().map(r -> r.state().h().toArray()).toList();
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
  }

  @Test
  void layersThatChangeTheStepsAreRefused() {
    Padded x = Padded.of(tape.input(Shape.of(SIZE, BATCH, TIME), padded(1)), LENGTHS);
    Layer short1 = conv1d(SIZE, 2, 3).on(device, 1);
    Thrown.says(ShapeException.class, () -> short1.apply(x), "need as many for sequences");
    Layer first = each -> each.time(0);
    Thrown.says(
        ShapeException.class, () -> first.apply(x), "need as many sequences and steps in y");
    Layer sliding = gru(SIZE, 2).on(device, 1).slide(2);
    Thrown.says(ShapeException.class, () -> sliding.apply(x), "slide: x=4×5×5 with lengths");
  }
}
