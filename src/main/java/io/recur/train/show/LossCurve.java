package io.recur.train.show;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The losses of a training against its steps, and those of the validation, as a picture. The points
 * of the training are means over intervals, which double when there are many points. It needs
 * {@link io.recur.io.optional.OptionalLibrary#CHART}.
 */
public final class LossCurve {
  /** The series of the training's steps. */
  static final String TRAINING = "training";

  /** The series of the validations. */
  static final String VALIDATION = "validation";

  private static final int MOST_POINTS = 400;

  private final List<Long> steps = new ArrayList<>();
  private final List<Double> losses = new ArrayList<>();
  private final List<Long> validatedAt = new ArrayList<>();
  private final List<Double> validations = new ArrayList<>();
  private int stepsPerPoint = 1;
  private double sum;
  private int taken;

  /** Begins without a point. */
  public LossCurve() {}

  /**
   * Takes a step of the training.
   *
   * @param step its number
   * @param loss its loss, finite
   */
  public void step(long step, double loss) {
    sum += loss;
    taken++;
    if (taken == stepsPerPoint) {
      steps.add(step);
      losses.add(sum / taken);
      sum = 0;
      taken = 0;
      if (steps.size() == MOST_POINTS) {
        halve();
      }
    }
  }

  private void halve() {
    for (int i = 0; i < MOST_POINTS / 2; i++) {
      steps.set(i, steps.get(2 * i + 1));
      losses.set(i, (losses.get(2 * i) + losses.get(2 * i + 1)) / 2);
    }
    steps.subList(MOST_POINTS / 2, MOST_POINTS).clear();
    losses.subList(MOST_POINTS / 2, MOST_POINTS).clear();
    stepsPerPoint *= 2;
  }

  /**
   * Takes a validation.
   *
   * @param step the last step before it
   * @param loss its loss; a curve cannot show one that is not finite
   */
  public void validated(long step, double loss) {
    if (Double.isFinite(loss)) {
      validatedAt.add(step);
      validations.add(loss);
    }
  }

  /**
   * Draws the curve into a PNG file. Needs no display.
   *
   * @param picture the file
   * @throws IOException if it cannot be drawn, as where Java finds no font, or cannot be written
   */
  public void draw(Path picture) throws IOException {
    Drawing.draw(this::chart, picture);
  }

  XYChart chart() {
    XYChart chart =
        new XYChartBuilder().width(900).height(540).xAxisTitle("step").yAxisTitle("loss").build();
    if (!steps.isEmpty()) {
      chart.addSeries(TRAINING, steps, losses).setMarker(SeriesMarkers.NONE);
    }
    if (!validations.isEmpty()) {
      chart.addSeries(VALIDATION, validatedAt, validations);
    }
    return chart;
  }
}
