package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.knowm.xchart.XYChart;

@Tag(Devices.CPU)
class CurveTest {
  private static final String HELD_OUT = "held out, a part of it";

  private static Map<String, String> facts(Curve curve) {
    Map<String, String> facts = new HashMap<>();
    curve.addTo(facts);
    facts.keySet().forEach(name -> assertTrue(Curve.isFact(name), name));
    return facts;
  }

  private static void step(Curve curve, long step) {
    curve.add(5.0 / step);
    if (curve.isTimeToMeasure(step)) {
      curve.measured(step, 6.0 / step);
    }
  }

  @Test
  void aCurveGoesOnAsAnUnbrokenOne() {
    Curve whole = new Curve(64, 20);
    Curve first = new Curve(64, 20);
    for (long step = 1; step <= 3000; step++) {
      step(whole, step);
      if (step % 777 == 0) {
        Curve next = new Curve(64, 20);
        next.load(facts(first));
        first = next;
      }
      step(first, step);
    }
    assertEquals(facts(whole), facts(first));
  }

  @Test
  void theHeldOutTextIsMeasuredAllAlongTheWay() {
    for (int steps : new int[] {400, 1000, 100_000}) {
      Curve curve = new Curve(64, 20);
      List<Long> measured = new ArrayList<>();
      for (long step = 1; step <= steps; step++) {
        if (curve.isTimeToMeasure(step)) {
          measured.add(step);
        }
        step(curve, step);
      }
      XYChart chart = curve.chart("title", "text");
      int points = chart.getSeriesMap().get(HELD_OUT).getXData().length;
      assertTrue(points >= 9 && points < 20, steps + " steps: " + points + " points");
      double last = chart.getSeriesMap().get(HELD_OUT).getXData()[points - 1];
      assertTrue(last > 0.85 * steps * 64 / 1e6, "the last point stands at " + last);
      assertTrue(measured.size() < 150, measured.size() + " measures in " + steps + " steps");
    }
  }

  @Test
  void theChartSaysWhatWasTrainedAndOnWhat() {
    Curve curve = new Curve(64, 20);
    step(curve, 20);
    XYChart chart = curve.chart("lstm 2 × 256", "x".repeat(100) + "/book.txt");
    assertEquals("lstm 2 × 256", chart.getTitle());
    assertTrue(chart.getXAxisTitle().endsWith("xxx/book.txt"), chart.getXAxisTitle());
    assertTrue(chart.getXAxisTitle().length() < 120, chart.getXAxisTitle());
    assertEquals(List.of("training", HELD_OUT), List.copyOf(chart.getSeriesMap().keySet()));
  }

  /** As where Java finds no font. */
  @Test
  void aDrawingThatFailsLeavesNoPicture(@TempDir Path folder) {
    Path picture = folder.resolve("model.png");
    Curve curve = new Curve(1, 1);
    assertThrows(IOException.class, () -> curve.draw(picture, null, "text"));
    assertFalse(Files.exists(picture));
  }

  @Test
  void aFigureThatIsNoNumberHasNoPlaceOnTheCurve() {
    Curve curve = new Curve(64, 20);
    curve.measured(20, Double.NaN);
    assertFalse(curve.chart("", "").getSeriesMap().containsKey(HELD_OUT));
  }

  /** A file without held-out figures, or with damaged ones, still loads. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "1 0 0.0 -",
        "1 0 ---",
        "99999999999 0 0.0",
        "4 9 1.0 2.0",
        "1 0 E 1",
        "0 0 0 1"
      })
  void aDamagedCurveStaysEmpty(String text) {
    Curve curve = new Curve(64, 20);
    curve.load(Map.of("curve", text, "curve.held-out", text));
    assertTrue(curve.chart("", "").getSeriesMap().isEmpty(), text);
    step(curve, 1);
    assertFalse(curve.chart("", "").getSeriesMap().isEmpty());
  }

  @Test
  void aCurveOfBeforeTheHeldOutFiguresStillLoads() {
    Curve curve = new Curve(64, 20);
    curve.load(Map.of("curve", "2 1 3.5 4.0000 3.8000"));
    assertEquals("2 1 3.5 4.0000 3.8000", facts(curve).get("curve"));
  }
}
