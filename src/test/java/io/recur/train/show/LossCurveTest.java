package io.recur.train.show;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.knowm.xchart.XYChart;

@Tag(Devices.CPU)
class LossCurveTest {
  @Test
  void fewStepsAreThemselves() {
    LossCurve curve = new LossCurve();
    assertEquals(0, curve.chart().getSeriesMap().size());
    curve.step(6, 3);
    curve.step(7, 2);
    curve.validated(7, 2.5);
    curve.step(8, 1);
    curve.validated(8, Double.NaN);
    XYChart chart = curve.chart();
    assertEquals(
        List.of(LossCurve.TRAINING, LossCurve.VALIDATION),
        List.copyOf(chart.getSeriesMap().keySet()));
    assertArrayEquals(
        new double[] {6, 7, 8}, chart.getSeriesMap().get(LossCurve.TRAINING).getXData());
    assertArrayEquals(
        new double[] {3, 2, 1}, chart.getSeriesMap().get(LossCurve.TRAINING).getYData());
    assertArrayEquals(new double[] {7}, chart.getSeriesMap().get(LossCurve.VALIDATION).getXData());
  }

  /** A loss that is its step: the mean of an interval is its middle. */
  @ParameterizedTest
  @ValueSource(ints = {399, 400, 5000, 100_000})
  void manyStepsAreMeansOverIntervals(int steps) {
    LossCurve curve = new LossCurve();
    for (int step = 1; step <= steps; step++) {
      curve.step(step, step);
    }
    double[] x = curve.chart().getSeriesMap().get(LossCurve.TRAINING).getXData();
    double[] y = curve.chart().getSeriesMap().get(LossCurve.TRAINING).getYData();
    assertTrue(x.length >= 200 && x.length < 400, x.length + " points");
    double length = x[1] - x[0];
    for (int i = 0; i < x.length; i++) {
      assertEquals((i + 1) * length, x[i]);
      assertEquals(x[i] - (length - 1) / 2, y[i], 1e-6);
    }
    assertTrue(steps - x[x.length - 1] < length, x[x.length - 1] + " of " + steps);
  }
}
