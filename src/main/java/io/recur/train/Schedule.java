package io.recur.train;

/**
 * The learning rate as a function of the step.
 *
 * <pre>{@code
 * Schedule schedule = Schedule.cosine(0.002f, 100, 10_000);
 * optimiser.rate(schedule.rate(step));
 * }</pre>
 */
@FunctionalInterface
public interface Schedule {
  /**
   * The rate of a step.
   *
   * @param step from 0
   * @return the learning rate
   */
  float rate(long step);

  /**
   * Always the same.
   *
   * @param rate the learning rate
   * @return the schedule
   */
  static Schedule constant(float rate) {
    return step -> rate;
  }

  /**
   * Multiplied by a factor every so many steps.
   *
   * @param rate the first learning rate
   * @param factor of each stage
   * @param every steps a stage, 1 or more
   * @return the schedule
   */
  static Schedule step(float rate, float factor, long every) {
    if (every < 1) {
      throw new IllegalArgumentException("schedule: every=" + every + "; need 1 or more steps");
    }
    double first = Optimiser.written(rate);
    double base = Optimiser.written(factor);
    return step -> (float) (first * Math.pow(base, step / every));
  }

  /**
   * Rises linearly from {@code rate/warmUp} to the rate, then falls along half a cosine to zero
   * (Loshchilov and Hutter 2017).
   *
   * @param rate the largest learning rate
   * @param warmUp steps that rise, 0 or more
   * @param total steps in all, more than warmUp
   * @return the schedule
   */
  static Schedule cosine(float rate, long warmUp, long total) {
    if (warmUp < 0 || total <= warmUp) {
      throw new IllegalArgumentException(
          "schedule: warmUp=%d, total=%d; need 0 ≤ warmUp < total".formatted(warmUp, total));
    }
    double top = Optimiser.written(rate);
    return step -> {
      if (step < warmUp) {
        return (float) (top * (step + 1) / warmUp);
      }
      double share = Math.min(1.0, (double) (step - warmUp) / (total - warmUp));
      return (float) (top * 0.5 * (1 + Math.cos(Math.PI * share)));
    };
  }
}
