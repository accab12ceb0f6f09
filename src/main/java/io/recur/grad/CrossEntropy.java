package io.recur.grad;

import io.recur.device.Buffer;

/**
 * Mean cross-entropy of scores against target classes, in nats: {@code −1/n Σⱼ log
 * softmax(x[:,j])[tⱼ]} over all n columns; {@code dx += dloss/n·(softmax(x) − t)}.
 *
 * <pre>{@code
 * Tensor mean = crossEntropy(x, tape.oneHot(Shape.of(3, 2), 0, 2));   // x: 3×2 scores
 * }</pre>
 *
 * <p>x holds scores, classes × batch or classes × batch × time; the target is of x's shape; the
 * loss is a scalar.
 */
public final class CrossEntropy implements Op {
  private Tensor x;
  private OneHot target;

  /** The softmax of x. */
  private Buffer p;

  private Tensor loss;

  private CrossEntropy() {}

  /**
   * The loss against classes, or against distributions where the target is not {@link OneHot}:
   * {@code −1/n Σ t∘log softmax(x)}.
   *
   * @param x scores
   * @param target of x's shape
   * @return a scalar, in nats
   */
  public static Tensor crossEntropy(Tensor x, Tensor target) {
    Shape shape = x.shape();
    if (!shape.equals(target.shape())) {
      throw new ShapeException(
          "crossEntropy: scores=%s, target=%s; need equal shapes".formatted(shape, target.shape()));
    }
    try (OpContext context = OpContext.of("crossEntropy", x, target)) {
      if (!(target instanceof OneHot hot)) {
        Tensor scores = x.tape() == null ? context.tape().use(x) : x;
        return Softmax.logSoftmax(scores).mul(target).sum().scale(-1f / shape.columns());
      }
      CrossEntropy op = context.reuse(CrossEntropy.class, CrossEntropy::new);
      op.x = x;
      op.target = hot;
      op.p = context.scratch(shape.count());
      op.loss = context.output(Shape.SCALAR, x.isDifferentiable());
      op.forward();
      return context.record(op, op.loss);
    }
  }

  /**
   * The mean loss of the valid steps of sequences.
   *
   * @param x scores
   * @param target classes or distributions, of the same rows and lengths
   * @return a scalar, in nats
   * @throws ShapeException if rows or lengths differ
   */
  public static Tensor crossEntropy(Padded x, Padded target) {
    x.checkLike("crossEntropy", target);
    return crossEntropy(x.valid(), target.valid());
  }

  private void forward() {
    Shape shape = x.shape();
    loss.device()
        .columns()
        .crossEntropy(shape.rows(), shape.columns(), x.value(), target.index(), p, loss.value());
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    loss.device()
        .columns()
        .addCrossEntropyDerivative(
            shape.rows(), shape.columns(), p, target.index(), loss.gradient(), x.accumulator());
  }
}
