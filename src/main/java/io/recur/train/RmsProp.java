package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * RMSProp (Hinton 2012), see {@link UpdateRule#RMSPROP}.
 *
 * <pre>{@code
 * Optimiser mine = new RmsProp(0.01f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class RmsProp extends Optimiser {
  private final double alpha;
  private final float epsilon;

  /**
   * Uses α = 0.99 and ε = 1e-8.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public RmsProp(float rate) {
    this(rate, 0.99f, 1e-8f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param alpha α, from 0 to below 1
   * @param epsilon ε, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public RmsProp(float rate, float alpha, float epsilon) {
    super(UpdateRule.RMSPROP, rate);
    this.alpha = written(factor("alpha", alpha));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = (float) (1 - alpha);
    s[2] = epsilon;
  }
}
