package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Adam with Nesterov momentum (Dozat 2016), see {@link UpdateRule#NADAM}.
 *
 * <pre>{@code
 * Optimiser mine = new NAdam(0.002f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class NAdam extends Optimiser {
  private static final double DECAY = 0.004;
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and momentum decay 0.004.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public NAdam(float rate) {
    super(UpdateRule.NADAM, rate);
  }

  @Override
  void settings(long t, float[] s) {
    double product = 1;
    for (long i = Math.max(1, t - HISTORY); i <= t; i++) {
      product *= momentum(i);
    }
    double now = momentum(t);
    double next = momentum(t + 1);
    s[0] = (float) (rate() * (1 - now) / (1 - product));
    s[1] = (float) (1 - BETA1);
    s[2] = (float) (1 - BETA2);
    s[3] = 1e-8f;
    s[4] = (float) (1 / Math.sqrt(1 - Math.pow(BETA2, t)));
    s[5] = (float) (rate() * next / (1 - product * next));
  }

  /**
   * The product of 400 factors is below 0.9⁴⁰⁰. Earlier factors change nothing that a float holds.
   */
  private static final long HISTORY = 400;

  private static double momentum(long t) {
    return BETA1 * (1 - 0.5 * Math.pow(0.96, t * DECAY));
  }
}
