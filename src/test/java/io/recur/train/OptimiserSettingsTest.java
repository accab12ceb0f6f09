package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class OptimiserSettingsTest {
  @AutoClose private final Device device = Devices.here();

  private Single model(float... values) {
    Single model = new Single(Parameter.of(Shape.of(values.length), values));
    model.on(device, 1);
    return model;
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
}
