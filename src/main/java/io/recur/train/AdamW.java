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
  private final float decay;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @param decay λ, finite, 0 or more: each step multiplies the weights by 1 − rate·λ
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdamW(float rate, float decay) {
    super(UpdateRule.ADAM, rate);
    this.decay = checked("decay", decay, decay >= 0);
  }

  @Override
  void settings(long t, float[] s) {
    Adam.moments(s, rate(), 0.9, 0.999, 1e-8f, t, decay);
  }
}
