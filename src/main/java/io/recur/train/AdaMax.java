package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * AdaMax (Kingma and Ba 2015, section 7.1), see {@link UpdateRule#ADAMAX}.
 *
 * <pre>{@code
 * Optimiser mine = new AdaMax(0.002f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class AdaMax extends Optimiser {
  private final double beta1;
  private final float beta2;
  private final float epsilon;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdaMax(float rate) {
    this(rate, 0.9f, 0.999f, 1e-8f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param beta1 β₁, from 0 to below 1
   * @param beta2 β₂, from 0 to below 1
   * @param epsilon ε, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdaMax(float rate, float beta1, float beta2, float epsilon) {
    super(UpdateRule.ADAMAX, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = factor("beta2", beta2);
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    float corrected = (float) (rate() / (1 - Math.pow(beta1, t)));
    s[0] = corrected;
    s[1] = (float) (1 - beta1);
    s[2] = beta2;
    s[3] = epsilon;
  }
}
