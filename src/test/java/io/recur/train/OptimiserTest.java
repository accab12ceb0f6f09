package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Elsewhere;
import io.recur.Near;
import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class OptimiserTest {
  private static final int STEPS = 6;

  @AutoClose private final Device device = Devices.here();

  private Single model(float... values) {
    Single model = new Single(Parameter.of(Shape.of(values.length), values));
    model.on(device, 1);
    return model;
  }

  @ParameterizedTest
  @FieldSource("io.recur.train.Optimisers#NAMES")
  void stepsArePyTorchs(String name) {
    Pinned pinned = Pinned.of("optimisers.txt");
    Single model = model(pinned.floats("p"));
    Optimiser optimiser = Optimisers.named(name);
    for (int k = 1; k <= STEPS; k++) {
      model.own().get(0).gradient().write(pinned.floats("g" + k));
      optimiser.step(model.parameters());
      double[] expected = pinned.doubles(name + "_" + k);
      double[] start = pinned.doubles("p");
      double[] magnitude = new double[start.length];
      for (int i = 0; i < start.length; i++) {
        magnitude[i] = Math.max(Math.abs(start[i]), Math.abs(expected[i])); // it may pass zero
      }
      // floats against PyTorch in double, six steps long
      Near.check(name + " step " + k, expected, magnitude, model.values(0), 1e-5);
      assertEquals(k, optimiser.steps());
    }
  }

  /** After one step from zero moments the root of the weight 1 − α alone is left. */
  @Test
  void aFactorNearOneIsTheDecimalThatItWasWrittenAs() {
    for (float alpha : new float[] {0.9f, 0.999f, 0.9999f, 0.99999f}) {
      Single model = model(0f);
      model.own().get(0).gradient().write(3f);
      new RmsProp(1f, alpha, 1e-30f).step(model.parameters());
      double weight = 1 - Double.parseDouble(Float.toString(alpha));
      double expected = -1 / Math.sqrt(weight);
      // roundings of the weight, the square, the mean, the root and the quotient
      assertEquals(expected, model.values(0)[0], 3e-7 * -expected, "alpha=" + alpha);
    }
  }

  private static float[] settings(Optimiser optimiser, long step) {
    float[] settings = new float[6];
    optimiser.settings(step, settings);
    return settings;
  }

  private static void assertIs(BigDecimal exact, float found, String of) {
    float nearest = exact.floatValue();
    assertEquals(nearest, found, Math.ulp(nearest), of); // a double's roundings, then a float's
  }

  /** As floats the distances from 1 would be off by 2e-4 and 8e-3, the corrections with them. */
  @Test
  void distancesFromOneAndBiasCorrectionsAreFormedInDouble() {
    BigDecimal rate = new BigDecimal(0.5);
    for (String factor : List.of("0.9", "0.999", "0.9999", "0.99999")) {
      float f = Float.parseFloat(factor);
      BigDecimal distance = BigDecimal.ONE.subtract(new BigDecimal(factor));
      assertIs(distance, settings(new RmsProp(0.5f, f, 1), 1)[1], "RMSProp " + f);
      assertIs(distance, settings(new AdaDelta(0.5f, f, 1), 1)[1], "AdaDelta " + f);
      for (int t : new int[] {1, 2, 10, 1000}) {
        BigDecimal correction =
            BigDecimal.ONE.subtract(new BigDecimal(factor).pow(t, MathContext.DECIMAL128));
        BigDecimal corrected = rate.divide(correction, MathContext.DECIMAL128);
        BigDecimal root =
            BigDecimal.ONE.divide(correction.sqrt(MathContext.DECIMAL128), MathContext.DECIMAL128);
        float[] adam = settings(new Adam(0.5f, f, f, 1), t);
        float[] adaMax = settings(new AdaMax(0.5f, f, f, 1), t);
        String of = " " + f + " step " + t;
        assertIs(corrected, adam[0], "Adam rate" + of);
        assertIs(distance, adam[1], "Adam 1 − β₁" + of);
        assertIs(distance, adam[2], "Adam 1 − β₂" + of);
        assertIs(root, adam[4], "Adam 1/√c₂" + of);
        assertIs(corrected, adaMax[0], "AdaMax rate" + of);
        assertIs(distance, adaMax[1], "AdaMax 1 − β₁" + of);
      }
    }
  }

  @Test
  void anotherModelOfTheSameSizesIsRefused() {
    Single one = model(1, 2, 3);
    Single two = model(1, 2, 3);
    for (String name : Optimisers.NAMES) {
      Optimiser optimiser = Optimisers.named(name);
      optimiser.step(one.parameters());
      Thrown.says(
          IllegalStateException.class,
          () -> optimiser.step(two.parameters()),
          "another model of",
          "one optimiser per model");
      optimiser.step(one.parameters());
      assertEquals(2, optimiser.steps(), name);
    }
  }

  @Test
  void aSecondThreadIsRefusedWhileAnotherChangesTheModel() {
    Single model = model(1, 2, 3);
    try (var _ = model.own().get(0).placement().slabs().enter()) {
      Elsewhere.isRefused("gradients of a model", () -> new Adam(1).step(model.parameters()));
      Elsewhere.isRefused("gradients of a model", model.parameters()::zeroGradients);
    }
  }

  @Test
  void aStepZeroesTheGradients() {
    for (String name : Optimisers.NAMES) {
      Single model = model(1, 2, 3);
      model.own().get(0).gradient().write(4, 5, 6);
      Optimisers.named(name).step(model.parameters());
      assertArrayEquals(new float[3], model.own().get(0).gradientArray(), name);
    }
  }

  @Test
  void everyParameterOfTheModelIsChanged() {
    for (String name : Optimisers.NAMES) {
      Single model =
          new Single(
              Parameter.of(Shape.of(3), 1, 1, 1),
              Parameter.of(Shape.of(17, 2), (values, random) -> Arrays.fill(values, 1)),
              Parameter.fixed(Shape.of(2), 1, 1));
      model.on(device, 1);
      model.own().get(0).gradient().write(1, 1, 1);
      float[] ones = new float[34];
      Arrays.fill(ones, 1);
      model.own().get(1).gradient().write(ones);
      Optimisers.named(name).step(model.parameters());
      float moved = model.values(0)[0];
      assertTrue(moved != 1, name);
      for (float value : model.values(1)) {
        assertEquals(moved, value, name);
      }
      assertArrayEquals(new float[] {1, 1}, model.values(2), name);
    }
  }

  @Test
  void aRestoredOptimiserContinuesIdentically() {
    for (String name : Optimisers.NAMES) {
      Single model = model(1, -2, 3, -4, 5);
      Optimiser optimiser = Optimisers.named(name);
      for (long k = 0; k < 4; k++) {
        Optimisers.differentiate(model, k);
        optimiser.step(model.parameters());
      }
      Single twin = model(model.values(0));
      Optimiser restored = Optimisers.named(name);
      restored.restore(twin.parameters(), optimiser.steps(), optimiser.save(model.parameters()));
      assertEquals(4, restored.steps());
      for (long k = 4; k < 8; k++) {
        Optimisers.differentiate(model, k);
        optimiser.step(model.parameters());
        Optimisers.differentiate(twin, k);
        restored.step(twin.parameters());
        assertArrayEquals(model.values(0), twin.values(0), name + " step " + k);
      }
    }
  }

  @Test
  void aCheckpointOfAnotherKindThrowsAndChangesNothing() {
    Single model = model(1, 2);
    Optimiser adam = new Adam(0.1f);
    Optimisers.differentiate(model, 1);
    adam.step(model.parameters());
    List<float[]> before = adam.save(model.parameters());
    Thrown.says(
        IllegalArgumentException.class,
        () -> adam.restore(model.parameters(), 9, List.of(before.get(0))),
        "optimiser: Adam remembers 2 × 16 values, the checkpoint holds [16]");
    Thrown.says(
        IllegalArgumentException.class,
        () -> adam.restore(model.parameters(), 9, List.of(new float[16], new float[3])),
        "the checkpoint holds [16, 3]; same kind, same model");
    Thrown.says(
        IllegalArgumentException.class,
        () -> adam.restore(model.parameters(), -1, before),
        "optimiser: steps=-1; need 0 or more");
    assertEquals(1, adam.steps());
    assertArrayEquals(before.get(1), adam.save(model.parameters()).get(1));
  }

  @Test
  void moreValuesThanAnArrayHoldsAreRefused() {
    assertEquals(Integer.MAX_VALUE - 8, Optimiser.arrayLength(Integer.MAX_VALUE - 8));
    Thrown.says(
        IllegalArgumentException.class,
        () -> Optimiser.arrayLength(1L << 31),
        "optimiser: 2147483648 values, an array holds 2147483639; keep them with Checkpoint.save");
  }

  @Test
  void anotherModelThrowsAndIsUnchanged() {
    Single model = model(1, 2);
    Single larger = model(new float[40]);
    Optimiser optimiser = new Momentum(0.1f);
    optimiser.step(model.parameters());
    Optimisers.differentiate(larger, 1);
    Thrown.says(
        IllegalStateException.class,
        () -> optimiser.step(larger.parameters()),
        "the model has 48 values in pieces of [48], at the first step it had 16 in [16]",
        "one optimiser per model");
    assertArrayEquals(new float[40], larger.values(0));
    assertEquals(1, optimiser.steps());
  }

  @Test
  void manyStepsOfNAdamStayFinite() {
    Single model = model(5f);
    Optimiser nadam = new NAdam(0.1f);
    for (int k = 0; k < 1000; k++) {
      model.own().get(0).gradient().write(model.values(0)[0]); // of w²/2
      nadam.step(model.parameters());
    }
    assertEquals(0, model.values(0)[0], 1e-2); // the minimum, at a rate that never falls
  }

  @Test
  void aFirstStepWithoutGradientsIsToldOnce() {
    Logger logger = Logger.getLogger("io.recur");
    List<String> told = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            if (record.getMessage().startsWith("optimiser: ")) {
              told.add(record.getMessage());
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try {
      Single model = model(1, 2);
      Optimiser adam = new Adam(0.1f);
      adam.step(model.parameters());
      adam.step(model.parameters());
      assertEquals(1, told.size());
      assertTrue(told.getFirst().contains("call tape.backward(loss) before step"));
      model.own().get(0).gradient().write(1, 1);
      new Sgd(0.1f).step(model.parameters());
      assertEquals(1, told.size());
    } finally {
      logger.removeHandler(handler);
    }
  }
}
