package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.conv1d;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
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
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class Conv1dTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** in, out, kernel, groups, stride, padding, dilation, batch, time. */
  private static final int[][] SETTINGS = {
    {3, 4, 1, 1, 1, 0, 1, 2, 5},
    {3, 4, 3, 1, 1, 1, 1, 2, 5},
    {2, 3, 4, 1, 2, 3, 1, 2, 6},
    {2, 3, 3, 1, 3, 2, 2, 1, 9},
    {4, 6, 3, 2, 2, 1, 1, 2, 5},
    {3, 3, 3, 3, 1, 2, 2, 2, 5},
    {3, 6, 2, 3, 1, 0, 3, 1, 4},
    {1, 1, 1, 1, 5, 3, 1, 1, 1},
    {2, 2, 2, 1, 4, 0, 1, 3, 7},
    {3, 3, 2, 3, 2, 1, 1, 2, 6},
  };

  /** The equation of the class's Javadoc, in double. */
  private static double[] exact(int[] s, double[] x, double[] w, double[] b) {
    int in = s[0];
    int out = s[1];
    int kernel = s[2];
    int each = in / s[3];
    int batch = s[7];
    int time = s[8];
    int steps = (time + 2 * s[5] - s[6] * (kernel - 1) - 1) / s[4] + 1;
    double[] y = new double[out * batch * steps];
    for (int t = 0; t < steps; t++) {
      for (int j = 0; j < batch; j++) {
        for (int o = 0; o < out; o++) {
          double sum = b[o];
          for (int k = 0; k < kernel; k++) {
            int from = t * s[4] + k * s[6] - s[5];
            for (int i = 0; from >= 0 && from < time && i < each; i++) {
              int row = o / (out / s[3]) * each + i;
              sum += w[(k * each + i) * out + o] * x[(from * batch + j) * in + row];
            }
          }
          y[(t * batch + j) * out + o] = sum;
        }
      }
    }
    return y;
  }

  @Test
  void theGradientEqualsDifferences() {
    for (int[] s : SETTINGS) {
      Shape x = Shape.of(s[0], s[7], s[8]);
      GradientCheck.of(x, Shape.of(s[1], s[0] / s[3] * s[2]), Shape.of(s[1]))
          .check(
              "conv1d",
              v -> Conv1d.conv1d(v[0], v[1], v[2], s[3], s[4], s[5], s[6]),
              v -> exact(s, v[0], v[1], v[2]));
    }
  }

  @Test
  void valueAndGradientsArePyTorchs() {
    Pinned pinned = Pinned.of("conv1d.txt");
    int kinds = 0;
    for (; pinned.has("x" + kinds); kinds++) {
      String n = Integer.toString(kinds);
      double[] s = pinned.doubles("settings" + n);
      int groups = (int) s[0];
      int[] dims = pinned.dims("w" + n); // kernel × in/groups × out
      Parameter w = Parameter.of(Shape.of(dims[2], dims[0] * dims[1]), ours(dims, pinned, "w" + n));
      Parameter b = Parameter.of(Shape.of(dims[2]), pinned.floats("b" + n));
      Shape shape = Shape.of(pinned.dims("x" + n));
      Conv1d layer =
          new Conv1d(shape.rows(), w, b, groups)
              .stride((int) s[1])
              .padding((int) s[2])
              .dilation((int) s[3])
              .on(device, 1);
      Tensor x = tape.variable(shape, pinned.floats("x" + n));
      Tensor y = layer.apply(x);
      assertEquals(Shape.of(pinned.dims("y" + n)), y.shape());
      tape.backward(y, pinned.floats("dy" + n));
      Near.check("y", pinned.doubles("y" + n), y.toArray(), 1e-5); // sums of float products
      Near.check("dx", pinned.doubles("dx" + n), x.gradientArray(), 1e-5);
      Near.check("db", pinned.doubles("db" + n), b.gradientArray(), 1e-5);
      double[] dw = new double[w.shape().count()];
      float[] pinnedDw = ours(dims, pinned, "dw" + n);
      for (int i = 0; i < dw.length; i++) {
        dw[i] = pinnedDw[i];
      }
      Near.check("dw", dw, w.gradientArray(), 1e-5);
    }
    assertTrue(kinds >= 5, kinds + " configurations");
  }

  /** PyTorch's out × in/groups × kernel, whose last dimension is contiguous, as our matrix. */
  private static float[] ours(int[] dims, Pinned pinned, String name) {
    float[] theirs = pinned.floats(name);
    float[] ours = new float[theirs.length];
    for (int o = 0; o < dims[2]; o++) {
      for (int i = 0; i < dims[1]; i++) {
        for (int k = 0; k < dims[0]; k++) {
          ours[(k * dims[1] + i) * dims[2] + o] = theirs[(o * dims[1] + i) * dims[0] + k];
        }
      }
    }
    return ours;
  }

  @Test
  void itRunsInAChainBeforeARecur() {
    Chain model = chain(conv1d(3, 4, 5).padding(2), lstm(4, 5), dense(5, 1)).on(device, 1);
    Tensor y = model.apply(tape.input(Shape.of(3, 2, 7), Cells.values(new Random(1), 42)));
    assertEquals(Shape.of(1, 2, 7), y.shape());
    tape.backward(y.sum());
    assertTrue(model.parameters().named().get("0.W").gradientArray()[0] != 0);
  }

  @Test
  void aSequencesOutputDoesNotDependOnTheBatch() {
    Conv1d layer = new Conv1d(3, 4, 3).padding(1).stride(2).on(device, 1);
    try (Tape inference = Tape.inference(device)) {
      Tensor x = inference.input(Shape.of(3, 5, 6), Cells.values(new Random(2), 90));
      float[] alone = layer.apply(x.columns(3, 4)).toArray();
      assertArrayEquals(layer.apply(x).columns(3, 4).toArray(), alone);
    }
  }

  @Test
  void settingsShareTheWeights() {
    Conv1d layer = new Conv1d(4, 6, 3, 2);
    Conv1d other = layer.stride(2).padding(1).dilation(3);
    assertSame(layer.own().getFirst(), other.own().getFirst());
    assertEquals("Conv1d(4 => 6, kernel=3, groups=2)", layer.describe());
    assertEquals(
        "Conv1d(4 => 6, kernel=3, stride=2, padding=1, dilation=3, groups=2)", other.describe());
    assertTrue(layer.toString().contains("42 parameters"), layer.toString());
  }

  @Test
  void whatDoesNotFitThrows() {
    Conv1d layer = new Conv1d(2, 3, 4).on(device, 1);
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(tape.input(Shape.of(2, 4), new float[8])),
        "conv1d: x=2×4, in=2, kernel=4",
        "need x features × batch × time of 2 rows and 4 steps or more");
    Thrown.says(
        ShapeException.class,
        () -> layer.padding(1).dilation(2).apply(tape.input(Shape.of(2, 1, 4), new float[8])),
        "need x features × batch × time of 2 rows and 5 steps or more");
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(tape.input(Shape.of(3, 1, 4), new float[12])),
        "conv1d: x=3×1×4");
    Thrown.says(IllegalArgumentException.class, () -> layer.stride(0), "stride=0");
    Thrown.says(IllegalArgumentException.class, () -> layer.padding(-1), "padding=-1");
    Thrown.says(IllegalArgumentException.class, () -> layer.dilation(0), "dilation=0");
    Thrown.says(ShapeException.class, () -> new Conv1d(3, 4, 2, 2), "in=3, groups=2; need groups");
    Thrown.says(ShapeException.class, () -> new Conv1d(4, 3, 2, 2), "W=3×4, b=3, groups=2; need b");
    Thrown.says(
        ShapeException.class,
        () -> new Conv1d(2, Parameter.glorot(3, 5), Parameter.zeros(Shape.of(3)), 1),
        "conv1d: in=2, W=3×5, groups=1; need a matrix W of (in/groups)·kernel columns");
  }
}
