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
  private final float momentum;
  private final boolean centred;

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
    this(rate, alpha, epsilon, 0, false);
  }

  /**
   * Uses these settings. Momentum or centring needs three values of memory per parameter's value,
   * see {@link UpdateRule#CENTRED}.
   *
   * @param rate learning rate, finite, more than 0
   * @param alpha α, from 0 to below 1
   * @param epsilon ε, finite, more than 0
   * @param momentum μ, from 0 to below 1
   * @param centred whether to divide by the standard deviation of the gradient instead of the root
   *     of its mean square (Graves 2013)
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public RmsProp(float rate, float alpha, float epsilon, float momentum, boolean centred) {
    super(momentum != 0 || centred ? UpdateRule.CENTRED : UpdateRule.RMSPROP, rate);
    this.momentum = factor("momentum", momentum);
    this.centred = centred;
    this.alpha = written(factor("alpha", alpha));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = (float) (1 - alpha);
    s[2] = epsilon;
    s[3] = momentum;
    s[4] = centred ? 1 : 0;
  }
}
