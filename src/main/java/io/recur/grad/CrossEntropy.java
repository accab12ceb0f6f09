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
 * @param x scores, classes × batch or classes × batch × time
 * @param target one-hot, of x's shape
 * @param p softmax of x
 * @param loss a scalar
 */
public record CrossEntropy(Tensor x, OneHot target, Buffer p, Tensor loss) implements Op {
  /**
   * The loss against classes or, where the target is no {@link OneHot}, against distributions:
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
    Tape tape = Tape.of("crossEntropy", x, target);
    if (!(target instanceof OneHot hot)) {
      Tensor scores = x.tape() == null ? tape.use(x) : x;
      return Softmax.logSoftmax(scores).mul(target).sum().scale(-1f / shape.columns());
    }
    Tensor loss = tape.output(Shape.of(1), x.isDifferentiable());
    Buffer p = tape.scratch(shape.count());
    tape.device()
        .columns()
        .crossEntropy(shape.rows(), shape.columns(), x.value(), hot.index(), p, loss.value());
    return tape.record(new CrossEntropy(x, hot, p, loss), loss);
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    loss.device()
        .columns()
        .addCrossEntropySlope(
            shape.rows(), shape.columns(), p, target.index(), loss.gradient(), x.accumulator());
  }
}
