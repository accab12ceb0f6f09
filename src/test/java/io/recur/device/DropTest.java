package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.recur.Near;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The seeded coin of dropout. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class DropTest {
  private final Device device;

  DropTest(Device device) {
    this.device = device;
  }

  private float[] mask(float rate, long seed, int n) {
    float[] ones = new float[n];
    Arrays.fill(ones, 1);
    Guarded memory = new Guarded(device, 1);
    Guarded.Piece x = memory.input(ones);
    Guarded.Piece y = memory.output(n);
    device.pointwise().drop(rate, seed, false, x.buffer(), y.buffer(), n);
    memory.check();
    return y.read();
  }

  private static int dropped(float[] mask) {
    int count = 0;
    for (float value : mask) {
      count += value == 0 ? 1 : 0;
    }
    return count;
  }

  @Test
  void theShareOfDroppedValuesIsTheRate() {
    int n = 100_000;
    for (float rate : new float[] {0.01f, 0.1f, 0.5f, 0.9f}) {
      for (long seed : new long[] {0, 1, -1, 42, Long.MIN_VALUE}) {
        double deviation = Math.sqrt(n * (double) rate * (1 - rate));
        // five standard deviations: one false alarm in a million, and the seeds are fixed
        assertEquals(n * rate, dropped(mask(rate, seed, n)), 5 * deviation, rate + " " + seed);
      }
    }
  }

  @Test
  void keptValuesGrowSoThatTheMeanStays() {
    for (float rate : new float[] {0, 0.25f, 0.9f}) {
      for (float value : mask(rate, 3, 257)) {
        if (value != 0) {
          assertEquals(1 / (1 - rate), value);
        }
      }
    }
    assertEquals(0, dropped(mask(0, 3, 257)));
  }

  /** The finaliser of SplitMix64: the coins are the same on every device. */
  private static int coin(long seed, int i) {
    long z = seed + (i + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (int) ((z ^ (z >>> 31)) >>> 40);
  }

  @Test
  void aCoinKeepsItsValueUpToItsOwnRateExactly() {
    for (int i = 0; i < 40; i++) {
      int coin = coin(-7, i);
      assertFalse(mask(coin * 0x1p-24f, -7, i + 1)[i] == 0, "coin " + coin);
      assertEquals(0, mask((coin + 1) * 0x1p-24f, -7, i + 1)[i], "coin " + coin);
    }
  }

  @Test
  void theSameSeedGivesTheSameMask() {
    assertArrayEquals(mask(0.5f, 9, 2049), mask(0.5f, 9, 2049));
  }

  @Test
  void aLongerCallBeginsWithTheSameMask() {
    assertArrayEquals(mask(0.5f, 9, 65), Arrays.copyOf(mask(0.5f, 9, 2049), 65));
  }

  @Test
  void otherSeedsGiveIndependentMasks() {
    int n = 10_000;
    for (long seed = 0; seed < 10; seed++) {
      float[] first = mask(0.5f, seed, n);
      float[] second = mask(0.5f, seed + 1, n);
      int equal = 0;
      for (int i = 0; i < n; i++) {
        equal += first[i] == second[i] ? 1 : 0;
      }
      assertEquals(n / 2, equal, 5 * Math.sqrt(n / 4.0), "seeds " + seed + " and the next");
    }
  }

  @Test
  void neighboursAreIndependent() {
    float[] mask = mask(0.5f, 5, 10_000);
    int equal = 0;
    for (int i = 1; i < mask.length; i++) {
      equal += mask[i] == mask[i - 1] ? 1 : 0;
    }
    assertEquals(mask.length / 2, equal, 5 * Math.sqrt(mask.length / 4.0));
  }

  @Test
  void theGradientPassesWhereTheValueDid() {
    for (int n : Devices.SIZES) {
      Guarded memory = new Guarded(device, 2);
      Guarded.Piece dy = memory.input(n);
      Guarded.Piece dx = memory.inOut(n);
      device.pointwise().drop(0.4f, 11, true, dy.buffer(), dx.buffer(), n);
      float[] mask = mask(0.4f, 11, n);
      double[] expected = dx.start();
      for (int i = 0; i < n; i++) {
        expected[i] += dy.at(i) * mask[i];
      }
      Near.check("n=" + n, expected, dx.read(), 0x1p-21); // three roundings of values below 8
      memory.check();
    }
  }

  @Test
  void aDroppedNotANumberIsZero() {
    float[] mask = mask(0.5f, 4, 64);
    float[] values = new float[64];
    Arrays.fill(values, Float.NaN);
    Guarded memory = new Guarded(device, 3);
    Guarded.Piece both = memory.inOut(values);
    device.pointwise().drop(0.5f, 4, false, both.buffer(), both.buffer(), 64);
    float[] result = both.read();
    for (int i = 0; i < 64; i++) {
      assertEquals(mask[i] != 0, Float.isNaN(result[i]), "value " + i);
    }
    assertFalse(dropped(mask) == 0);
  }
}
