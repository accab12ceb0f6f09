package io.recur.cli;

import io.recur.train.show.Drawing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The learning curve: bits per character against characters read. The points of the training are
 * means over intervals, which double when there are many points. The points of the held-out text
 * are measured at intervals, which double too. The checkpoint keeps the curve as text.
 */
final class Curve {
  private static final String TRAINING = "curve";
  private static final String HELD_OUT = "curve.held-out";
  private static final int MOST_POINTS = 400;
  private static final int MOST_MEASURES = 20;
  private static final int LONGEST_NAME = 80;

  /** The bits per character of the held-out text after a step. */
  private record Measure(long step, double bits) {}

  private final int charactersPerStep;
  private final List<Double> bits = new ArrayList<>();
  private final List<Measure> measures = new ArrayList<>();
  private int stepsPerPoint = 1;
  private double sum;
  private int steps;
  private long stepsPerMeasure;

  /**
   * Makes an empty curve.
   *
   * @param charactersPerStep the characters that a step of the training reads
   * @param stepsPerMeasure the steps between two measures of the held-out text, at first
   */
  Curve(int charactersPerStep, int stepsPerMeasure) {
    this.charactersPerStep = charactersPerStep;
    this.stepsPerMeasure = stepsPerMeasure;
  }

  /** {@return whether a fact of a checkpoint is part of a curve} */
  static boolean isFact(String name) {
    return name.equals(TRAINING) || name.equals(HELD_OUT);
  }

  /** Reads the curve that {@link #addTo} wrote. A part that is missing or damaged stays empty. */
  void load(Map<String, String> facts) {
    double[] training = numbers(facts.get(TRAINING), "[1-9]\\d{0,8} \\d{1,9}( [-+.\\dE]+)+");
    if (training.length > 2 && training.length < MOST_POINTS + 3 && training[1] < training[0]) {
      stepsPerPoint = (int) training[0];
      steps = (int) training[1];
      sum = training[2];
      for (int i = 3; i < training.length; i++) {
        bits.add(training[i]);
      }
    }
    double[] heldOut = numbers(facts.get(HELD_OUT), "[1-9]\\d{0,8}( \\d{1,15} [.\\d]+)*");
    if (heldOut.length > 0 && heldOut.length <= 2 * MOST_MEASURES) {
      stepsPerMeasure = (long) heldOut[0];
      for (int i = 1; i < heldOut.length; i += 2) {
        measures.add(new Measure((long) heldOut[i], heldOut[i + 1]));
      }
    }
  }

  private static double[] numbers(@Nullable String text, String pattern) {
    if (text == null || !text.matches(pattern)) {
      return new double[0];
    }
    String[] words = text.split(" ");
    double[] numbers = new double[words.length];
    for (int i = 0; i < words.length; i++) {
      try {
        numbers[i] = Double.parseDouble(words[i]);
      } catch (NumberFormatException e) {
        return new double[0];
      }
    }
    return numbers;
  }

  void addTo(Map<String, String> facts) {
    StringBuilder training = new StringBuilder(stepsPerPoint + " " + steps + " " + sum);
    for (double value : bits) {
      training.append(String.format(Locale.ROOT, " %.4f", value));
    }
    facts.put(TRAINING, training.toString());
    StringBuilder heldOut = new StringBuilder(Long.toString(stepsPerMeasure));
    for (Measure measure : measures) {
      heldOut.append(String.format(Locale.ROOT, " %d %.4f", measure.step, measure.bits));
    }
    facts.put(HELD_OUT, heldOut.toString());
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

  /** Rounds as {@link #addTo} does, so that a resumed curve equals one without interruption. */
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

  /**
   * {@return whether to measure the held-out text after this step} Steps decide, not time, so that
   * a resumed curve equals one without interruption.
   */
  boolean isTimeToMeasure(long step) {
    return step % stepsPerMeasure == 0;
  }

  void measured(long step, double value) {
    if (!Double.isFinite(value)) {
      return; // a curve cannot show it
    }
    measures.add(new Measure(step, rounded(value)));
    if (measures.size() == MOST_MEASURES) {
      stepsPerMeasure *= 2;
      measures.removeIf(measure -> measure.step % stepsPerMeasure != 0);
    }
  }

  /**
   * Draws the curve into a file. Needs no display.
   *
   * @param picture the file
   * @param title the picture's title
   * @param text the name of the text
   * @throws IOException if it cannot be drawn or written
   */
  void draw(Path picture, String title, String text) throws IOException {
    System.setProperty("java.awt.headless", "true");
    Drawing.draw(() -> chart(title, text), picture);
  }

  XYChart chart(String title, String text) {
    String end =
        text.length() <= LONGEST_NAME ? text : "…" + text.substring(text.length() - LONGEST_NAME);
    XYChart chart =
        new XYChartBuilder()
            .width(900)
            .height(540)
            .title(title)
            .xAxisTitle("million characters read of " + end)
            .yAxisTitle("bits per character")
            .build();
    chart.getStyler().setChartTitleFont(chart.getStyler().getChartTitleFont().deriveFont(14f));
    if (!bits.isEmpty()) {
      List<Double> characters = new ArrayList<>();
      for (int i = 0; i < bits.size(); i++) {
        characters.add(millions((i + 0.5) * stepsPerPoint));
      }
      chart.addSeries("training", characters, bits).setMarker(SeriesMarkers.NONE);
    }
    if (!measures.isEmpty()) {
      chart.addSeries(
          "held out, a part of it",
          measures.stream().map(measure -> millions(measure.step)).toList(),
          measures.stream().map(Measure::bits).toList());
    }
    return chart;
  }

  private double millions(double steps) {
    return steps * charactersPerStep / 1e6;
  }
}
