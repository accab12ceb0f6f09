package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Figures;
import io.recur.device.cpu.CpuDevice;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The errors of tanh, the exponential and the logistic in units in the last place, which {@code
 * native/vector.h} states from a walk over all floats: here every so manieth float of the range
 * where the formulas matter, and the neighbours of every power of two.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class UlpsTest {
  private static final Walk TANH = new Walk(67, 0x1p-13f, 10f, Math::tanh);
  private static final Walk EXP = new Walk(131, 0x1p-13f, 87.3f, Math::exp);
  private static final Walk SIGMOID = new Walk(131, 0x1p-10f, 87.3f, x -> 1 / (1 + Math.exp(-x)));

  private final Device device;

  UlpsTest(Device device) {
    this.device = device;
  }

  /** Inputs of both signs and what double precision says of them, computed once for all devices. */
  private static final class Walk {
    private final float[] x;
    private final double[] exact;

    Walk(int stride, float from, float to, DoubleUnaryOperator f) {
      IntStream dense =
          IntStream.iterate(
              Float.floatToIntBits(from),
              bits -> bits <= Float.floatToIntBits(to),
              b -> b + stride);
      IntStream edges =
          IntStream.rangeClosed(1, 254)
              .flatMap(exponent -> IntStream.rangeClosed(-3, 3).map(d -> (exponent << 23) + d));
      int[] bits = IntStream.concat(dense, edges).toArray();
      x = new float[2 * bits.length];
      exact = new double[x.length];
      for (int i = 0; i < bits.length; i++) {
        x[2 * i] = Float.intBitsToFloat(bits[i]);
        x[2 * i + 1] = -x[2 * i];
      }
      IntStream.range(0, x.length).forEach(i -> exact[i] = f.applyAsDouble(x[i]));
    }
  }

  private void check(Elementwise f, Walk walk, double ulps) {
    int n = walk.x.length;
    Buffer x = device.allocate(n);
    x.write(walk.x);
    device.pointwise().map(f, x, x, n);
    float[] y = x.read();
    int worst = 0;
    double largest = 0;
    for (int i = 0; i < n; i++) {
      boolean normal = isNormal(f, walk.x[i]);
      double error = Math.abs(y[i] - walk.exact[i]) / Math.ulp((float) walk.exact[i]);
      if (normal && !(error <= largest)) {
        worst = i;
        largest = error;
      }
    }
    Figures.worst(f.label(), largest, ulps, "ulp", "at " + walk.x[worst]);
    String message =
        "%s on %s: f(%s) = %s, Math says %s: %.3f ulp of %s"
            .formatted(
                f.label(),
                device.name(),
                walk.x[worst],
                y[worst],
                walk.exact[worst],
                largest,
                ulps);
    assertTrue(largest <= ulps, message);
  }

  /**
   * Whether the bound is for f(x): a logistic or exponential below the normal numbers may be 0, and
   * the Java tanh loses digits near them.
   */
  private boolean isNormal(Elementwise f, float x) {
    return switch (f) {
      case TANH -> !isJava() || Math.abs(x) > 0x1p-100f;
      case EXP -> Math.abs(x) < 87.3f;
      default -> x > -87.3f;
    };
  }

  private boolean isJava() {
    return device instanceof CpuDevice && !Devices.isNative(device);
  }

  @Test
  void tanhKeepsItsBound() {
    check(Elementwise.TANH, TANH, isJava() ? 7 : 2.5);
  }

  @Test
  void theExponentialKeepsItsBound() {
    check(Elementwise.EXP, EXP, 1.1);
  }

  @Test
  void theLogisticKeepsItsBound() {
    check(Elementwise.SIGMOID, SIGMOID, 2.5);
  }
}
