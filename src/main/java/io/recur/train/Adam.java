package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Adam (Kingma and Ba 2015), see {@link UpdateRule#ADAM}.
 *
 * <pre>{@code
 * Optimiser mine = new Adam(0.002f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class Adam extends Optimiser {
  private final double beta1;
  private final double beta2;
  private final float epsilon;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Adam(float rate) {
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
  public Adam(float rate, float beta1, float beta2, float epsilon) {
    super(UpdateRule.ADAM, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = written(factor("beta2", beta2));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    moments(s, rate(), beta1, beta2, epsilon, t, keep());
  }

  /** Writes the settings of {@link UpdateRule#ADAM}. */
  static void moments(
      float[] s, double rate, double beta1, double beta2, float epsilon, long t, float keep) {
    double first = 1 - Math.pow(beta1, t);
    double second = 1 - Math.pow(beta2, t);
    s[0] = (float) (rate / first);
    s[1] = (float) (1 - beta1);
    s[2] = (float) (1 - beta2);
    s[3] = epsilon;
    s[4] = (float) (1 / Math.sqrt(second));
    s[5] = keep;
  }
}
