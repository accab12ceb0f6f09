package io.recur.device;

/**
 * The table of optimiser rules. g is the gradient, w the parameter, lr the learning rate; slots are
 * zero before the first step. Settings that change with the step number (bias corrections) are
 * computed by the caller. Of a factor near 1 that weighs a mean the setting is its distance from 1,
 * which the caller forms in double: a float so near 1 has lost the distance's last digits.
 *
 * <pre>{@code
 * int slots = UpdateRule.ADAM.slots();                    // 2: m and v
 * }</pre>
 */
public enum UpdateRule {
  /** {@code w −= lr·g}. Settings: lr. */
  SGD(0) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      for (int i = 0; i < n; i++) {
        w[i] -= rate * g[i];
      }
    }
  },

  /** {@code v = μv + g, w −= lr·v}. Settings: lr, μ. Slot: v. */
  MOMENTUM(1) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float mu = s[1];
      float[] v = slots[0];
      for (int i = 0; i < n; i++) {
        v[i] = mu * v[i] + g[i];
        w[i] -= rate * v[i];
      }
    }
  },

  /** {@code v = μv + g, w −= lr·(g + μv)}. Settings: lr, μ. Slot: v. */
  NESTEROV(1) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float mu = s[1];
      float[] v = slots[0];
      for (int i = 0; i < n; i++) {
        v[i] = mu * v[i] + g[i];
        w[i] -= rate * (g[i] + mu * v[i]);
      }
    }
  },

  /** {@code v = αv + (1−α)g², w −= lr·g/(√v + ε)}. Settings: lr, 1−α, ε. Slot: v. */
  RMSPROP(1) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh = s[1];
      float alpha = 1 - fresh;
      float epsilon = s[2];
      float[] v = slots[0];
      for (int i = 0; i < n; i++) {
        v[i] = alpha * v[i] + fresh * g[i] * g[i];
        w[i] -= rate * g[i] / (root(v[i]) + epsilon);
      }
    }
  },

  /**
   * {@code w *= 1 − lr·λ, m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², w −= lr/c₁·m/(√v/√c₂ + ε)}.
   * Settings: lr/c₁, 1−β₁, 1−β₂, ε, 1/√c₂, 1 − lr·λ. Slots: m, v. Adam has λ = 0, AdamW has not.
   */
  ADAM(2) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh1 = s[1];
      float beta1 = 1 - fresh1;
      float fresh2 = s[2];
      float beta2 = 1 - fresh2;
      float epsilon = s[3];
      float correction = s[4];
      float keep = s[5];
      float[] m = slots[0];
      float[] v = slots[1];
      for (int i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
        w[i] = keep * w[i] - rate * m[i] / (root(v[i]) * correction + epsilon);
      }
    }
  },

  /** {@code v += g², w −= lr·g/(√v + ε)}. Settings: lr, ε. Slot: v. */
  ADAGRAD(1) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float epsilon = s[1];
      float[] v = slots[0];
      for (int i = 0; i < n; i++) {
        v[i] += g[i] * g[i];
        w[i] -= rate * g[i] / (root(v[i]) + epsilon);
      }
    }
  },

  /**
   * {@code v = ρv + (1−ρ)g², d = √(u+ε)/√(v+ε)·g, u = ρu + (1−ρ)d², w −= lr·d}. Settings: lr, 1−ρ,
   * ε. Slots: v, u.
   */
  ADADELTA(2) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh = s[1];
      float rho = 1 - fresh;
      float epsilon = s[2];
      float[] v = slots[0];
      float[] u = slots[1];
      for (int i = 0; i < n; i++) {
        v[i] = rho * v[i] + fresh * g[i] * g[i];
        float d = root(u[i] + epsilon) / root(v[i] + epsilon) * g[i];
        u[i] = rho * u[i] + fresh * d * d;
        w[i] -= rate * d;
      }
    }
  },

  /**
   * {@code m = β₁m + (1−β₁)g, u = max(β₂u, |g| + ε), w −= lr/c₁·m/u}. Settings: lr/c₁, 1−β₁, β₂, ε.
   * Slots: m, u.
   */
  ADAMAX(2) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh1 = s[1];
      float beta1 = 1 - fresh1;
      float beta2 = s[2];
      float epsilon = s[3];
      float[] m = slots[0];
      float[] u = slots[1];
      for (int i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        u[i] = Math.max(beta2 * u[i], Math.abs(g[i]) + epsilon);
        w[i] -= rate * m[i] / u[i];
      }
    }
  },

  /**
   * {@code m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², w −= (a·g + b·m)/(√v/√c₂ + ε)} with a and b from
   * the momentum schedule. Settings: a, 1−β₁, 1−β₂, ε, 1/√c₂, b. Slots: m, v.
   */
  NADAM(2) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float a = s[0];
      float fresh1 = s[1];
      float beta1 = 1 - fresh1;
      float fresh2 = s[2];
      float beta2 = 1 - fresh2;
      float epsilon = s[3];
      float correction = s[4];
      float b = s[5];
      float[] m = slots[0];
      float[] v = slots[1];
      for (int i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
        w[i] -= (a * g[i] + b * m[i]) / (root(v[i]) * correction + epsilon);
      }
    }
  },

  /**
   * Adam with {@code v̂ = max(v̂, v)} in the denominator. Settings: lr/c₁, 1−β₁, 1−β₂, ε, 1/√c₂.
   * Slots: m, v, v̂.
   */
  AMSGRAD(3) {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh1 = s[1];
      float beta1 = 1 - fresh1;
      float fresh2 = s[2];
      float beta2 = 1 - fresh2;
      float epsilon = s[3];
      float correction = s[4];
      float[] m = slots[0];
      float[] v = slots[1];
      float[] top = slots[2];
      for (int i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
        top[i] = Math.max(top[i], v[i]);
        w[i] -= rate * m[i] / (root(top[i]) * correction + epsilon);
      }
    }
  };

  private final int slots;

  UpdateRule(int slots) {
    this.slots = slots;
  }

  /**
   * How many values the rule remembers for each parameter.
   *
   * @return slots
   */
  public int slots() {
    return slots;
  }

  abstract void apply(float[] settings, float[] w, float[] g, float[][] slots, int n);

  private static float root(float x) {
    return (float) Math.sqrt(x);
  }
}
