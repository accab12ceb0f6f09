package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class DropTest {
  private static final int N = 1000;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Tensor ones = tape.variable(Shape.of(N), filled(1));

  private static float[] filled(float value) {
    float[] values = new float[N];
    Arrays.fill(values, value);
    return values;
  }

  private float[] dropped(float rate) {
    return Drop.dropout(ones, rate).toArray();
  }

  @Test
  void theGradientPassesWhereTheValueDid() {
    Tensor y = Drop.dropout(ones, 0.3f);
    tape.backward(y, filled(2));
    float[] mask = y.toArray();
    float[] gradient = ones.gradientArray();
    for (int i = 0; i < N; i++) {
      assertEquals(2 * mask[i], gradient[i], "value " + i);
    }
  }

  @Test
  void aSecondBackwardUsesTheSameMask() {
    Tensor y = Drop.dropout(ones, 0.3f).sum();
    tape.backward(y);
    float[] first = ones.gradientArray();
    tape.backward(y);
    assertArrayEquals(first, ones.gradientArray());
  }

  @Test
  void theSeedDecidesTheMasks() {
    tape.seed(7);
    float[] first = dropped(0.5f);
    float[] second = dropped(0.5f);
    tape.seed(7);
    assertArrayEquals(first, dropped(0.5f));
    assertArrayEquals(second, dropped(0.5f));
    tape.seed(8);
    assertFalse(Arrays.equals(first, dropped(0.5f)));
    assertFalse(Arrays.equals(first, second));
  }

  @Test
  void drawsOfOneTapeAndOfNeighbouringSeedsAreIndependent() {
    int equal = 0;
    int draws = 0;
    for (long seed = 0; seed < 5; seed++) {
      tape.seed(seed);
      float[] before = dropped(0.5f);
      for (int draw = 0; draw < 5; draw++) {
        float[] now = dropped(0.5f);
        for (int i = 0; i < N; i++) {
          equal += before[i] == now[i] ? 1 : 0;
        }
        before = now;
        draws += N;
      }
    }
    // five standard deviations of fair coins; the seeds are fixed
    assertEquals(draws / 2.0, equal, 5 * Math.sqrt(draws / 4.0));
  }

  @Test
  void inferenceLetsAllPass() {
    assertSame(ones, Drop.dropout(ones, 0));
    assertSame(ones, tape.withoutGradient(() -> Drop.dropout(ones, 0.5f)));
    try (Tape inference = Tape.inference(device)) {
      Tensor x = inference.input(1, 2, 3);
      assertSame(x, Drop.dropout(x, 0.9f));
    }
  }

  @Test
  void ratesOutsideThrow() {
    for (float rate : new float[] {-0.1f, 1, 1.5f, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Drop.dropout(ones, rate),
          "dropout: rate=" + rate + "; need 0 ≤ rate < 1");
    }
  }
}
