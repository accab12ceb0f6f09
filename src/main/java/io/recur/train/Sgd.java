package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Gradient descent without memory, see {@link UpdateRule#SGD}.
 *
 * <pre>{@code
 * Optimiser mine = new Sgd(0.1f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class Sgd extends Optimiser {
  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public Sgd(float rate) {
    super(UpdateRule.SGD, rate);
  }

  @Override
  void settings(long t, float[] s) {
    s[0] = rate();
  }
}
