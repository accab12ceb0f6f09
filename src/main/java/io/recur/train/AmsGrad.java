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
  /**
   * Uses β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AmsGrad(float rate) {
    super(UpdateRule.AMSGRAD, rate);
  }

  @Override
  void settings(long t, float[] s) {
    Adam.moments(s, rate(), 0.9, 0.999, 1e-8f, t, 0);
  }
}
