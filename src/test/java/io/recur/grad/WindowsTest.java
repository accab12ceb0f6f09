package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowsTest {
  private static final int ROWS = 3;
  private static final int BATCH = 2;
  private static final int TIME = 5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 0, 5",
    "1, 2, 1, -1, 2",
    "3, 1, 1, 1, 5",
    "3, 2, 1, 1, 3",
    "2, 3, 2, 0, 1",
    "4, 1, 2, 6, 11", // taps that read no step of x at all
    "2, 1, 1, -4, 3",
    "3, 2, 3, 8, 7",
    "1, 2147483647, 1, 2147483647, 2" // numbers whose sums leave an int
  })
  void aColumnHasTheTapsOfARowTogether(
      int kernel, int stride, int dilation, int before, int steps) {
    GradientCheck.of(Shape.of(ROWS, BATCH, TIME))
        .check(
            "windows %d %d %d %d %d".formatted(kernel, stride, dilation, before, steps),
            x -> Windows.of(x[0], kernel, stride, dilation, before, steps),
            x -> read(x[0], kernel, stride, dilation, before, steps));
  }

  private static double[] read(
      double[] x, int kernel, int stride, int dilation, int before, int steps) {
    double[] y = new double[ROWS * kernel * BATCH * steps];
    int at = 0;
    for (int t = 0; t < steps; t++) {
      for (int b = 0; b < BATCH; b++) {
        for (int i = 0; i < ROWS; i++) {
          for (int k = 0; k < kernel; k++, at++) {
            long from = (long) t * stride + (long) k * dilation - before;
            y[at] = from >= 0 && from < TIME ? x[((int) from * BATCH + b) * ROWS + i] : 0;
          }
        }
      }
    }
    return y;
  }

  /** Memory that a tape gives again holds what an earlier pass has left there. */
  @ParameterizedTest
  @CsvSource({"1, 4", "0, 5"})
  void aTapOutsideOfXReadsZeroInMemoryThatWasUsed(int before, int steps) {
    float[] x = new float[ROWS * BATCH * TIME];
    Arrays.fill(x, 1);
    float[] used = new float[2 * ROWS * BATCH * steps];
    Arrays.fill(used, Float.NaN);
    tape.input(Shape.of(ROWS, BATCH, TIME), x);
    tape.input(Shape.of(2 * ROWS, BATCH, steps), used);
    tape.clear();
    Tensor read = Windows.of(tape.input(Shape.of(ROWS, BATCH, TIME), x), 2, 1, 1, before, steps);
    float[] values = read.toArray();
    int zeros = 0;
    for (float value : values) {
      assertTrue(value == 0 || value == 1, () -> Arrays.toString(values));
      zeros += value == 0 ? 1 : 0;
    }
    assertEquals(ROWS * BATCH, zeros); // one tap of one step
  }

  @Test
  void numbersBelowTheirLeastAreRefused() {
    Tensor x = tape.input(Shape.of(ROWS, BATCH, TIME), new float[ROWS * BATCH * TIME]);
    int most = Integer.MAX_VALUE;
    refused(x, "kernel=0", 0, 1, 1, 0, 1);
    refused(x, "stride=0", 1, 0, 1, 0, 1);
    refused(x, "dilation=-1", 1, 1, -1, 0, 1);
    refused(x, "steps=0", 1, 1, 1, 0, 0);
    refused(x, "before=-2147483648", 1, 1, 1, Integer.MIN_VALUE, 1);
    refused(x, "reads step 4294967291", 2, 1, most, -most + 3, 1);
    refused(x, "values; at most", most, 1, 1, 0, 1);
    refused(x.time(0), "x=3×2, kernel=1", 1, 1, 1, 0, 1);
  }

  private static void refused(
      Tensor x, String reason, int kernel, int stride, int dilation, int before, int steps) {
    Thrown.says(
        ShapeException.class, () -> Windows.of(x, kernel, stride, dilation, before, steps), reason);
  }
}
