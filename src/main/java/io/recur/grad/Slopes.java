package io.recur.grad;

/**
 * Functions that are x above 0, with a setting for the values below: compositions of {@code max(x,
 * 0)} and {@code min(x, 0)}, of which one is 0 at each place, so the sum is exact. At 0 the
 * derivative is that of the values below.
 */
final class Slopes {
  /** The fixed point of means and variances (Klambauer et al. 2017, eq. 14). */
  private static final float SELU_ALPHA = 1.6732632423543772f;

  private static final float SELU_SCALE = 1.0507009873554805f;

  private Slopes() {}

  static Tensor leakyRelu(Tensor x, float slope) {
    check("leakyRelu", "slope", slope);
    return Functions.relu(x).add(below(x).scale(slope));
  }

  static Tensor prelu(Tensor x, Tensor slope) {
    int values = slope.shape().count();
    int rows = x.shape().rows();
    if (slope.shape().columns() != 1 || values != 1 && values != rows) {
      throw new ShapeException(
          "prelu: x=%s, slope=%s; need one slope, or one per row, %d"
              .formatted(x.shape(), slope.shape(), rows));
    }
    return Functions.relu(x).add(below(x).mul(slope));
  }

  static Tensor elu(Tensor x, float alpha) {
    check("elu", "alpha", alpha);
    return Functions.relu(x).add(Functions.elu(below(x)).scale(alpha));
  }

  static Tensor celu(Tensor x, float alpha) {
    check("celu", "alpha", alpha);
    if (alpha <= 0) {
      throw new IllegalArgumentException("celu: alpha=%s; need alpha > 0".formatted(alpha));
    }
    return Functions.relu(x).add(Functions.elu(below(x).scale(1 / alpha)).scale(alpha));
  }

  static Tensor selu(Tensor x) {
    return elu(x, SELU_ALPHA).scale(SELU_SCALE);
  }

  private static Tensor below(Tensor x) {
    return x.clamp(Float.NEGATIVE_INFINITY, 0);
  }

  private static void check(String where, String name, float value) {
    if (!Float.isFinite(value)) {
      throw new IllegalArgumentException(
          "%s: %s=%s; need a finite number".formatted(where, name, value));
    }
  }
}
