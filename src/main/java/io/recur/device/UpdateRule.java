package io.recur.device;

/**
 * The table of optimiser rules. g is the gradient, w the parameter, lr the learning rate. Slots are
 * zero before the first step. The caller computes settings that change with the step number, such
 * as bias corrections. For a factor β near 1 the setting is 1 − β, which the caller computes in
 * double: a float near 1 has lost the last digits of that difference.
 *
 * <pre>{@code
 * int slots = UpdateRule.ADAM.slots();                    // 2: m and v
 * }</pre>
 */
public enum UpdateRule {
  /** {@code w −= lr·g}. Settings: lr. */
  SGD(0),

  /** {@code v = μv + g, w −= lr·v}. Settings: lr, μ. Slot: v. */
  MOMENTUM(1),

  /** {@code v = μv + g, w −= lr·(g + μv)}. Settings: lr, μ. Slot: v. */
  NESTEROV(1),

  /** {@code v = αv + (1−α)g², w −= lr·g/(√v + ε)}. Settings: lr, 1−α, ε. Slot: v. */
  RMSPROP(1),

  /**
   * {@code w *= 1 − lr·λ, m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², w −= lr/c₁·m/(√v/√c₂ + ε)}.
   * Settings: lr/c₁, 1−β₁, 1−β₂, ε, 1/√c₂, 1 − lr·λ. Slots: m, v. For Adam λ is 0, for AdamW it is
   * not.
   */
  ADAM(2),

  /** {@code v += g², w −= lr·g/(√v + ε)}. Settings: lr, ε. Slot: v. */
  ADAGRAD(1),

  /**
   * {@code v = ρv + (1−ρ)g², d = √(u+ε)/√(v+ε)·g, u = ρu + (1−ρ)d², w −= lr·d}. Settings: lr, 1−ρ,
   * ε. Slots: v, u.
   */
  ADADELTA(2),

  /**
   * {@code m = β₁m + (1−β₁)g, u = max(β₂u, |g| + ε), w −= lr/c₁·m/u}. Settings: lr/c₁, 1−β₁, β₂, ε.
   * Slots: m, u.
   */
  ADAMAX(2),

  /**
   * {@code m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², w −= (a·g + b·m)/(√v/√c₂ + ε)} with a and b from
   * the momentum schedule. Settings: a, 1−β₁, 1−β₂, ε, 1/√c₂, b. Slots: m, v.
   */
  NADAM(2),

  /**
   * Adam with {@code v̂ = max(v̂, v)} in the denominator. Settings: lr/c₁, 1−β₁, 1−β₂, ε, 1/√c₂.
   * Slots: m, v, v̂.
   */
  AMSGRAD(3),

  /**
   * RMSProp with momentum, centred where k is 1: {@code v = αv + (1−α)g², c = αc + (1−α)g, u = μu +
   * g/(√max(v − kc², 0) + ε), w −= lr·u}. Settings: lr, 1−α, ε, μ, k. Slots: v, u, c.
   */
  CENTRED(3),

  /**
   * {@code w = (1 − lr·λ)w − lr·sign(β₁m + (1−β₁)g), m = β₂m + (1−β₂)g}. Settings: lr, 1−β₁, 1−β₂,
   * 1 − lr·λ. Slot: m.
   */
  LION(1);

  private final int slots;

  UpdateRule(int slots) {
    this.slots = slots;
  }

  /** {@return the number of slots: values that the rule remembers per value of a parameter} */
  public int slots() {
    return slots;
  }
}
