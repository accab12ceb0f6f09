package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Gradient descent with heavy-ball momentum (Polyak 1964), see {@link UpdateRule#MOMENTUM}.
 *
 * <pre>{@code
 * Optimiser mine = new Momentum(0.1f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class Momentum extends Optimiser {
  private final float momentum;
  private final float fresh;

  /**
   * Uses momentum 0.9.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Momentum(float rate) {
    this(rate, 0.9f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param momentum μ, from 0 to below 1
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Momentum(float rate, float momentum) {
    this(rate, momentum, 0);
  }

  /**
   * Uses these settings: {@code v = μv + (1−d)g}, and {@code v = g} at the first step.
   *
   * @param rate learning rate, finite, more than 0
   * @param momentum μ, from 0 to below 1
   * @param dampening d, from 0 to below 1
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Momentum(float rate, float momentum, float dampening) {
    super(UpdateRule.MOMENTUM, rate);
    this.momentum = factor("momentum", momentum);
    this.fresh = (float) (1 - written(factor("dampening", dampening)));
  }

  @Override
  float gradientFactor(long t) {
    return t == 1 ? 1 : fresh;
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
    s[1] = momentum;
  }
}
