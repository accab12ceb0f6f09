package io.recur.nn;

import static io.recur.nn.Layers.batchNorm;
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
import io.recur.io.Weights;
import io.recur.nn.cells.SLSTMCell;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchNormTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @AutoClose private final Tape inference = Tape.inference(device);

  private static float[] values(int seed, int count) {
    return Cells.values(new Random(seed), count);
  }

  /** Training's output for gain 1 and bias 0, in double. */
  private static double[] exact(double[] x, int m) {
    double[] y = new double[x.length];
    int n = x.length / m;
    for (int i = 0; i < m; i++) {
      double mean = 0;
      double variance = 0;
      for (int j = 0; j < n; j++) {
        mean += x[j * m + i] / n;
      }
      for (int j = 0; j < n; j++) {
        variance += (x[j * m + i] - mean) * (x[j * m + i] - mean) / n;
      }
      for (int j = 0; j < n; j++) {
        y[j * m + i] = (x[j * m + i] - mean) / Math.sqrt(variance + BatchNorm.EPSILON);
      }
    }
    return y;
  }

  @Test
  void theGradientEqualsDifferences() {
    for (Shape shape : new Shape[] {Shape.of(3, 5), Shape.of(3, 2, 4)}) {
      GradientCheck.of(shape)
          .check(
              "batchNorm " + shape,
              x -> new BatchNorm(3).on(x[0].device(), 1).apply(x[0]),
              x -> exact(x[0], 3));
    }
  }

  @Test
  void valuesGradientsAndRunningValuesArePyTorchs() {
    Pinned pinned = Pinned.of("batch_norm.txt");
    Shape shape = Shape.of(pinned.dims("x0"));
    BatchNorm layer = new BatchNorm(shape.rows(), 1e-3f, 0.25f).on(device, 1);
    Map<String, Parameter> parts = layer.parameters().named();
    parts.get("gain").value().write(pinned.floats("gain"));
    parts.get("bias").value().write(pinned.floats("bias"));
    for (int step = 0; step < 2; step++) {
      Tensor x = tape.variable(shape, pinned.floats("x" + step));
      Tensor y = layer.apply(x);
      layer.parameters().zeroGradients();
      tape.backward(y, pinned.floats("dy" + step));
      Near.check("y", pinned.doubles("y" + step), y.toArray(), 1e-5); // a quotient of float sums
      Near.check("dx", pinned.doubles("dx" + step), x.gradientArray(), 1e-5);
      for (String name : new String[] {"gain", "bias"}) {
        double[] expected = pinned.doubles("d" + name + step);
        Near.check("d" + name, expected, parts.get(name).gradientArray(), 1e-5);
      }
      for (String name : new String[] {"mean", "variance"}) {
        Near.check(name, pinned.doubles(name + step), parts.get(name).toArray(), Near.FLOAT);
      }
    }
    float[] y = layer.apply(inference.input(shape, pinned.floats("x0"))).toArray();
    Near.check("inference", pinned.doubles("inference"), y, 1e-5);
  }

  @Test
  void inferenceChangesNothingAndKeepsColumnsApart() {
    BatchNorm layer = batchNorm(3).on(device, 1);
    layer.apply(tape.input(Shape.of(3, 4), values(1, 12)));
    float[] before = layer.parameters().named().get("mean").toArray();
    Tensor x = inference.input(Shape.of(3, 4), values(2, 12));
    float[] whole = layer.apply(x).columns(2, 3).toArray();
    assertArrayEquals(layer.apply(x.columns(2, 3)).toArray(), whole);
    assertArrayEquals(before, layer.parameters().named().get("mean").toArray());
    Tensor same =
        tape.withoutGradient(() -> layer.apply(tape.input(Shape.of(3, 4), values(2, 12))));
    assertArrayEquals(layer.apply(x).toArray(), same.toArray());
  }

  /** Also where another fixed value, as of an sLSTM's state0, was read before they change. */
  @Test
  void runningValuesChangeBetweenTheForwardPassesOfOneBackward() {
    Chain model =
        chain(dense(2, 3), new Recur(new SLSTMCell(3, 3)), batchNorm(3), dense(3, 1), batchNorm(1))
            .on(device, 1);
    Tensor x = tape.variable(Shape.of(2, 4, 3), values(1, 24));
    Tensor loss = model.apply(x).sum().add(model.apply(x).sum());
    tape.backward(loss);
    assertTrue(Float.isFinite(x.gradientArray()[0]));
  }

  @Test
  void runningValuesAreSavedWithTheModel(@TempDir Path folder) throws Exception {
    Chain model = chain(dense(2, 3), batchNorm(3)).on(device, 1);
    model.apply(tape.input(Shape.of(2, 4), values(1, 8)));
    Path file = folder.resolve("model.safetensors");
    Weights.save(file, model, Map.of());
    Chain other = chain(dense(2, 3), batchNorm(3)).on(device, 2);
    Weights.load(file, other);
    Tensor x = inference.input(Shape.of(2, 4), values(2, 8));
    assertArrayEquals(model.apply(x).toArray(), other.apply(x).toArray());
    float[] mean = other.parameters().named().get("1.mean").toArray();
    assertArrayEquals(model.parameters().named().get("1.mean").toArray(), mean);
    assertTrue(mean[0] != 0);
  }

  @Test
  void aModelPrintsItsSize() {
    assertEquals("BatchNorm(5)", batchNorm(5).describe());
    assertEquals(
        "BatchNorm(5, epsilon=0.1, momentum=0.5)", new BatchNorm(5, 0.1f, 0.5f).describe());
    assertTrue(batchNorm(5).toString().contains("10 parameters"), batchNorm(5).toString());
  }

  @Test
  void whatDoesNotFitThrows() {
    BatchNorm layer = batchNorm(3).on(device, 1);
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(tape.input(Shape.of(2, 4), new float[8])),
        "batchNorm: x=2×4; need 3 rows");
    Thrown.says(
        ShapeException.class,
        () -> layer.apply(tape.input(1, 2, 3)),
        "batchNorm: x=3; need 2 columns or more to train");
    for (float bad : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> new BatchNorm(3, bad, 0.1f),
          "batchNorm: epsilon=" + bad);
      Thrown.says(
          IllegalArgumentException.class, () -> new BatchNorm(3, 0.1f, bad), "momentum=" + bad);
    }
  }
}
