package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Adam whose first steps do not divide by a second moment of few gradients (Liu et al. 2020). With
 * {@code ρ∞ = 2/(1−β₂) − 1} and {@code ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ)}: {@code w −= lr/c₁·m} up to ρ = 5,
 * then {@code w −= lr/c₁·r·√c₂·m/(√v + ε)} with {@code r² = (ρ−4)(ρ−2)ρ∞/((ρ∞−4)(ρ∞−2)ρ)}. Both are
 * {@link UpdateRule#ADAM} with other settings.
 *
 * <pre>{@code
 * Optimiser mine = new RAdam(0.002f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class RAdam extends Optimiser {
  private final double beta1;
  private final double beta2;
  private final float epsilon;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public RAdam(float rate) {
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
  public RAdam(float rate, float beta1, float beta2, float epsilon) {
    super(UpdateRule.ADAM, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = written(factor("beta2", beta2));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    Adam.moments(s, rate(), beta1, beta2, epsilon, t, keep());
    double power = Math.pow(beta2, t);
    double limit = 2 / (1 - beta2) - 1;
    double rho = limit - 2 * t * power / (1 - power);
    double corrected = rate() / (1 - Math.pow(beta1, t));
    if (rho > 5) {
      double r = Math.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho));
      s[0] = (float) (corrected * r * Math.sqrt(1 - power));
      s[4] = 1;
    } else {
      s[0] = (float) corrected;
      s[3] = 1; // divides by 0·√v + 1
      s[4] = 0;
    }
  }
}
