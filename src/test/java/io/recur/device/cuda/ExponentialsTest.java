package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The functions made of eˣ have on a GPU the bits of their formulas in {@code
 * native/cuda/numbers.cu}: no compiler fuses or approximates them, and the bounds that {@link
 * UlpsTest} finds on the CPU double hold on every card.
 */
class ExponentialsTest {
  private static final float ROUNDER = 0x1.8p23f + 127;
  private static final int STRIDE = 4099; // prime: all values of the low bits come up

  @BeforeEach
  void onlyWithAGpu() {
    CpuDouble.assumeCuda();
  }

  /** 2ᵏ and the fraction of {@code eᵃ = 2ᵏ·(1 + fraction)}. */
  private record Parts(float fraction, int k) {
    static Parts of(float a) {
      float shifted = Math.fma(a, 1.44269504f, ROUNDER);
      float whole = shifted - ROUNDER;
      float r = Math.fma(whole, 2.12194440e-4f, Math.fma(whole, -0.693359375f, a));
      float square = r * r;
      float low = Math.fma(1.6666665459e-1f, r, 5.0000001201e-1f);
      float middle = Math.fma(8.3334519073e-3f, r, 4.1665795894e-2f);
      float high = Math.fma(1.9875691500e-4f, r, 1.3981999507e-3f);
      float p = Math.fma(Math.fma(high, square, middle), square, low);
      int k = Float.floatToRawIntBits(shifted) - Float.floatToRawIntBits(ROUNDER);
      return new Parts(Math.fma(p, square, r), k);
    }

    static float power(int k) {
      return Float.intBitsToFloat(k + 127 << 23);
    }

    /** {@code eᵃ − 1}. */
    float lessOne() {
      return Math.fma(power(k), fraction, power(k) - 1);
    }
  }

  private static float exp(float x) {
    Parts parts = Parts.of(Math.clamp(x, -104, 89));
    int half = parts.k >> 1;
    return (1 + parts.fraction) * Parts.power(half) * Parts.power(parts.k - half);
  }

  private static float tanh(float x) {
    float a = Math.min(Math.abs(x), 9.1f);
    float e = Parts.of(a + a).lessOne();
    return Math.copySign(e / (e + 2), x);
  }

  private static float sigmoid(float x) {
    Parts parts = Parts.of(-Math.clamp(x, -89, 87.33654f));
    return 1 / Math.fma(parts.fraction + 1, Parts.power(parts.k), 1);
  }

  private static float formula(Elementwise f, float x) {
    return switch (f) {
      case EXP -> exp(x);
      case TANH -> tanh(x);
      case SIGMOID -> sigmoid(x);
      case ELU -> x < 0 ? Parts.of(Math.max(x, -87)).lessOne() : x;
      default -> throw new IllegalArgumentException(f + " is not made of eˣ alone");
    };
  }

  @ParameterizedTest
  @EnumSource(names = {"EXP", "TANH", "SIGMOID", "ELU"})
  void theirBitsAreThoseOfTheirFormulas(Elementwise f) {
    int[] bits =
        IntStream.iterate(0, b -> b <= Float.floatToIntBits(110), b -> b + STRIDE).toArray();
    float[] x = new float[2 * bits.length];
    for (int i = 0; i < bits.length; i++) {
      x[2 * i] = Float.intBitsToFloat(bits[i]);
      x[2 * i + 1] = -x[2 * i];
    }
    try (Device device = Devices.here()) {
      Buffer y = device.allocate(x.length);
      y.write(x);
      device.pointwise().map(f, y, y, x.length);
      float[] values = y.read();
      for (int i = 0; i < x.length; i++) {
        float exact = formula(f, x[i]);
        if (Float.floatToRawIntBits(exact) != Float.floatToRawIntBits(values[i])) {
          assertEquals(exact, values[i], f + "(" + x[i] + ")");
        }
      }
    }
  }
}
