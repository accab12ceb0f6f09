package io.recur.nn.cells;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cells;
import io.recur.nn.Recur;
import java.util.Random;

/**
 * The gradient of a Recur, by a tape, against differences of its outputs, summed in double: of each
 * trained parameter along a random direction. Random operations draw the same numbers each time.
 */
record Differences(Recur recur, Tape tape) {
  /**
   * Of the sum of magnitudes: the difference of fourth order below errs by about 1e-6 in its terms
   * left out, and by 1e-7/STEP as outputs are float32.
   */
  private static final double TOLERANCE = 1e-4;

  private static final float STEP = 1f / 64;

  private static final int IN = 3;
  private static final int BATCH = 2;
  private static final int TIME = 3;

  void check() {
    tape.backward(Cells.weighed(tape, outputs(), 11));
    for (Parameter parameter : recur.parameters()) {
      if (parameter.isTrainable()) {
        check(parameter);
      }
    }
  }

  private void check(Parameter parameter) {
    float[] gradient = parameter.gradientArray();
    float[] at = parameter.toArray();
    Random random = new Random(17);
    float[] v = new float[at.length];
    double derivative = 0;
    double magnitude = 0.1;
    for (int i = 0; i < v.length; i++) {
      v[i] = random.nextBoolean() ? 1 : -1;
      derivative += gradient[i] * v[i];
      magnitude += Math.abs(gradient[i]);
    }
    double near = along(parameter, at, v, STEP) - along(parameter, at, v, -STEP);
    double far = along(parameter, at, v, 2 * STEP) - along(parameter, at, v, -2 * STEP);
    double difference = (8 * near - far) / (12 * STEP);
    parameter.value().write(at);
    assertTrue(
        Math.abs(difference - derivative) <= TOLERANCE * magnitude,
        "%s of %s: difference %.9g, gradient %.9g, scale %.3g"
            .formatted(parameter.name(), recur.cell(), difference, derivative, magnitude));
  }

  private double along(Parameter parameter, float[] at, float[] v, float step) {
    float[] moved = at.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * v[i];
    }
    parameter.value().write(moved);
    float[] values = outputs().toArray();
    float[] weights = Cells.values(new Random(11), values.length);
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += (double) weights[i] * values[i];
    }
    return sum;
  }

  private Tensor outputs() {
    recur.reset();
    tape.seed(5);
    return recur.apply(Cells.input(tape, 4, IN, BATCH, TIME));
  }
}
