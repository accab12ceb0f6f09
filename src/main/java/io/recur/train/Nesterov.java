package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Momentum that looks ahead (Sutskever et al. 2013), see {@link UpdateRule#NESTEROV}.
 *
 * <pre>{@code
 * Optimiser mine = new Nesterov(0.1f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class Nesterov extends Optimiser {
  private final float momentum;

  /**
   * Uses momentum 0.9.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Nesterov(float rate) {
    this(rate, 0.9f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param momentum μ, from 0 to below 1
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Nesterov(float rate, float momentum) {
    super(UpdateRule.NESTEROV, rate);
    this.momentum = factor("momentum", momentum);
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = momentum;
  }
}
