package io.recur.train;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.MeanSquaredError;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Parameters;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Averages and copies of weights, and steps along the mean gradient of several chunks. */
class AverageTest {
  @AutoClose private final Device device = Devices.here();

  @Test
  void averagesArePyTorchs() {
    Pinned pinned = Pinned.of("schedules.txt");
    Single model = new Single(Parameter.of(Shape.of(1, 5), 1, 2, 3, 4, 5));
    model.on(device, 1);
    Average average = new Average(model.parameters(), 0.9f);
    assertArrayEquals(model.values(0), value(average.parameters()));
    for (int k = 1; k < 5; k++) {
      model.own().get(0).value().write(pinned.floats("w_" + k));
      average.update();
      // three roundings an update
      Near.check("average " + k, pinned.doubles("average_" + k), value(average.parameters()), 1e-6);
      assertEquals(k, average.updates());
    }
    float[] weights = model.values(0);
    float[] averaged = value(average.parameters());
    average.swap();
    assertArrayEquals(averaged, model.values(0));
    average.swap();
    assertArrayEquals(weights, model.values(0));
    assertArrayEquals(averaged, value(average.parameters()));
    for (float wrong : new float[] {-1, 1, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> new Average(model.parameters(), wrong),
          "average: beta=" + wrong);
    }
  }

  private static float[] value(Parameters parameters) {
    return parameters.iterator().next().toArray();
  }

  @Test
  void aCopyKeepsAllWeightsAndBringsThemBack() {
    Single model =
        new Single(
            Parameter.of(Shape.of(3), 1, 2, 3).named("a"),
            Parameter.fixed(Shape.of(2), 4, 5).named("b"));
    Thrown.says(IllegalStateException.class, () -> model.parameters().copy(), "it has no memory");
    model.on(device, 7);
    Parameters copy = model.parameters().copy();
    assertEquals(model.parameters().named().keySet(), copy.named().keySet());
    assertEquals(3, copy.count());
    model.own().get(0).value().write(-1, -2, -3);
    model.own().get(1).value().write(-4, -5);
    assertArrayEquals(new float[] {1, 2, 3}, copy.named().get("a").toArray());
    model.parameters().copyFrom(copy);
    assertArrayEquals(new float[] {1, 2, 3}, model.values(0));
    assertArrayEquals(new float[] {4, 5}, model.values(1));
  }

  private Chain model() {
    return chain(gru(3, 4), dense(4, 2)).on(device, 5);
  }

  /** The loss over columns from to below to of 3 × 8 × 5 inputs. */
  private static Tensor loss(Chain model, Tape tape, int from, int to) {
    int batch = to - from;
    float[] x = new float[3 * batch * 5];
    float[] y = new float[2 * batch * 5];
    for (int t = 0; t < 5; t++) {
      for (int b = 0; b < batch; b++) {
        for (int i = 0; i < 3; i++) {
          x[(t * batch + b) * 3 + i] = (float) Math.sin(1.7 * i + 0.3 * t + (from + b));
        }
        for (int i = 0; i < 2; i++) {
          y[(t * batch + b) * 2 + i] = (float) Math.cos(1.1 * i + 0.4 * t + (from + b));
        }
      }
    }
    model.reset();
    Tensor out = model.apply(tape.input(Shape.of(3, batch, 5), x));
    return MeanSquaredError.meanSquaredError(out, tape.input(Shape.of(2, batch, 5), y));
  }

  @Test
  void accumulatedStepsAreThoseOfTheWholeBatch() {
    Chain parts = model();
    Chain whole = model();
    try (Tape tape = Tape.on(device)) {
      Trainer inParts =
          new Trainer(parts, new Sgd(0.5f), tape)
              .clipNorm(0.5f)
              .accumulate(4)
              .average(new Average(parts.parameters(), 0.5f));
      Trainer atOnce = new Trainer(whole, new Sgd(0.5f), tape).clipNorm(0.5f);
      double[] losses = new double[3];
      double[] norms = new double[3];
      inParts.onStep(
          event -> {
            losses[(int) event.step() - 1] = event.loss();
            norms[(int) event.step() - 1] = event.norm();
            return true;
          });
      for (int pass = 0; pass < 2; pass++) {
        assertEquals(4, inParts.pass(0, 4, i -> loss(parts, tape, 2 * i, 2 * i + 2)));
        int now = pass;
        atOnce.onStep(
            event -> {
              assertEquals(event.loss(), losses[now], 1e-6); // sums in another order
              assertEquals(event.norm(), norms[now], 1e-5 * event.norm()); // as above
              return true;
            });
        atOnce.pass(0, 1, i -> loss(whole, tape, 0, 8));
      }
      Map<String, Parameter> expected = whole.parameters().named();
      parts
          .parameters()
          .named()
          .forEach(
              (name, p) ->
                  assertArrayEquals(expected.get(name).toArray(), p.toArray(), 1e-5f, name));
      int chunks = inParts.pass(0, 2, i -> loss(parts, tape, i, i + 1));
      assertEquals(2, chunks);
    }
  }

  @Test
  void aChunkThatFailsLeavesNoGradientsOfThoseBefore() {
    Chain model = model();
    try (Tape tape = Tape.on(device)) {
      Trainer trainer = new Trainer(model, new Sgd(0.5f), tape).accumulate(2);
      Thrown.says(
          IllegalStateException.class,
          () ->
              trainer.pass(
                  0,
                  2,
                  i -> {
                    if (i == 1) {
                      assertNotEquals(0, Clip.norm(model.parameters()));
                      throw new IllegalStateException("no such chunk");
                    }
                    return loss(model, tape, 0, 2);
                  }),
          "no such chunk");
      assertEquals(0, Clip.norm(model.parameters()));
      Thrown.says(IllegalArgumentException.class, () -> trainer.accumulate(0), "accumulate=0");
    }
  }
}
