package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), see {@link UpdateRule#ADAM}.
 *
 * <pre>{@code
 * Optimiser mine = new AdamW(0.002f, 0.01f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class AdamW extends Optimiser {
  private final double beta1;
  private final double beta2;
  private final float epsilon;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @param decay λ, finite, 0 or more: each step multiplies the weights by 1 − rate·λ
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdamW(float rate, float decay) {
    this(rate, 0.9f, 0.999f, 1e-8f, decay);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param beta1 β₁, from 0 to below 1
   * @param beta2 β₂, from 0 to below 1
   * @param epsilon ε, finite, more than 0
   * @param decay λ, finite, 0 or more: each step multiplies the weights by 1 − rate·λ
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdamW(float rate, float beta1, float beta2, float epsilon, float decay) {
    super(UpdateRule.ADAM, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = written(factor("beta2", beta2));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
    decoupledDecay(decay);
  }

  @Override
  void settings(long t, float[] s) {
    Adam.moments(s, rate(), beta1, beta2, epsilon, t, keep());
  }
}
