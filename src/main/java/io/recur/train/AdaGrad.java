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
  private final double rateDecay;
  private final float initial;

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
    this(rate, epsilon, 0, 0);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param epsilon ε, finite, more than 0
   * @param rateDecay η, finite, 0 or more: the rate of step t is rate/(1 + (t − 1)η)
   * @param initial the sum of squares before the first step, finite, 0 or more
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public AdaGrad(float rate, float epsilon, float rateDecay, float initial) {
    super(UpdateRule.ADAGRAD, rate);
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
    this.rateDecay = written(checked("rateDecay", rateDecay, rateDecay >= 0));
    this.initial = checked("initial", initial, initial >= 0);
  }

  @Override
  float initialSlot() {
    return initial;
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = (float) (rate() / (1 + (t - 1) * rateDecay));
    s[1] = epsilon;
  }
}
