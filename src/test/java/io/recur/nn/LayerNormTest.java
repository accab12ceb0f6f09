package io.recur.nn;

import static io.recur.nn.LayerNorm.layerNorm;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.GradientCheck;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class LayerNormTest {
  private static final float EPSILON = LayerNorm.EPSILON;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private static double[] exact(double[] x, double[] gain, double[] bias) {
    int m = gain.length;
    double[] y = new double[x.length];
    for (int j = 0; j < x.length; j += m) {
      double[] column = Arrays.copyOfRange(x, j, j + m);
      double mean = Arrays.stream(column).sum() / m;
      double variance = Arrays.stream(column).map(v -> (v - mean) * (v - mean)).sum() / m;
      for (int i = 0; i < m; i++) {
        y[j + i] = (column[i] - mean) / Math.sqrt(variance + EPSILON) * gain[i] + bias[i];
      }
    }
    return y;
  }

  @Test
  void theGradientEqualsDifferences() {
    for (Shape shape : new Shape[] {Shape.of(7), Shape.of(7, 3), Shape.of(7, 2, 3)}) {
      GradientCheck.of(shape, Shape.of(7), Shape.of(7))
          .check(
              "layerNorm " + shape,
              x -> layerNorm(lifted(x), x[1], x[2], EPSILON),
              x -> exact(x[0], x[1], x[2]));
    }
  }

  /** The first tensor, on the tape of the others where it is a parameter. */
  private static Tensor lifted(Tensor... x) {
    for (Tensor other : x) {
      if (x[0] instanceof Parameter parameter && other.tape() != null) {
        return other.tape().use(parameter);
      }
    }
    return x[0];
  }

  @Test
  void aStepWithItCanBeTraced() {
    Parameter gain = Parameter.of(Shape.of(3), 1, 2, 3).on(device);
    Parameter bias = Parameter.of(Shape.of(3), 4, 5, 6).on(device);
    Trace.Body step =
        (state, x) -> {
          Tensor h = layerNorm(state.getFirst().add(x), gain, bias, EPSILON);
          return List.of(h, h);
        };
    Shape shape = Shape.of(3, 2);
    Trace.Result result = Trace.of(device, true, shape, false, List.of(shape), step);
    assertEquals("", result.reason());
  }

  @Test
  void valueAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("layer_norm.txt");
    Parameter gain = Parameter.of(Shape.of(7), pinned.floats("gain"));
    Parameter bias = Parameter.of(Shape.of(7), pinned.floats("bias"));
    LayerNorm layer = new LayerNorm(gain, bias, EPSILON).on(device, 1);
    Tensor x = tape.variable(Shape.of(pinned.dims("x")), pinned.floats("x"));
    Tensor y = layer.apply(x);
    tape.backward(y, pinned.floats("dy"));
    Near.check("y", pinned.doubles("y"), y.toArray(), Near.FLOAT);
    Near.check("dx", pinned.doubles("dx"), x.gradientArray(), Near.FLOAT);
    Near.check("dgain", pinned.doubles("dgain"), gain.gradientArray(), Near.FLOAT);
    Near.check("dbias", pinned.doubles("dbias"), bias.gradientArray(), Near.FLOAT);
  }

  @Test
  void aFreshLayerGivesMeanZeroAndVarianceOne() {
    LayerNorm layer = new LayerNorm(257).on(device, 1);
    float[] x = new float[257 * 3];
    Random random = new Random(1);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (3 + 2 * random.nextGaussian());
    }
    float[] y = layer.apply(tape.input(Shape.of(257, 3), x)).toArray();
    for (int j = 0; j < 3; j++) {
      double sum = 0;
      double squares = 0;
      for (int i = 0; i < 257; i++) {
        sum += y[257 * j + i];
        squares += (double) y[257 * j + i] * y[257 * j + i];
      }
      assertEquals(0, sum / 257, 1e-6); // the mean is rounded once, to a float
      assertEquals(1, squares / 257, 1e-5); // ε is 10⁻⁵, of a variance of 4
    }
  }

  @Test
  void aColumnsBitsDependOnThatColumnAlone() {
    for (int rows : new int[] {1, 3, 16, 17, 63, 64, 65, 257}) {
      LayerNorm layer = new LayerNorm(rows).on(device, 1);
      Tensor x = tape.input(Shape.of(rows, 5, 3), Cells.values(new Random(rows), rows * 15));
      float[] all = layer.apply(x).toArray();
      for (int column : new int[] {0, 7, 14}) {
        Tensor alone = x.time(column / 5).columns(column % 5, column % 5 + 1);
        assertArrayEquals(
            Arrays.copyOfRange(all, rows * column, rows * (column + 1)),
            layer.apply(alone).toArray(),
            "column " + column + " of " + rows + " rows");
      }
    }
  }

  @Test
  void equalValuesGiveTheBias() {
    Tensor gain = tape.input(2, 3, 4);
    Tensor bias = tape.input(5, 6, 7);
    float[] y = layerNorm(tape.input(8, 8, 8), gain, bias, EPSILON).toArray();
    assertArrayEquals(new float[] {5, 6, 7}, y);
  }

  @Test
  void aModelPrintsItsSize() {
    LayerNorm layer = new LayerNorm(5);
    assertEquals("LayerNorm(5)", layer.describe());
    assertTrue(layer.toString().contains("10 parameters"), layer.toString());
    assertEquals("LayerNorm(2, epsilon=0.1)", new LayerNorm(vector(2), vector(2), 0.1f).describe());
    assertEquals(
        "[0.W, 0.b, 1.gain, 1.bias]",
        chain(dense(3, 5), new LayerNorm(5)).parameters().named().keySet().toString());
  }

  private static Parameter vector(int length) {
    return Parameter.zeros(Shape.of(length));
  }

  @Test
  void sizesThatDoNotFitThrow() {
    LayerNorm layer = new LayerNorm(3).on(device, 1);
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(tape.input(Shape.of(2, 4), new float[8])),
        "layerNorm: x=2×4, gain=3, bias=3; need gain and bias of x's 2 rows");
    Thrown.says(
        ShapeException.class,
        () -> new LayerNorm(vector(3), vector(4), EPSILON),
        "layerNorm: x=3, gain=3, bias=4");
    Thrown.says(
        ShapeException.class,
        () -> new LayerNorm(Parameter.zeros(Shape.of(3, 2)), vector(3), EPSILON),
        "gain=3×2");
    for (float epsilon : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> new LayerNorm(vector(3), vector(3), epsilon),
          "layerNorm: epsilon=" + epsilon,
          "need 0 ≤ epsilon");
    }
  }
}
