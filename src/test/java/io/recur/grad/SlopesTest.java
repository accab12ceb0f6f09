package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import java.util.Arrays;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Functions with a setting for the values below 0. */
class SlopesTest {
  private static final float INF = Float.POSITIVE_INFINITY;

  /** PyTorch's numbers are rounded to nine digits; ours are floats. */
  private static final double PINNED = 1e-6;

  private static final Map<String, UnaryOperator<Tensor>> PYTORCHS =
      Map.of(
          "leaky_relu", x -> Functions.leakyRelu(x, 0.2f),
          "elu", x -> Functions.elu(x, 0.7f),
          "celu", x -> Functions.celu(x, 0.4f),
          "selu", Functions::selu);

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Pinned pinned = Pinned.of("slopes.txt");

  /** At 0 too. */
  @Test
  void valuesAndDerivativesArePyTorchs() {
    PYTORCHS.forEach(
        (name, f) -> {
          float[] values = pinned.floats("x");
          Tensor x = tape.variable(Shape.of(values.length), values);
          Tensor y = f.apply(x);
          tape.backward(y.sum());
          Near.check(name, pinned.doubles("y_" + name), y.toArray(), PINNED);
          Near.check(name + "'", pinned.doubles("d_" + name), x.gradientArray(), PINNED);
        });
  }

  /** A slope per row, and one for all. */
  @Test
  void learnedSlopesArePyTorchs() {
    for (String name : new String[] {"s", "t"}) {
      Tensor x = tape.variable(Shape.of(3, 4), pinned.floats("x_prelu_" + name));
      float[] slopes = pinned.floats(name);
      Parameter slope = Parameter.of(Shape.of(slopes.length), slopes).on(device);
      Tensor y = Functions.prelu(x, slope);
      tape.backward(Functions.square(y).sum());
      Near.check("prelu", pinned.doubles("y_prelu_" + name), y.toArray(), PINNED);
      Near.check("dx", pinned.doubles("d_prelu_" + name), x.gradientArray(), PINNED);
      Near.check("slope", pinned.doubles("d_" + name), slope.gradientArray(), PINNED);
    }
  }

  @Test
  void gradientsEqualDifferences() {
    check("leakyRelu", x -> Functions.leakyRelu(x, 0.3f), v -> v > 0 ? v : 0.3 * v);
    check("leakyRelu < 0", x -> Functions.leakyRelu(x, -1.5f), v -> v > 0 ? v : -1.5 * v);
    check("elu", x -> Functions.elu(x, 1.6f), v -> v > 0 ? v : 1.6 * Math.expm1(v));
    check("celu", x -> Functions.celu(x, 2), v -> v > 0 ? v : 2 * Math.expm1(v / 2));
    check(
        "selu",
        Functions::selu,
        v -> 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * Math.expm1(v)));
    for (Shape slopes : new Shape[] {Shape.of(3), Shape.of(1)}) {
      GradientCheck.of(Shape.of(3, 5), slopes)
          .check("prelu " + slopes, x -> prelu(x[0], x[1]), x -> prelu(x[0], x[1]));
    }
  }

  private static Tensor prelu(Tensor x, Tensor slope) {
    return Functions.prelu(x.tape() == null ? slope.tape().use(x) : x, slope);
  }

  private static double[] prelu(double[] x, double[] slope) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i] > 0 ? x[i] : slope[i % slope.length] * x[i];
    }
    return y;
  }

  private static void check(String what, UnaryOperator<Tensor> f, DoubleUnaryOperator exact) {
    GradientCheck.of(Shape.of(3, 5))
        .check(what, x -> f.apply(x[0]), x -> Reference.map(x[0], exact));
  }

  /** The slope of the table's function gives its bits, and infinite values stay so. */
  @Test
  void thePresetIsTheTables() {
    float[] values = {-INF, -1e30f, -3, -0.1f, 0, 1e-20f, 2, 1e30f, INF, Float.NaN};
    Tensor x = tape.input(values);
    assertArrayEquals(
        Functions.leakyRelu(x).toArray(), Functions.leakyRelu(x, 0.01f).toArray(), "leakyRelu");
    assertArrayEquals(Functions.elu(x).toArray(), Functions.elu(x, 1).toArray(), "elu");
  }

  /** A cell that uses them is compiled, and is what its steps are. */
  @Test
  void aCellWithThemIsCompiled() {
    Parameter w = Parameter.glorot(4, 3).named("W");
    Parameter u = Parameter.glorot(4, 4).named("U");
    Parameter slope = Parameter.of(Shape.of(4), 0.1f, 0.2f, -0.3f, 0.4f).named("slope");
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor sums = w.matmul(x).add(u.matmul(h));
                  Tensor y = Functions.leakyRelu(Functions.elu(sums, 0.5f), 0.2f);
                  return Step.step(Functions.prelu(y, slope), Functions.geluErf(sums));
                },
                Parameter.zeros(Shape.of(4, 1)),
                w,
                u,
                slope)
            .on(device, 1)
            .requireCompiled();
    float[] compiled = gradients(recur);
    float[] steps = gradients(recur.fork().stepwise());
    Near.check("gradients", Reference.doubles(steps), compiled, 1e-5);
  }

  private float[] gradients(Recur recur) {
    recur.parameters().zeroGradients();
    float[] values = new float[3 * 2 * 5];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i);
    }
    tape.backward(recur.apply(tape.input(Shape.of(3, 2, 5), values)).sum());
    recur.reset();
    float[] all = new float[0];
    for (Parameter parameter : recur.parameters()) {
      float[] gradient = parameter.gradientArray();
      int at = all.length;
      all = Arrays.copyOf(all, at + gradient.length);
      System.arraycopy(gradient, 0, all, at, gradient.length);
    }
    assertEquals(12 + 16 + 4 + 4, all.length);
    return all;
  }

  @Test
  void badSettingsThrow() {
    Tensor x = tape.input(Shape.of(3, 2), new float[6]);
    for (float bad : new float[] {Float.NaN, INF, -INF}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Functions.leakyRelu(x, bad),
          "leakyRelu: slope=" + bad + "; need a finite number");
      Thrown.says(IllegalArgumentException.class, () -> Functions.elu(x, bad), "elu: alpha=");
      Thrown.says(IllegalArgumentException.class, () -> Functions.celu(x, bad), "celu: alpha=");
    }
    Thrown.says(
        IllegalArgumentException.class, () -> Functions.celu(x, 0), "celu: alpha=0.0; need");
    for (Shape slopes : new Shape[] {Shape.of(2), Shape.of(3, 2), Shape.of(1, 3)}) {
      Parameter slope = Parameter.zeros(slopes).on(device);
      Thrown.says(
          ShapeException.class,
          () -> Functions.prelu(x, slope),
          "prelu: x=3×2, slope=" + slopes + "; need one slope, or one per row, 3");
    }
  }
}
