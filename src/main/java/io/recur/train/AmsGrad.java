package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Adam with a second moment that never shrinks (Reddi et al. 2018), see {@link UpdateRule#AMSGRAD}.
 *
 * <pre>{@code
 * Optimiser mine = new AmsGrad(0.002f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class AmsGrad extends Optimiser {
  private final double beta1;
  private final double beta2;
  private final float epsilon;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AmsGrad(float rate) {
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
  public AmsGrad(float rate, float beta1, float beta2, float epsilon) {
    super(UpdateRule.AMSGRAD, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = written(factor("beta2", beta2));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    Adam.moments(s, rate(), beta1, beta2, epsilon, t, 1);
  }
}
