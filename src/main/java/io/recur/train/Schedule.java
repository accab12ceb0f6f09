package io.recur.train;

/**
 * The learning rate as a function of the step.
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
    finite("rate", rate);
    if (warmUp < 0 || total <= warmUp) {
      throw new IllegalArgumentException(
          "schedule: warmUp=%d, total=%d; need 0 ≤ warmUp < total".formatted(warmUp, total));
    }
    double top = Optimiser.written(rate);
    return step -> {
      if (counted(step) < warmUp) {
        return (float) (top * (step + 1) / warmUp);
      }
      double share = Math.min(1.0, (double) (step - warmUp) / (total - warmUp));
      return (float) (top * 0.5 * (1 + Math.cos(Math.PI * share)));
    };
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
