package io.recur.train;

/**
 * The learning rate as a function of the step. {@link Plateau} follows the validation's loss.
 *
 * <p>The schedules of this class throw an {@link IllegalArgumentException} for a negative step.
 *
 * <pre>{@code
 * Schedule schedule = Schedule.cosine(0.002f, 100, 10_000);
 * optimiser.rate(schedule.rate(step));
 * }</pre>
 */
@FunctionalInterface
public interface Schedule {
  /**
   * Computes the learning rate of a step.
   *
   * @param step the step, counted from 0
   * @return the learning rate
   */
  float rate(long step);

  /**
   * Keeps the rate constant.
   *
   * @param rate the learning rate, 0 or more, finite
   * @return the schedule
   * @throws IllegalArgumentException if the rate is negative or not finite
   */
  static Schedule constant(float rate) {
    finite("rate", rate);
    return step -> {
      counted(step);
      return rate;
    };
  }

  /**
   * Multiplies the rate by a factor at the end of each stage.
   *
   * @param rate the first learning rate, 0 or more, finite
   * @param factor the factor, 0 or more, finite
   * @param every the steps per stage, 1 or more
   * @return the schedule
   * @throws IllegalArgumentException if an argument is outside its range
   */
  static Schedule step(float rate, float factor, long every) {
    finite("rate", rate);
    finite("factor", factor);
    if (every < 1) {
      throw new IllegalArgumentException("schedule: every=" + every + "; need 1 or more steps");
    }
    double first = Optimiser.written(rate);
    double base = Optimiser.written(factor);
    return step -> (float) (first * Math.pow(base, counted(step) / every));
  }

  /**
   * Raises the rate linearly from {@code rate/warmUp} to {@code rate}, then lowers it along half a
   * cosine to zero (Loshchilov and Hutter 2017).
   *
   * @param rate the largest learning rate, 0 or more, finite
   * @param warmUp the steps of the rise, 0 or more
   * @param total the steps of rise and fall together, more than warmUp
   * @return the schedule
   * @throws IllegalArgumentException if an argument is outside its range
   */
  static Schedule cosine(float rate, long warmUp, long total) {
    return cosine(rate, warmUp, total, 0);
  }

  /**
   * Raises the rate linearly from {@code rate/warmUp} to {@code rate}, then lowers it along half a
   * cosine to a floor.
   *
   * @param rate the largest learning rate, 0 or more, finite
   * @param warmUp the steps of the rise, 0 or more
   * @param total the steps of rise and fall together, more than warmUp
   * @param floor the rate from step {@code total} on, from 0 to rate
   * @return the schedule
   * @throws IllegalArgumentException if an argument is outside its range
   */
  static Schedule cosine(float rate, long warmUp, long total, float floor) {
    finite("rate", rate);
    if (!(floor >= 0 && floor <= rate)) {
      throw new IllegalArgumentException(
          "schedule: floor=%s, rate=%s; need 0 ≤ floor ≤ rate".formatted(floor, rate));
    }
    if (warmUp < 0 || total <= warmUp) {
      throw new IllegalArgumentException(
          "schedule: warmUp=%d, total=%d; need 0 ≤ warmUp < total".formatted(warmUp, total));
    }
    double top = Optimiser.written(rate);
    double bottom = Optimiser.written(floor);
    return step -> {
      if (counted(step) < warmUp) {
        return (float) (top * (step + 1) / warmUp);
      }
      return (float) between(top, bottom, (double) (step - warmUp) / (total - warmUp));
    };
  }

  /**
   * Raises the rate along half a cosine for 0.3 of the steps, from rate/25 to rate, then lowers it
   * along another one to rate/250 000 (Smith and Topin 2019): PyTorch's {@code OneCycleLR}.
   *
   * @param rate the largest learning rate, 0 or more, finite
   * @param total the steps, 2 or more; later steps have the last rate
   * @return the schedule
   * @throws IllegalArgumentException if an argument is outside its range
   */
  static Schedule oneCycle(float rate, long total) {
    return oneCycle(rate, total, 0.3f, 25, 1e4f);
  }

  /**
   * Raises the rate along half a cosine, then lowers it along another one.
   *
   * @param rate the largest learning rate, 0 or more, finite
   * @param total the steps, 2 or more; later steps have the last rate
   * @param rise the share of the steps in which the rate rises, above 0 and below 1, such that the
   *     rise has more than one step
   * @param start the first rate is rate/start; above 0, finite
   * @param end the last rate is rate/(start·end); above 0, finite
   * @return the schedule
   * @throws IllegalArgumentException if an argument is outside its range
   */
  static Schedule oneCycle(float rate, long total, float rise, float start, float end) {
    finite("rate", rate);
    finite("start", start);
    finite("end", end);
    double top = Optimiser.written(rate);
    double peak = Optimiser.written(Float.isFinite(rise) ? rise : 0) * total - 1;
    if (total < 2 || !(peak > 0 && peak < total - 1) || start == 0 || end == 0) {
      throw new IllegalArgumentException(
          """
          schedule: total=%d, rise=%s, start=%s, end=%s; need 2 or more steps, more than one of them \
          to rise and one to fall, start and end above 0"""
              .formatted(total, rise, start, end));
    }
    double first = top / Optimiser.written(start);
    double last = first / Optimiser.written(end);
    return step ->
        (float)
            (counted(step) <= peak
                ? between(first, top, step / peak)
                : between(top, last, (step - peak) / (total - 1 - peak)));
  }

  /**
   * Multiplies the rates of the first steps by 1/steps, 2/steps and so on.
   *
   * @param steps the steps of the rise, 1 or more
   * @return this schedule with a linear warm-up; a {@link Plateau} below it still takes losses
   * @throws IllegalArgumentException if steps is less than 1
   */
  default Schedule warmUp(long steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("schedule: warmUp=" + steps + "; need 1 or more steps");
    }
    return step -> (float) (rate(step) * Math.min(1.0, (counted(step) + 1.0) / steps));
  }

  /** {@return a value on half a cosine from a, at share 0, to b, at share 1 and later} */
  private static double between(double a, double b, double share) {
    return b + (a - b) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1.0, share)));
  }

  /** Throws for a rate or a factor that is negative or not finite. */
  private static void finite(String name, float value) {
    if (!(value >= 0 && value < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "schedule: %s=%s; need a finite number of 0 or more".formatted(name, value));
    }
  }

  /** {@return the step; throws if it is negative} */
  private static long counted(long step) {
    if (step < 0) {
      throw new IllegalArgumentException(
          "schedule: step=" + step + "; need 0 or more, as Optimiser.steps() counts them");
    }
    return step;
  }
}
