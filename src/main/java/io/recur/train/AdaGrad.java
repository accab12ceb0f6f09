package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * AdaGrad (Duchi et al. 2011), see {@link UpdateRule#ADAGRAD}.
 *
 * <pre>{@code
 * Optimiser mine = new AdaGrad(0.01f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class AdaGrad extends Optimiser {
  private final float epsilon;

  /**
   * Uses ε = 1e-10.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdaGrad(float rate) {
    this(rate, 1e-10f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param epsilon ε, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdaGrad(float rate, float epsilon) {
    super(UpdateRule.ADAGRAD, rate);
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = epsilon;
  }
}
