package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import io.recur.Near;
import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Arrays;
import java.util.Random;

/**
 * The tape's value and gradient against a double-precision function of the same inputs.
 *
 * <p>With y = f(x), u a random gradient of y and v a random direction of x, both sides of {@code
 * ⟨v, Jᵀu⟩ = ⟨Jv, u⟩} are computed: the left one by the tape, the right one by a central difference
 * of the double-precision function. Each input takes its turn as a variable, as a parameter and as
 * a constant. The function is applied twice, so that no operation can get by without adding to what
 * is there.
 *
 * <pre>{@code
 * GradientCheck.of(Shape.of(3), Shape.of(3))
 *     .check("add", x -> x[0].add(x[1]), x -> Reference.zip(x[0], x[1], Double::sum));
 * }</pre>
 */
public final class GradientCheck {
  /** What is recorded. */
  public interface Recorded {
    Tensor of(Tensor... x);
  }

  /** The same, in double. */
  public interface Exact {
    double[] of(double[]... x);
  }

  private enum Kind {
    CONSTANT,
    VARIABLE,
    PARAMETER
  }

  /** The error of a central difference in double with this step is about 1e-8. */
  private static final double STEP = 1e-4;

  /** What the second application adds of the first one's value. */
  private static final float SHARE = 0.5f;

  private final Shape[] shapes;
  private float low = -2;
  private float high = 2;
  private double tolerance = 1e-5; // float sums of up to a few hundred terms

  private GradientCheck(Shape... shapes) {
    this.shapes = shapes;
  }

  /** For a function of tensors of these shapes. */
  public static GradientCheck of(Shape... shapes) {
    return new GradientCheck(shapes);
  }

  /** With values in a range; those near 0, where some functions have a kink, are moved away. */
  public GradientCheck between(float low, float high) {
    this.low = low;
    this.high = high;
    return this;
  }

  public GradientCheck within(double tolerance) {
    this.tolerance = tolerance;
    return this;
  }

  /** Fails with both sides in the message. */
  public void check(String what, Recorded recorded, Exact exact) {
    int turns = (int) Math.pow(Kind.values().length, shapes.length);
    for (Device device : Devices.all().toList()) {
      try (device) {
        for (int turn = 1; turn < turns; turn++) {
          Kind[] kinds = new Kind[shapes.length];
          int digits = turn;
          for (int i = 0; i < kinds.length; i++) {
            kinds[i] = Kind.values()[digits % Kind.values().length];
            digits /= Kind.values().length;
          }
          boolean onTape = !Arrays.stream(kinds).allMatch(kind -> kind == Kind.PARAMETER);
          if (onTape) {
            check(what + Arrays.toString(kinds), device, kinds, recorded, exact);
          }
        }
      }
    }
  }

  private void check(String what, Device device, Kind[] kinds, Recorded recorded, Exact exact) {
    Random random = new Random(1);
    try (Tape tape = Tape.on(device)) {
      double[][] x = new double[shapes.length][];
      Tensor[] inputs = new Tensor[shapes.length];
      for (int i = 0; i < shapes.length; i++) {
        float[] values = values(random, shapes[i].count());
        x[i] = Reference.doubles(values);
        inputs[i] =
            switch (kinds[i]) {
              case CONSTANT -> tape.input(shapes[i], values);
              case VARIABLE -> tape.variable(shapes[i], values);
              case PARAMETER -> Parameter.of(shapes[i], values).on(device);
            };
      }
      Tensor y = recorded.of(inputs);
      Near.check(what + " value", exact.of(x), y.toArray(), tolerance);
      float[] u = values(random, y.shape().count());
      tape.backward(y.add(recorded.of(inputs).scale(SHARE)), u);
      double left = 0;
      double magnitude = 0;
      double[][] v = new double[shapes.length][];
      for (int i = 0; i < shapes.length; i++) {
        v[i] = new double[x[i].length];
        if (kinds[i] == Kind.CONSTANT) {
          assertFalse(inputs[i].isDifferentiable(), what);
          continue;
        }
        float[] gradient = inputs[i].gradientArray();
        for (int j = 0; j < v[i].length; j++) {
          v[i][j] = random.nextGaussian();
          left += v[i][j] * gradient[j];
          magnitude += Math.abs(v[i][j] * gradient[j]);
        }
      }
      double right = 0;
      double[] after = exact.of(moved(x, v, STEP));
      double[] before = exact.of(moved(x, v, -STEP));
      for (int j = 0; j < u.length; j++) {
        right += (1 + SHARE) * u[j] * (after[j] - before[j]) / (2 * STEP);
      }
      if (!(Math.abs(left - right) <= tolerance * Math.max(1, magnitude))) {
        fail(
            "%s: ⟨v, Jᵀu⟩ = %.9g by the tape, ⟨Jv, u⟩ = %.9g by differences, of terms that sum to %.3g"
                .formatted(what, left, right, magnitude));
      }
    }
  }

  private float[] values(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      float value = low + (high - low) * random.nextFloat();
      values[i] = Math.abs(value) < 0.01f ? 0.01f : value;
    }
    return values;
  }

  private static double[][] moved(double[][] x, double[][] v, double step) {
    double[][] moved = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      moved[i] = x[i].clone();
      for (int j = 0; j < moved[i].length; j++) {
        moved[i][j] += step * v[i][j];
      }
    }
    return moved;
  }
}
