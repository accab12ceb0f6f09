package io.recur.device.cpu;

import io.recur.device.UpdateRule;
import java.util.List;
import java.util.stream.Stream;

/** The optimiser rules in Java: for each entry of {@link UpdateRule} an entry of the same name. */
enum JavaRule {
  SGD {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      for (int i = 0; i < n; i++) {
        w[i] -= rate * g[i];
      }
    }
  },

  MOMENTUM {
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

  NESTEROV {
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

  RMSPROP {
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

  ADAM {
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

  ADAGRAD {
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

  ADADELTA {
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

  ADAMAX {
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

  NADAM {
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

  AMSGRAD {
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
  },

  CENTRED {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh = s[1];
      float alpha = 1 - fresh;
      float epsilon = s[2];
      float mu = s[3];
      float centred = s[4];
      float[] v = slots[0];
      float[] u = slots[1];
      float[] c = slots[2];
      for (int i = 0; i < n; i++) {
        v[i] = alpha * v[i] + fresh * g[i] * g[i];
        c[i] = alpha * c[i] + fresh * g[i];
        float spread = Math.max(v[i] - centred * c[i] * c[i], 0); // a rounding may make it negative
        u[i] = mu * u[i] + g[i] / (root(spread) + epsilon);
        w[i] -= rate * u[i];
      }
    }
  },

  LION {
    @Override
    void apply(float[] s, float[] w, float[] g, float[][] slots, int n) {
      float rate = s[0];
      float fresh1 = s[1];
      float beta1 = 1 - fresh1;
      float fresh2 = s[2];
      float beta2 = 1 - fresh2;
      float keep = s[3];
      float[] m = slots[0];
      for (int i = 0; i < n; i++) {
        w[i] = keep * w[i] - rate * Math.signum(beta1 * m[i] + fresh1 * g[i]);
        m[i] = beta2 * m[i] + fresh2 * g[i];
      }
    }
  };

  /** In the order of {@link UpdateRule}. */
  private static final List<JavaRule> TABLE =
      Stream.of(UpdateRule.values()).map(rule -> valueOf(rule.name())).toList();

  /** The entry of this rule. */
  static JavaRule of(UpdateRule rule) {
    return TABLE.get(rule.ordinal());
  }

  /** Updates the first n parameters and slots. Does not change the gradients. */
  abstract void apply(float[] settings, float[] w, float[] g, float[][] slots, int n);

  private static float root(float x) {
    return (float) Math.sqrt(x);
  }
}
