package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * AdaDelta (Zeiler 2012), see {@link UpdateRule#ADADELTA}.
 *
 * <pre>{@code
 * Optimiser mine = new AdaDelta();
 * mine.step(model.parameters());
 * }</pre>
 */
public final class AdaDelta extends Optimiser {
  private final double rho;
  private final float epsilon;

  /** Uses rate 1, ρ = 0.9 and ε = 1e-6. */
  public AdaDelta() {
    this(1f, 0.9f, 1e-6f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param rho ρ, from 0 to below 1
   * @param epsilon ε, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdaDelta(float rate, float rho, float epsilon) {
    super(UpdateRule.ADADELTA, rate);
    this.rho = written(factor("rho", rho));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = (float) (1 - rho);
    s[2] = epsilon;
  }
}
