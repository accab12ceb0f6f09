package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients that sum over many steps and columns. The terms of equal columns are equal, which a
 * running float sum rounds all to the same side: a batch of B equal columns has B times the
 * gradient of one.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class LongSumsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  /** Twice the bound of a sum: of the batch and of the column. */
  private static final double OF_VECTORS = 2e-6;

  /** A million equal products: PyTorch 2.13 on MKL is 1.3e-2 off. */
  private static final double OF_WEIGHTS = 1e-4;

  private final Device device;

  LongSumsTest(Device device) {
    this.device = device;
  }

  /** The gradients of Σy after some calls that accumulate, in double. */
  private List<double[]> gradients(Chain model, Shape shape, boolean oneHot, int calls) {
    for (Parameter p : model.parameters()) {
      p.gradient().write(new float[p.shape().count()]);
    }
    try (Tape tape = Tape.on(device)) {
      for (int call = 0; call < calls; call++) {
        Tensor x = oneHot ? tape.oneHot(shape, classes(shape)) : tape.input(shape, columns(shape));
        tape.backward(model.apply(x).sum());
        model.reset();
        tape.clear();
      }
    }
    List<double[]> all = new ArrayList<>();
    for (Parameter p : model.parameters()) {
      float[] gradient = p.gradientArray();
      double[] values = new double[gradient.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = gradient[i];
      }
      all.add(values);
    }
    return all;
  }

  /** The same for each column of a step. */
  private static float[] columns(Shape shape) {
    Random random = new Random(1);
    float[] step = new float[IN];
    float[] x = new float[shape.count()];
    for (int i = 0; i < x.length; i++) {
      if (i % (IN * shape.batch()) < IN) {
        step[i % IN] = 0.5f + random.nextFloat();
      }
      x[i] = step[i % IN];
    }
    return x;
  }

  private static int[] classes(Shape shape) {
    int[] index = new int[shape.columns()];
    for (int j = 0; j < index.length; j++) {
      index[j] = j / shape.batch() % IN;
    }
    return index;
  }

  private void check(String name, Chain model, int batch, int time, boolean oneHot, int calls) {
    List<double[]> one = gradients(model, Shape.of(IN, 1, time), oneHot, 1);
    List<double[]> all = gradients(model, Shape.of(IN, batch, time), oneHot, calls);
    int at = 0;
    for (Parameter p : model.parameters()) {
      boolean isSum = p.shape().columns() == 1 || oneHot && p.name().equals("Wi");
      double largest = 0;
      double error = 0;
      for (int i = 0; i < one.get(at).length; i++) {
        double exact = one.get(at)[i] * batch * calls;
        largest = Math.max(largest, Math.abs(exact));
        error = Math.max(error, Math.abs(all.get(at)[i] - exact));
      }
      assertTrue(
          error <= (isSum ? OF_VECTORS : OF_WEIGHTS) * largest,
          "%s: the gradient of %s is %s of %s off".formatted(name, p.name(), error, largest));
      at++;
    }
  }

  private static List<Supplier<Chain>> cells() {
    return List.of(
        () -> chain(rnn(IN, OUT)),
        () -> chain(lstm(IN, OUT)),
        () -> chain(gru(IN, OUT)),
        () -> chain(gruV3(IN, OUT)));
  }

  @Test
  void cellsOverManySteps() {
    for (Supplier<Chain> cell : cells()) {
      Chain model = cell.get().on(device, 3);
      check(model.toString(), model, Devices.rounds(5000), 20, false, 1);
      check(model + " of one-hot columns", model, Devices.rounds(5000), 20, true, 1);
      check(model + " one step", model, Devices.rounds(50_000), 1, false, 1);
    }
  }

  @Test
  void cellsOverManyCalls() {
    for (Supplier<Chain> cell : cells()) {
      Chain model = cell.get().on(device, 3);
      check(model.toString(), model, 3, 4, false, Devices.rounds(1000));
      check(model + " of one-hot columns", model, 3, 4, true, Devices.rounds(1000));
    }
  }

  @Test
  void aMillionColumns() {
    check("rnn", chain(rnn(IN, OUT)).on(device, 3), Devices.rounds(10_000), 100, false, 1);
    check("dense", chain(dense(IN, OUT)).on(device, 3), Devices.rounds(1_000_000), 1, false, 1);
    check("one output", chain(dense(IN, 1)).on(device, 3), Devices.rounds(1_000_000), 1, false, 1);
  }
}
