package io.recur.grad;

import io.recur.device.Elementwise;

/**
 * The elementwise functions on tensors: {@code y = f(x)}; {@code dx += dy∘f'(x)}. The functions
 * themselves are the table {@link Elementwise}.
 *
 * <pre>{@code
 * import static io.recur.grad.Functions.tanh;
 * Tensor y = tanh(Wxh.matmul(x).add(Whh.matmul(h)).add(b));
 * }</pre>
 */
public final class Functions implements Op {
  private Elementwise f;
  private Tensor x;
  private Tensor y;

  private Functions() {}

  /**
   * Applies a function of the table.
   *
   * @param f the function
   * @param x input
   * @return f(x), of x's shape
   */
  public static Tensor apply(Elementwise f, Tensor x) {
    try (OpContext context = OpContext.of(f.label(), x)) {
      Functions op = context.reuse(Functions.class, Functions::new);
      op.f = f;
      op.x = x;
      op.y = context.output(x.shape(), x.isDifferentiable());
      context.device().pointwise().map(f, x.value(), op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    trace.give(y, new Graph.Node.Map(f, y.shape().rows(), trace.number(x)));
  }

  @Override
  public void backward() {
    y.device()
        .pointwise()
        .addDerivative(f, x.value(), y.value(), y.gradient(), x.accumulator(), x.shape().count());
  }

  /**
   * {@link Elementwise#TANH}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor tanh(Tensor x) {
    return apply(Elementwise.TANH, x);
  }

  /**
   * {@link Elementwise#SIGMOID}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor sigmoid(Tensor x) {
    return apply(Elementwise.SIGMOID, x);
  }

  /**
   * {@link Elementwise#RELU}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor relu(Tensor x) {
    return apply(Elementwise.RELU, x);
  }

  /**
   * {@link Elementwise#LEAKY_RELU}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor leakyRelu(Tensor x) {
    return apply(Elementwise.LEAKY_RELU, x);
  }

  /**
   * {@link Elementwise#ELU}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor elu(Tensor x) {
    return apply(Elementwise.ELU, x);
  }

  /**
   * Leaky relu with a slope of your own, {@code y = max(x, 0) + slope·min(x, 0)}; the derivative at
   * 0 is the slope, as PyTorch has it.
   *
   * <pre>{@code
   * Tensor y = Functions.leakyRelu(W.matmul(x), 0.2f);
   * }</pre>
   *
   * @param x input
   * @param slope of the negative values, finite
   * @return of x's shape
   */
  public static Tensor leakyRelu(Tensor x, float slope) {
    return Slopes.leakyRelu(x, slope);
  }

  /**
   * Leaky relu with learned slopes (He et al. 2015), {@code y = max(x, 0) + slope∘min(x, 0)}.
   *
   * <pre>{@code
   * Parameter slope = Parameter.of(Shape.of(1, 1), 0.25f);   // one for all rows
   * Tensor y = Functions.prelu(x, slope);
   * }</pre>
   *
   * @param x input
   * @param slope of the negative values: one value, or one per row
   * @return of x's shape
   * @throws ShapeException if it is of another size
   */
  public static Tensor prelu(Tensor x, Tensor slope) {
    return Slopes.prelu(x, slope);
  }

  /**
   * Elu with a scale of your own, {@code y = max(x, 0) + alpha·(e^min(x, 0) − 1)}; the derivative
   * at 0 is alpha, as PyTorch has it.
   *
   * @param x input
   * @param alpha of the negative values, which reach −alpha; finite
   * @return of x's shape
   */
  public static Tensor elu(Tensor x, float alpha) {
    return Slopes.elu(x, alpha);
  }

  /**
   * Elu whose derivative is continuous (Barron 2017), {@code y = max(x, 0) + alpha·(e^(min(x,
   * 0)/alpha) − 1)}.
   *
   * @param x input
   * @param alpha of the negative values, which reach −alpha; finite and above 0
   * @return of x's shape
   */
  public static Tensor celu(Tensor x, float alpha) {
    return Slopes.celu(x, alpha);
  }

  /**
   * Elu that keeps mean 0 and variance 1 (Klambauer et al. 2017), {@code y = 1.0507·elu(x,
   * 1.6733)}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor selu(Tensor x) {
    return Slopes.selu(x);
  }

  /**
   * {@link Elementwise#SOFTPLUS}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor softplus(Tensor x) {
    return apply(Elementwise.SOFTPLUS, x);
  }

  /**
   * {@link Elementwise#SOFTSIGN}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor softsign(Tensor x) {
    return apply(Elementwise.SOFTSIGN, x);
  }

  /**
   * {@link Elementwise#SWISH}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor swish(Tensor x) {
    return apply(Elementwise.SWISH, x);
  }

  /**
   * {@link Elementwise#GELU}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor gelu(Tensor x) {
    return apply(Elementwise.GELU, x);
  }

  /**
   * {@link Elementwise#GELU_ERF}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor geluErf(Tensor x) {
    return apply(Elementwise.GELU_ERF, x);
  }

  /**
   * {@link Elementwise#EXP}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor exp(Tensor x) {
    return apply(Elementwise.EXP, x);
  }

  /**
   * {@link Elementwise#LOG}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor log(Tensor x) {
    return apply(Elementwise.LOG, x);
  }

  /**
   * {@link Elementwise#SQUARE}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor square(Tensor x) {
    return apply(Elementwise.SQUARE, x);
  }

  /**
   * {@link Elementwise#ABS}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor abs(Tensor x) {
    return apply(Elementwise.ABS, x);
  }

  /**
   * {@link Elementwise#SQRT}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor sqrt(Tensor x) {
    return apply(Elementwise.SQRT, x);
  }

  /**
   * {@link Elementwise#RECIPROCAL}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor reciprocal(Tensor x) {
    return apply(Elementwise.RECIPROCAL, x);
  }

  /**
   * {@link Elementwise#NEGATE}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor negate(Tensor x) {
    return apply(Elementwise.NEGATE, x);
  }

  /**
   * {@link Elementwise#HARD_SIGMOID}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor hardSigmoid(Tensor x) {
    return apply(Elementwise.HARD_SIGMOID, x);
  }

  /**
   * {@link Elementwise#HARD_TANH}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor hardTanh(Tensor x) {
    return apply(Elementwise.HARD_TANH, x);
  }

  /**
   * {@link Elementwise#RELU6}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor relu6(Tensor x) {
    return apply(Elementwise.RELU6, x);
  }

  /**
   * {@link Elementwise#IDENTITY}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor identity(Tensor x) {
    return apply(Elementwise.IDENTITY, x);
  }

  /**
   * {@link Elementwise#SIN}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor sin(Tensor x) {
    return apply(Elementwise.SIN, x);
  }

  /**
   * {@link Elementwise#COS}.
   *
   * @param x input
   * @return of x's shape
   */
  public static Tensor cos(Tensor x) {
    return apply(Elementwise.COS, x);
  }
}
