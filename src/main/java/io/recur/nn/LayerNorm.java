package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.grad.Functions;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Layer normalisation of each column: {@code y = (x − mean)/√(variance + ε)∘gain + bias}, with the
 * mean and the population variance of the column's rows. Gain and bias are of length in; x is in ×
 * B or in × B × T, and y is of x's shape.
 *
 * <p>Ba, Kiros and Hinton 2016, equations 3 and 4; PyTorch's {@code nn.LayerNorm}. A cell
 * normalises within its step with {@link #layerNorm}.
 *
 * <pre>{@code
 * Chain model = chain(lstm(10, 15), layerNorm(15), dense(15, 5)).on(device, 42);
 * }</pre>
 */
public final class LayerNorm implements Layer {
  /** PyTorch's ε. */
  public static final float EPSILON = 1e-5f;

  private final Parameter gain;
  private final Parameter bias;
  private final float epsilon;

  /**
   * A layer with gain 1, bias 0 and ε = 10⁻⁵.
   *
   * @param in length of x and y
   */
  public LayerNorm(int in) {
    this(
        Parameter.of(Shape.of(in), (values, random) -> Arrays.fill(values, 1)),
        Parameter.zeros(Shape.of(in)),
        EPSILON);
  }

  /**
   * A layer from its parts.
   *
   * @param gain in
   * @param bias in
   * @param epsilon ε, 0 or more
   * @throws ShapeException if gain and bias are not vectors of one length
   * @throws IllegalArgumentException if ε is negative, infinite or NaN
   */
  public LayerNorm(Parameter gain, Parameter bias, float epsilon) {
    check(gain.shape(), gain, bias, epsilon);
    this.gain = gain.named("gain");
    this.bias = bias.named("bias");
    this.epsilon = epsilon;
  }

  /**
   * Normalises each column, in operations that a gradient passes.
   *
   * @param x in × B or in × B × T
   * @param gain in, one per row
   * @param bias in, one per row
   * @param epsilon ε, 0 or more; with 0 a column of equal values gives NaN
   * @return of x's shape
   * @throws ShapeException if gain or bias is not one column of x's rows
   * @throws IllegalArgumentException if ε is negative, infinite or NaN
   */
  public static Tensor layerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon) {
    check(x.shape(), gain, bias, epsilon);
    Tensor centred = x.sub(x.mean(Dimension.ROWS));
    Tensor deviation = Functions.sqrt(x.variance(Dimension.ROWS).add(epsilon));
    return centred.div(deviation).mul(gain).add(bias);
  }

  private static void check(Shape x, Tensor gain, Tensor bias, float epsilon) {
    if (!isColumn(gain.shape(), x.rows()) || !isColumn(bias.shape(), x.rows())) {
      throw new ShapeException(
          "layerNorm: x=%s, gain=%s, bias=%s; need gain and bias of x's %d rows"
              .formatted(x, gain.shape(), bias.shape(), x.rows()));
    }
    if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "layerNorm: epsilon=%s; need 0 ≤ epsilon < ∞".formatted(epsilon));
    }
  }

  private static boolean isColumn(Shape shape, int rows) {
    return shape.rows() == rows && shape.columns() == 1;
  }

  /** {@return ε} */
  public float epsilon() {
    return epsilon;
  }

  @Override
  public Tensor apply(Tensor x) {
    return layerNorm(x, gain, bias, epsilon);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(this::apply);
  }

  @Override
  public List<Parameter> own() {
    return List.of(gain, bias);
  }

  @Override
  public LayerNorm on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    String behind = epsilon == EPSILON ? "" : ", epsilon=" + epsilon;
    return "LayerNorm(" + gain.shape().rows() + behind + ")";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
