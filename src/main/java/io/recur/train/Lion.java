package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Steps of equal length in the direction of the momentum's signs (Chen et al. 2023, Algorithm 2),
 * see {@link UpdateRule#LION}. Its decay is {@link #decoupledDecay}. The authors advise a rate of a
 * third to a tenth of Adam's.
 *
 * <pre>{@code
 * Optimiser mine = new Lion(1e-4f).decoupledDecay(0.1f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class Lion extends Optimiser {
  private final double beta1;
  private final double beta2;

  /**
   * Uses β₁ = 0.9 and β₂ = 0.99.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Lion(float rate) {
    this(rate, 0.9f, 0.99f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param beta1 β₁, from 0 to below 1: the weight of the momentum in a step
   * @param beta2 β₂, from 0 to below 1: the weight of the momentum in the next one
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Lion(float rate, float beta1, float beta2) {
    super(UpdateRule.LION, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = written(factor("beta2", beta2));
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = (float) (1 - beta1);
    s[2] = (float) (1 - beta2);
    s[3] = keep();
  }
}
