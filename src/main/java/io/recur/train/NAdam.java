package io.recur.train;

import io.recur.device.UpdateRule;

/**
 * Adam with Nesterov momentum (Dozat 2016), see {@link UpdateRule#NADAM}.
 *
 * <pre>{@code
 * Optimiser mine = new NAdam(0.002f);
 * mine.step(model.parameters());
 * }</pre>
 */
public final class NAdam extends Optimiser {
  private final double beta1;
  private final double beta2;
  private final float epsilon;
  private final double momentumDecay;

  /** The product of the momenta up to the step {@link #multiplied}. */
  private double product = 1;

  private long multiplied;

  /**
   * Uses β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and momentum decay 0.004.
   *
   * @param rate learning rate, finite, more than 0
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public NAdam(float rate) {
    this(rate, 0.9f, 0.999f, 1e-8f, 0.004f);
  }

  /**
   * Uses these settings.
   *
   * @param rate learning rate, finite, more than 0
   * @param beta1 β₁, from 0 to below 1
   * @param beta2 β₂, from 0 to below 1
   * @param epsilon ε, finite, more than 0
   * @param momentumDecay ψ, finite, 0 or more: the momentum of step t is β₁(1 − 0.96^(t·ψ)/2)
   * @throws IllegalArgumentException if an argument is outside its range
   */
  public NAdam(float rate, float beta1, float beta2, float epsilon, float momentumDecay) {
    super(UpdateRule.NADAM, rate);
    this.beta1 = written(factor("beta1", beta1));
    this.beta2 = written(factor("beta2", beta2));
    this.epsilon = checked("epsilon", epsilon, epsilon > 0);
    this.momentumDecay = written(checked("momentumDecay", momentumDecay, momentumDecay >= 0));
  }

  @Override
  void settings(long t, float[] s) {
    double now = momentum(t);
    double next = momentum(t + 1);
    double product = product(t);
    s[0] = (float) (rate() * (1 - now) / (1 - product));
    s[1] = (float) (1 - beta1);
    s[2] = (float) (1 - beta2);
    s[3] = epsilon;
    s[4] = (float) (1 / Math.sqrt(1 - Math.pow(beta2, t)));
    s[5] = (float) (rate() * next / (1 - product * next));
  }

  /** {@return the product of the momenta of steps 1 to t, always multiplied in this order} */
  private double product(long t) {
    if (t < multiplied) {
      multiplied = 0;
      product = 1;
    }
    while (multiplied < t && product > 0) {
      product *= momentum(++multiplied);
    }
    multiplied = t; // a product of zero stays zero
    return product;
  }

  private double momentum(long t) {
    return beta1 * (1 - 0.5 * Math.pow(0.96, t * momentumDecay));
  }
}
