package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Guide;
import io.recur.Near;
import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs the lines of the guide to compiled cells, and holds that they are those lines. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
@Tag(Devices.CPU) // its answers stand in the guide, which only a checkout has
class CompiledGuideTest {
  private static final Path GUIDE = Path.of("docs/compiled.md");
  private static final int IN = 3;
  private static final int UNITS = 5;
  private static final int TIME = 6;

  /** Of differences: the third derivative times its square is below 1e-8. */
  private static final double STEP = 1e-5;

  private final Device device;
  private final Parameter Wxh;
  private final Parameter Whh;
  private final Parameter b;
  private final Parameter state0;
  private final List<Parameter> all;

  CompiledGuideTest(Device device) {
    this.device = device;
    Wxh = Cells.random(UNITS, IN).named("Wxh").on(device);
    Whh = Cells.random(UNITS, UNITS).named("Whh").on(device);
    b = Cells.random(UNITS).named("b").on(device);
    state0 = Cells.random(UNITS, 1).named("state0").on(device);
    all = List.of(Wxh, Whh, b, state0);
  }

  @Test
  void theGuideShowsTheLinesOfThisTest() throws IOException {
    Guide.shows(GUIDE, 4, Path.of("src/test/java/io/recur/nn/CompiledGuideTest.java"));
  }

  @Test
  void theFirstCellIsCompiled() throws IOException {
    try (Tape tape = Tape.on(device)) {
      Tensor x = Cells.input(tape, 1, IN, 1, TIME);
      Recur mine =
          new Recur(
              (state, in) -> {
                Tensor next = Functions.tanh(Wxh.matmul(in).add(Whh.matmul(state)).add(b));
                return Step.step(next, next);
              },
              state0,
              Wxh,
              Whh,
              b);
      Tensor out = mine.apply(x);
      String how = mine.explain();
      isShown(how);
      isRight(x, out, v -> Reference.value(Elementwise.TANH, v));

      Layer model = mine;
      model.requireCompiled();
      model.stepwise();
      assertTrue(model.explain().contains("stepwise() was called"), model.explain());
      mine.reset();
    }
  }

  @Test
  void anActivationOfYourOwnIsAMethod() throws IOException {
    try (Tape tape = Tape.on(device)) {
      Tensor x = Cells.input(tape, 1, IN, 1, TIME);
      final class Mine {
        /** x·tanh(log(1 + eˣ)) (Misra 2019). */
        static Tensor mish(Tensor x) {
          return x.mul(Functions.tanh(Functions.softplus(x)));
        }
      }
      Recur mish =
          new Recur(
                  (state, in) -> {
                    Tensor next = Mine.mish(Wxh.matmul(in).add(Whh.matmul(state)).add(b));
                    return Step.step(next, next);
                  },
                  state0,
                  Wxh,
                  Whh,
                  b)
              .requireCompiled();
      Tensor out = mish.apply(x);
      String how = mish.explain();
      isShown(how);
      isRight(x, out, v -> v * Math.tanh(Reference.value(Elementwise.SOFTPLUS, v)));
      mish.reset();
    }
  }

  private static void isShown(String how) throws IOException {
    assertTrue(Files.readString(GUIDE).contains("```\n" + how.strip() + "\n```"), how);
  }

  /** Outputs, and the gradients of their sum, in double precision; these by differences. */
  private void isRight(Tensor x, Tensor out, DoubleUnaryOperator f) {
    double[] in = Reference.doubles(x.toArray());
    double[][] values =
        all.stream().map(its -> Reference.doubles(its.toArray())).toArray(double[][]::new);
    Near.near("out", outputs(f, in, values), out.toArray(), Near.FLOAT);
    x.tape().backward(out.sum());
    for (int i = 0; i < values.length; i++) {
      double[] gradient = new double[values[i].length];
      for (int k = 0; k < gradient.length; k++) {
        double value = values[i][k];
        values[i][k] = value + STEP;
        double more = Arrays.stream(outputs(f, in, values)).sum();
        values[i][k] = value - STEP;
        gradient[k] = (more - Arrays.stream(outputs(f, in, values)).sum()) / (2 * STEP);
        values[i][k] = value;
      }
      Near.near("d" + all.get(i).name(), gradient, all.get(i).gradientArray(), Near.FLOAT);
    }
  }

  /** The outputs of all steps. */
  private static double[] outputs(DoubleUnaryOperator f, double[] x, double[]... its) {
    double[] h = its[3];
    double[][] out = new double[TIME][];
    for (int t = 0; t < TIME; t++) {
      double[] wx = Reference.matmul(UNITS, IN, its[0], Reference.slice(x, t * IN, (t + 1) * IN));
      double[] wh = Reference.matmul(UNITS, UNITS, its[1], h);
      double[] sums = Reference.zip(Reference.zip(wx, wh, Double::sum), its[2], Double::sum);
      h = Reference.map(sums, f);
      out[t] = h;
    }
    return Reference.join(out);
  }
}
