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
