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
import java.util.Random;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class OptimiserTest {
  private static final int STEPS = 6;

  private static final List<String> NAMES =
      Pinned.of("optimisers.txt").names().stream()
          .filter(name -> name.endsWith("_1"))
          .map(name -> name.substring(0, name.length() - 2))
          .toList();

  @AutoClose private final Device device = Devices.here();

  /** As the head of optimisers.txt says. */
  private static Optimiser named(String name) {
    return switch (name) {
      case "sgd" -> new Sgd(0.1f);
      case "momentum" -> new Momentum(0.1f);
      case "nesterov" -> new Nesterov(0.1f);
      case "rmsprop" -> new RmsProp(0.01f);
      case "adam" -> new Adam(0.002f);
      case "adamw" -> new AdamW(0.002f, 0.01f);
      case "adagrad" -> new AdaGrad(0.01f);
      case "adadelta" -> new AdaDelta();
      case "adamax" -> new AdaMax(0.002f);
      case "nadam" -> new NAdam(0.002f);
      case "amsgrad" -> new AmsGrad(0.002f);
      case "radam" -> new RAdam(0.002f);
      case "lion" -> new Lion(0.002f);
      case "sgd_all" -> new Sgd(0.1f).decay(0.02f).maximise();
      case "momentum_all" -> new Momentum(0.1f, 0.9f, 0.3f).decay(0.02f).maximise();
      case "nesterov_all" -> new Nesterov(0.1f, 0.8f).decay(0.02f);
      case "rmsprop_momentum" -> new RmsProp(0.01f, 0.95f, 1e-6f, 0.8f, false);
      case "rmsprop_all" -> new RmsProp(0.01f, 0.95f, 1e-6f, 0.8f, true).decay(0.02f);
      case "adam_all" -> new Adam(0.002f, 0.8f, 0.99f, 1e-6f).decay(0.02f).maximise();
      case "adamw_all" -> new AdamW(0.002f, 0.8f, 0.99f, 1e-6f, 0.05f);
      case "adagrad_all" -> new AdaGrad(0.01f, 1e-6f, 0.1f, 0.5f).decay(0.02f);
      case "adadelta_all" -> new AdaDelta(0.5f, 0.8f, 1e-5f).decay(0.02f);
      case "adamax_all" -> new AdaMax(0.002f, 0.8f, 0.99f, 1e-6f).decay(0.02f);
      case "nadam_all" -> new NAdam(0.002f, 0.8f, 0.99f, 1e-6f, 0.01f).decoupledDecay(0.05f);
      case "amsgrad_all" -> new AmsGrad(0.002f, 0.8f, 0.99f, 1e-6f).decoupledDecay(0.05f);
      case "radam_all" -> new RAdam(0.002f, 0.8f, 0.9f, 1e-6f).decay(0.02f);
      case "lion_all" -> new Lion(0.002f, 0.8f, 0.95f).decoupledDecay(0.05f);
      default -> throw new IllegalArgumentException(name);
    };
  }

  private Single model(float... values) {
    Single model = new Single(Parameter.of(Shape.of(values.length), values));
    model.on(device, 1);
    return model;
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void stepsArePyTorchs(String name) {
    Pinned pinned = Pinned.of("optimisers.txt");
    Single model = model(pinned.floats("p"));
    Optimiser optimiser = named(name);
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
    for (String name : NAMES) {
      Optimiser optimiser = named(name);
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
    for (String name : NAMES) {
      Single model = model(1, 2, 3);
      model.own().get(0).gradient().write(4, 5, 6);
      named(name).step(model.parameters());
      assertArrayEquals(new float[3], model.own().get(0).gradientArray(), name);
    }
  }

  @Test
  void everyParameterOfTheModelIsChanged() {
    for (String name : NAMES) {
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
      named(name).step(model.parameters());
      float moved = model.values(0)[0];
      assertTrue(moved != 1, name);
      for (float value : model.values(1)) {
        assertEquals(moved, value, name);
      }
      assertArrayEquals(new float[] {1, 1}, model.values(2), name);
    }
  }

  /** Deterministic gradients of step k. */
  private static void differentiate(Single model, long k) {
    Random random = new Random(k);
    for (Parameter parameter : model.own()) {
      float[] values = new float[parameter.shape().count()];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat() - 0.5f;
      }
      parameter.gradient().write(values);
    }
  }

  @Test
  void aRestoredOptimiserContinuesIdentically() {
    for (String name : NAMES) {
      Single model = model(1, -2, 3, -4, 5);
      Optimiser optimiser = named(name);
      for (long k = 0; k < 4; k++) {
        differentiate(model, k);
        optimiser.step(model.parameters());
      }
      Single twin = model(model.values(0));
      Optimiser restored = named(name);
      restored.restore(twin.parameters(), optimiser.steps(), optimiser.save(model.parameters()));
      assertEquals(4, restored.steps());
      for (long k = 4; k < 8; k++) {
        differentiate(model, k);
        optimiser.step(model.parameters());
        differentiate(twin, k);
        restored.step(twin.parameters());
        assertArrayEquals(model.values(0), twin.values(0), name + " step " + k);
      }
    }
  }

  @Test
  void aCheckpointOfAnotherKindThrowsAndChangesNothing() {
    Single model = model(1, 2);
    Optimiser adam = new Adam(0.1f);
    differentiate(model, 1);
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
    differentiate(larger, 1);
    Thrown.says(
        IllegalStateException.class,
        () -> optimiser.step(larger.parameters()),
        "the model has 48 values in pieces of [48], at the first step it had 16 in [16]",
        "one optimiser per model");
    assertArrayEquals(new float[40], larger.values(0));
    assertEquals(1, optimiser.steps());
  }

  @Test
  void settingsOutsideTheirRangeThrow() {
    for (float rate : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      for (Executable call :
          List.<Executable>of(
              () -> new Sgd(rate),
              () -> new Momentum(rate),
              () -> new Nesterov(rate),
              () -> new RmsProp(rate),
              () -> new Adam(rate),
              () -> new AdamW(rate, 0),
              () -> new AdaGrad(rate),
              () -> new AdaDelta(rate, 0.9f, 1e-6f),
              () -> new AdaMax(rate),
              () -> new NAdam(rate),
              () -> new RAdam(rate),
              () -> new Lion(rate),
              () -> new AmsGrad(rate))) {
        Thrown.says(IllegalArgumentException.class, call, "optimiser: rate=" + rate);
      }
    }
    for (float factor : new float[] {-0.1f, 1, Float.NaN, Float.POSITIVE_INFINITY}) {
      String is = "=" + factor;
      Thrown.says(IllegalArgumentException.class, () -> new Momentum(1, factor), "momentum" + is);
      Thrown.says(IllegalArgumentException.class, () -> new Nesterov(1, factor), "momentum" + is);
      Thrown.says(IllegalArgumentException.class, () -> new Adam(1, factor, 0.9f, 1), "beta1" + is);
      Thrown.says(IllegalArgumentException.class, () -> new Adam(1, 0.9f, factor, 1), "beta2" + is);
      Thrown.says(
          IllegalArgumentException.class, () -> new AdaMax(1, 0.9f, factor, 1), "beta2" + is);
      Thrown.says(IllegalArgumentException.class, () -> new RmsProp(1, factor, 1), "alpha" + is);
      for (Executable call :
          List.<Executable>of(
              () -> new AdamW(1, 0.9f, factor, 1, 0),
              () -> new AmsGrad(1, 0.9f, factor, 1),
              () -> new NAdam(1, 0.9f, factor, 1, 0),
              () -> new RAdam(1, 0.9f, factor, 1),
              () -> new Lion(1, 0.9f, factor))) {
        Thrown.says(IllegalArgumentException.class, call, "beta2" + is);
      }
      Thrown.says(
          IllegalArgumentException.class, () -> new Momentum(1, 0, factor), "dampening" + is);
      Thrown.says(
          IllegalArgumentException.class,
          () -> new RmsProp(1, 0.9f, 1, factor, true),
          "momentum" + is);
      Thrown.says(IllegalArgumentException.class, () -> new AdaDelta(1, factor, 1), "rho" + is);
    }
    for (float epsilon : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      for (Executable call :
          List.<Executable>of(
              () -> new Adam(1, 0.9f, 0.9f, epsilon),
              () -> new AdaGrad(1, epsilon),
              () -> new AdaMax(1, 0.9f, 0.9f, epsilon),
              () -> new RmsProp(1, 0.9f, epsilon),
              () -> new AdaDelta(1, 0.9f, epsilon))) {
        Thrown.says(IllegalArgumentException.class, call, "epsilon=" + epsilon);
      }
    }
    for (float decay : new float[] {-0.1f, Float.NaN, Float.POSITIVE_INFINITY}) {
      Thrown.says(IllegalArgumentException.class, () -> new AdamW(1, decay), "decay=" + decay);
      Thrown.says(IllegalArgumentException.class, () -> new Sgd(1).decay(decay), "decay=" + decay);
      Thrown.says(
          IllegalArgumentException.class, () -> new Sgd(1).decoupledDecay(decay), "decay=" + decay);
      Thrown.says(
          IllegalArgumentException.class,
          () -> new NAdam(1, 0, 0, 1, decay),
          "momentumDecay=" + decay);
      Thrown.says(
          IllegalArgumentException.class, () -> new AdaGrad(1, 1, decay, 0), "rateDecay=" + decay);
      Thrown.says(
          IllegalArgumentException.class, () -> new AdaGrad(1, 1, 0, decay), "initial=" + decay);
    }
  }

  @Test
  void theRateMayBeChangedButNotBelowZero() {
    Single model = model(1f);
    Optimiser sgd = new Sgd(0.5f);
    sgd.rate(0.25f);
    assertEquals(0.25f, sgd.rate());
    model.own().get(0).gradient().write(1);
    sgd.step(model.parameters());
    assertArrayEquals(new float[] {0.75f}, model.values(0));
    sgd.rate(0);
    Thrown.says(IllegalArgumentException.class, () -> sgd.rate(-1), "rate=-1.0");
    Thrown.says(IllegalArgumentException.class, () -> sgd.rate(Float.NaN), "rate=NaN");
    assertEquals(0, sgd.rate());
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

  /** Three parameters in one slab: any of them may be frozen, alone or with its neighbour. */
  @Test
  void whatIsFrozenStaysAndTheRestMovesAsBefore() {
    for (String name : NAMES) {
      for (int frozen = 0; frozen < 8; frozen++) {
        Single model = three();
        Single free = three();
        Optimiser optimiser = named(name);
        Optimiser other = named(name);
        for (long k = 0; k < 3; k++) {
          for (int i = 0; i < 3; i++) {
            Parameter parameter = model.own().get(i);
            if (k == 1 && (frozen >> i & 1) == 1) {
              parameter.freeze();
            }
          }
          differentiate(model, k);
          differentiate(free, k);
          optimiser.step(model.parameters());
          other.step(free.parameters());
          if (k == 0) {
            assertArrayEquals(free.values(0), model.values(0), name);
          }
          for (int i = 0; i < 3; i++) {
            String of = name + " " + frozen + " parameter " + i;
            boolean stays = (frozen >> i & 1) == 1;
            assertEquals(k > 0 && stays, !Arrays.equals(free.values(i), model.values(i)), of);
            assertArrayEquals(new float[17], model.own().get(i).gradientArray(), of);
          }
        }
      }
    }
  }

  private Single three() {
    Parameter.Initialiser draw =
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() + 0.5f;
          }
        };
    Single model =
        new Single(
            Parameter.of(Shape.of(17), draw),
            Parameter.of(Shape.of(17), draw),
            Parameter.of(Shape.of(17), draw));
    model.on(device, 1);
    return model;
  }

  @Test
  void frozenGradientsTakeNoPartInClipping() {
    Single model = three();
    float[] large = new float[17];
    large[0] = 30;
    float[] small = new float[17];
    small[0] = 4;
    model.own().get(0).gradient().write(large);
    model.own().get(1).gradient().write(small);
    model.own().get(0).freeze();
    assertEquals(4, Clip.norm(model.parameters(), 2));
    assertEquals(30, model.own().get(0).gradientArray()[0]);
    assertEquals(2, model.own().get(1).gradientArray()[0]);
    model.parameters().unfreeze();
    assertEquals(Math.sqrt(904), Clip.norm(model.parameters()), 1e-12);
    model.parameters().freeze();
    assertEquals(0, Clip.norm(model.parameters()));
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
