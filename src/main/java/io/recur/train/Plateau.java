package io.recur.train;

import java.util.Objects;

/**
 * Lowers the learning rate where the loss stops falling: PyTorch's {@code ReduceLROnPlateau}.
 *
 * <p>The rate of a step is that of another schedule times a scale. {@link #observe} takes a loss,
 * as a rule the validation's after each pass. It multiplies the scale by the factor once the loss
 * was not below best·(1 − threshold) for more than {@code patience} losses in a row. One thread at
 * a time may use a plateau.
 *
 * <pre>{@code
 * Plateau plateau = new Plateau(Schedule.constant(0.002f), 0.5f, 3);
 * optimiser.rate(plateau.rate(optimiser.steps()));
 * plateau.observe(loss.scalar());                     // after each validation
 * }</pre>
 */
public final class Plateau implements Schedule {
  private static final double THRESHOLD = 1e-4;

  private final Schedule schedule;
  private final double factor;
  private final int patience;
  private float floor;
  private int cooldown;

  private double scale = 1;
  private double best = Double.POSITIVE_INFINITY;
  private int waited;
  private int cooling;

  /**
   * Uses no floor and no cooldown.
   *
   * @param schedule the rates before any reduction
   * @param factor what a reduction multiplies the rates by, above 0 and below 1
   * @param patience the losses without improvement that change nothing, 0 or more
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Plateau(Schedule schedule, float factor, int patience) {
    if (!(factor > 0 && factor < 1) || patience < 0) {
      throw new IllegalArgumentException(
          "plateau: factor=%s, patience=%d; need a factor above 0 and below 1, patience of 0 or more"
              .formatted(factor, patience));
    }
    this.schedule = Objects.requireNonNull(schedule);
    this.factor = Optimiser.written(factor);
    this.patience = patience;
  }

  /**
   * Keeps reduced rates at or above a floor.
   *
   * @param floor 0 or more, finite; a rate of the schedule itself may be below it
   * @return this
   * @throws IllegalArgumentException if the floor is outside its range
   */
  public Plateau floor(float floor) {
    if (!(floor >= 0 && floor < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "plateau: floor=" + floor + "; need a finite number of 0 or more");
    }
    this.floor = floor;
    return this;
  }

  /**
   * Does not count losses for a while after a reduction.
   *
   * @param losses the losses that are not counted, 0 or more
   * @return this
   * @throws IllegalArgumentException if the number is negative
   */
  public Plateau cooldown(int losses) {
    if (losses < 0) {
      throw new IllegalArgumentException("plateau: cooldown=" + losses + "; need 0 or more");
    }
    this.cooldown = losses;
    return this;
  }

  /**
   * Takes a loss and lowers the later rates where it is time.
   *
   * @param loss less is better; NaN is no improvement
   * @return whether the rates were lowered
   */
  public boolean observe(double loss) {
    if (loss < (best == Double.POSITIVE_INFINITY ? best : best - Math.abs(best) * THRESHOLD)) {
      best = loss;
      waited = 0;
    } else {
      waited++;
    }
    if (cooling > 0) {
      cooling--;
      waited = 0;
    }
    if (waited <= patience) {
      return false;
    }
    scale *= factor;
    cooling = cooldown;
    waited = 0;
    return true;
  }

  @Override
  public float rate(long step) {
    float rate = schedule.rate(step);
    return scale == 1 ? rate : Math.max((float) (rate * scale), Math.min(floor, rate));
  }

  /**
   * The state, for a checkpoint's facts.
   *
   * @return a text for {@link #restore}
   */
  public String save() {
    return "%s %s %d %d".formatted(scale, best, waited, cooling);
  }

  /**
   * Restores what {@link #save} returned.
   *
   * @param saved the text
   * @throws IllegalArgumentException if the text is no such state; nothing has then changed
   */
  public void restore(String saved) {
    String number = "\\d[\\d.]{0,24}(E-?\\d{1,3})?";
    if (!saved.matches(number + " (Infinity|-?" + number + ") \\d{1,9} \\d{1,9}")) {
      throw new IllegalArgumentException(
          "plateau: saved=%s; need the text that save() returned".formatted(saved));
    }
    String[] parts = saved.split(" ");
    double itsScale = Double.parseDouble(parts[0]);
    best = Double.parseDouble(parts[1]);
    scale = itsScale;
    waited = Integer.parseInt(parts[2]);
    cooling = Integer.parseInt(parts[3]);
  }
}
