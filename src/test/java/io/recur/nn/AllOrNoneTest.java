package io.recur.nn;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.highway;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.residual;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sizes that do not fit leave every state inside as it was, with its history. */
class AllOrNoneTest {
  private static final int IN = 3;
  private static final int BATCH = 2;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @AutoClose private final Tape inference = Tape.inference(device);

  /** Layers whose parts do not fit, where a part has moved before that is seen. */
  private enum Misfit {
    RESIDUAL(() -> residual(lstm(IN, 5))),
    PROJECTED(() -> residual(lstm(IN, 5), chain(gru(IN, 4), dense(4, 4)))),
    HIGHWAY(() -> highway(IN, gru(IN, 5))),
    SUM(() -> bidirectional(lstm(IN, 4), lstm(IN, 5), Bidirectional.Merge.SUM)),
    MEAN(() -> bidirectional(gru(IN, 5), gru(IN, 4), Bidirectional.Merge.MEAN)),
    OTHER_IN(() -> bidirectional(gru(2, 4), gru(IN, 4))),
    CHAIN(() -> chain(lstm(IN, 4), gru(5, 4))),
    NESTED(() -> chain(gru(IN, 4), residual(gru(4, 5)), dense(5, 2)));

    private final Supplier<Layer> maker;

    Misfit(Supplier<Layer> maker) {
      this.maker = maker;
    }
  }

  /** How the states are before the call. */
  private enum Before {
    FRESH,
    WITH_HISTORY,
    TRUNCATED,
    A_COLUMN_RESET
  }

  @AfterEach
  void forget() {
    models.forEach(Layer::reset);
  }

  private final List<Layer> models = new ArrayList<>();

  private Layer model(Misfit kind) {
    Layer model = kind.maker.get().on(device, 1);
    models.add(model);
    return model;
  }

  @ParameterizedTest
  @EnumSource
  void theStatesAreAsWithoutTheCall(Misfit kind) {
    for (Tape on : List.of(tape, inference)) {
      for (Before before : Before.values()) {
        Layer model = model(kind);
        Layer twin = model(kind);
        prepare(model, before, on);
        prepare(twin, before, on);
        for (int round = 0; round < 2; round++) {
          Tensor x = Cells.input(on, 3, IN, BATCH, 4);
          assertThrows(ShapeException.class, () -> model.apply(x));
          assertThrows(ShapeException.class, () -> model.apply(Padded.of(x, 4, 2)));
          String what = kind + ", " + before + ", " + on;
          assertEquals(fresh(twin), fresh(model), what);
          for (int i = 0; i < model.recurs().size(); i++) {
            assertArrayEquals(
                step(twin.recurs().get(i), on, 7), step(model.recurs().get(i), on, 7), what);
          }
          Map<String, float[]> expected = Cells.gradients(twin);
          Cells.gradients(model).forEach((n, g) -> assertArrayEquals(expected.get(n), g, what + n));
        }
        models.forEach(Layer::reset);
        on.clear();
      }
    }
  }

  private static List<Boolean> fresh(Layer model) {
    return model.recurs().stream().map(Recur::isFresh).toList();
  }

  private void prepare(Layer model, Before before, Tape on) {
    if (before != Before.FRESH) {
      for (Recur recur : model.recurs()) {
        step(recur, on, 5);
      }
    }
    if (before == Before.TRUNCATED) {
      model.truncate();
    }
    if (before == Before.A_COLUMN_RESET) {
      model.reset(1);
    }
  }

  /** A step of one Recur, with its gradients where the tape records. */
  private static float[] step(Recur recur, Tape on, long seed) {
    int in = recur.parameters().named().get("Wi").shape().columns();
    Tensor y = recur.apply(Cells.input(on, seed, in, BATCH));
    if (on.isRecording()) {
      on.backward(Cells.weighed(on, y, seed));
    }
    return y.toArray();
  }

  /** Sizes that fit pass, in a fork too, and other ones after these are refused as before. */
  @Test
  void sizesThatFitPass() {
    Layer model = residual(lstm(IN, IN)).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, BATCH, 4);
    float[] first = model.apply(x).toArray();
    model.truncate();
    float[] second = model.apply(x).toArray();
    Tensor wide = Cells.input(tape, 1, IN + 1, BATCH, 4);
    assertThrows(ShapeException.class, () -> model.apply(wide));
    model.reset();
    assertArrayEquals(first, model.apply(x).toArray());
    Layer fork = model.fork();
    assertArrayEquals(second, fork.apply(x).toArray());
    model.reset();
    fork.reset();
  }

  /** Both convolutions give as many steps for 4 steps, and do not for 5. */
  @Test
  void stepsThatDoNotFitAreRefusedAfterOthersThatDid() {
    Layer inner = chain(lstm(IN, 4), new Conv1d(4, 4, 2).stride(2));
    Layer model = residual(inner, new Conv1d(IN, 4, 1).stride(2)).on(device, 1);
    Layer twin = model.fork();
    models.addAll(List.of(model, twin));
    for (Layer layer : List.of(model, twin)) {
      layer.apply(Cells.input(tape, 1, IN, BATCH, 4));
    }
    Tensor x = Cells.input(tape, 2, IN, BATCH, 5);
    assertThrows(ShapeException.class, () -> model.apply(x));
    assertThrows(ShapeException.class, () -> model.apply(Padded.of(x, 5, 5)));
    Cells.same(Cells.values(twin.recurs().getFirst().state()), model.recurs().getFirst().state());
  }

  /** The tape may be cleared after a call that was refused. */
  @Test
  void nothingIsHeld() {
    Layer model = model(Misfit.RESIDUAL);
    assertThrows(ShapeException.class, () -> model.apply(Cells.input(tape, 1, IN, BATCH)));
    tape.clear();
    assertTrue(model.recurs().getFirst().isFresh());
  }

  /** One column has no variance to train with: that is seen where the state has moved. */
  @Test
  void aBatchIsAnotherSize() {
    BatchNorm norm = new BatchNorm(4);
    Chain model = chain(lstm(IN, 4), norm).on(device, 1);
    models.add(model);
    for (int batch : new int[] {BATCH, 257}) { // what has passed is kept in 256 places
      model.apply(Cells.input(tape, 1, IN, batch));
      model.reset();
    }
    List<float[]> running = values(norm);
    Tensor one = Cells.input(tape, 2, IN, 1);
    assertThrows(ShapeException.class, () -> model.apply(one));
    assertTrue(model.recurs().getFirst().isFresh());
    same(running, norm);
  }

  /** A layer of a user's says what a call changes, and gets it back as the library's do. */
  @Test
  void whatALayerOfOnesOwnChangesIsGivenBack() {
    Counted counted = new Counted();
    Layer model = residual(chain(lstm(IN, IN), counted, dense(IN, 5))).on(device, 1);
    models.add(model);
    List<float[]> before = values(counted);
    assertThrows(ShapeException.class, () -> model.apply(Cells.input(tape, 1, IN, BATCH)));
    same(before, counted);
    counted.apply(Cells.input(tape, 1, IN, BATCH));
    assertArrayEquals(new float[] {1}, values(counted).getFirst());
  }

  /** Counts its calls. */
  private static final class Counted implements Layer {
    private final Parameter calls = Parameter.fixed(Shape.of(1), (values, random) -> {});

    @Override
    public Tensor apply(Tensor x) {
      calls.device().pointwise().addScaled(1, x.tape().input(1).value(), calls.value(), 1);
      return x;
    }

    @Override
    public List<Parameter> own() {
      return running();
    }

    @Override
    public List<Parameter> running() {
      return List.of(calls);
    }
  }

  private static List<float[]> values(Layer layer) {
    return layer.running().stream().map(Tensor::toArray).toList();
  }

  private static void same(List<float[]> expected, Layer layer) {
    List<float[]> actual = values(layer);
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i));
    }
  }

  /** A list of inputs is one call: the steps before the one that is refused have not been run. */
  @Test
  void aListIsRunAsAWhole() {
    Chain model = chain(lstm(IN, 4), dense(4, 2)).on(device, 1);
    models.add(model);
    model.apply(Cells.input(tape, 1, IN, BATCH));
    State before = model.recurs().getFirst().held().live;
    List<Tensor> steps =
        List.of(Cells.input(tape, 2, IN, BATCH), Cells.input(tape, 3, IN, BATCH + 1));
    assertThrows(ShapeException.class, () -> model.over(steps));
    assertSame(before, model.recurs().getFirst().held().live);
    assertThrows(ShapeException.class, () -> model.recurs().getFirst().over(steps));
    assertSame(before, model.recurs().getFirst().held().live);
  }

  /** A window within a model that fails behind it stays as it was. */
  @Test
  void aWindowInAModelThatFailsStays() {
    Layer window = chain(gru(IN, IN), lstm(IN, IN)).slide(3);
    Layer model = chain(window, new OneStep(), dense(IN, 2)).on(device, 1);
    models.add(model);
    List<Map<String, float[]>> gradients = new ArrayList<>();
    for (boolean fails : new boolean[] {false, true}) {
      for (int t = 0; t < 6; t++) {
        if (fails) {
          Tensor x = Cells.input(tape, 9, IN, BATCH, 1);
          assertThrows(ShapeException.class, () -> model.apply(x));
        }
        Tensor y = model.apply(Cells.input(tape, t, IN, BATCH));
        tape.backward(Cells.weighed(tape, y, t));
        gradients.add(Cells.gradients(model));
        model.parameters().zeroGradients();
        model.truncate();
        tape.clear();
      }
      model.reset();
    }
    for (int t = 0; t < 6; t++) {
      Map<String, float[]> failed = gradients.get(6 + t);
      gradients.get(t).forEach((name, g) -> assertArrayEquals(g, failed.get(name), name));
    }
  }

  /** Refuses a sequence, also one of one step. */
  private record OneStep() implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      if (x.shape().rank() == 3) {
        throw new ShapeException("one step: x=" + x.shape());
      }
      return x;
    }
  }

  @Test
  void aWindowOverTwoDirectionsIsRefusedAtOnce() {
    Chain model = chain(lstm(IN, 4), residual(bidirectional(gru(4, 2), gru(4, 2)))).on(device, 1);
    Thrown.says(
        IllegalArgumentException.class,
        () -> model.slide(3),
        "slide: Chain has a layer of two directions; its backward direction needs the steps that"
            + " follow, and a window moves by one step");
    Layer alone = model.layers().get(1);
    Thrown.says(IllegalArgumentException.class, () -> alone.slide(1), "slide: Residual has");
    assertTrue(model.recurs().stream().allMatch(Recur::isFresh));
  }
}
