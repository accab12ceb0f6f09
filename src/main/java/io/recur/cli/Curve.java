package io.recur.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The learning curve: bits a character against characters read, as means over stretches that double
 * when there are many. It travels in the checkpoint as text.
 */
final class Curve {
  static final String FACT = "curve";
  private static final int MOST_POINTS = 400;

  private final int charactersPerStep;
  private final List<Double> bits = new ArrayList<>();
  private int stepsPerPoint = 1;
  private double sum;
  private int steps;

  Curve(int charactersPerStep) {
    this.charactersPerStep = charactersPerStep;
  }

  /** From what {@link #text} gave; an empty one where that is missing or damaged. */
  static Curve of(int charactersPerStep, @Nullable String text) {
    Curve curve = new Curve(charactersPerStep);
    if (text == null || !text.matches("[1-9]\\d* \\d+( [-+.\\dE]+)+")) {
      return curve;
    }
    String[] words = text.split(" ");
    curve.stepsPerPoint = Integer.parseInt(words[0]);
    curve.steps = Integer.parseInt(words[1]);
    curve.sum = Double.parseDouble(words[2]);
    for (int i = 3; i < words.length; i++) {
      curve.bits.add(Double.valueOf(words[i]));
    }
    return curve;
  }

  String text() {
    StringBuilder text = new StringBuilder(stepsPerPoint + " " + steps + " " + sum);
    for (double value : bits) {
      text.append(String.format(Locale.ROOT, " %.4f", value));
    }
    return text.toString();
  }

  void add(double value) {
    sum += value;
    steps++;
    if (steps == stepsPerPoint) {
      bits.add(rounded(sum / steps));
      sum = 0;
      steps = 0;
      if (bits.size() == MOST_POINTS) {
        halve();
      }
    }
  }

  /** To what {@link #text} writes, so that a resumed curve is the unbroken one. */
  private static double rounded(double value) {
    return Math.rint(value * 1e4) / 1e4;
  }

  private void halve() {
    for (int i = 0; i < MOST_POINTS / 2; i++) {
      bits.set(i, rounded((bits.get(2 * i) + bits.get(2 * i + 1)) / 2));
    }
    bits.subList(MOST_POINTS / 2, MOST_POINTS).clear();
    stepsPerPoint *= 2;
  }

  /** Draws the curve; needs no display. */
  void draw(Path picture, String title, double heldOut) throws IOException {
    System.setProperty("java.awt.headless", "true");
    List<Double> characters = new ArrayList<>();
    for (int i = 0; i < bits.size(); i++) {
      characters.add((i + 0.5) * stepsPerPoint * charactersPerStep / 1e6);
    }
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(540)
            .title(title)
            .xAxisTitle("million characters read")
            .yAxisTitle("bits per character")
            .build();
    if (!bits.isEmpty()) {
      chart.addSeries("training", characters, bits).setMarker(SeriesMarkers.NONE);
      chart
          .addSeries(
              String.format(Locale.ROOT, "held out: %.3f", heldOut),
              new double[] {0, characters.getLast()},
              new double[] {heldOut, heldOut})
          .setMarker(SeriesMarkers.NONE);
    }
    BitmapEncoder.saveBitmap(
        chart, picture.toString().replaceFirst("\\.png$", ""), BitmapEncoder.BitmapFormat.PNG);
  }
}
