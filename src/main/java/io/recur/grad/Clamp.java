package io.recur.grad;

import io.recur.device.kernels.Arithmetic;
import io.recur.device.kernels.Binary;
import io.recur.grad.Graph.Node;

/**
 * Values within two bounds, {@code y = min(max(x, low), high)}; {@code dx += dy} where {@code low ≤
 * x ≤ high}.
 */
final class Clamp implements Op {
  private float low;
  private float high;
  private Tensor x;
  private Tensor y;
  private Arithmetic arithmetic;

  static Tensor clamp(Tensor x, float low, float high) {
    if (!(low <= high)) {
      throw new IllegalArgumentException(
          "clamp: low=%s, high=%s; need low ≤ high".formatted(low, high));
    }
    try (OpContext context = OpContext.of("clamp", x)) {
      Clamp op = context.reuse(Clamp.class, Clamp::new);
      op.low = low;
      op.high = high;
      op.x = x;
      op.arithmetic = context.kernels.arithmetic();
      op.y = context.output(x.shape(), x.isDifferentiable());
      op.arithmetic.clamp(low, high, x.value(), op.y.value(), x.shape().count());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    int a = trace.number(x);
    if (low > Float.NEGATIVE_INFINITY) {
      a = bound(trace, a, Binary.MAXIMUM, Math.nextDown(low), Binary.GREATER_EQUAL, low);
    }
    if (high < Float.POSITIVE_INFINITY) {
      a = bound(trace, a, Binary.MINIMUM, Math.nextUp(high), Binary.LESS_EQUAL, high);
    }
    trace.give(y, a);
  }

  /**
   * {@code z·mask + bound·(1 − mask)}, with z the value, or where it is beyond the bound the float
   * next to that. So the gradient passes at the bound itself, of which a maximum would give half.
   */
  private int bound(Trace trace, int a, Binary nearer, float beyond, Binary within, float bound) {
    int rows = x.shape().rows();
    int z = trace.node(new Node.Combine(nearer, rows, a, trace.node(new Node.Constant(beyond))));
    int mask = trace.node(new Node.Combine(within, rows, z, trace.node(new Node.Constant(bound))));
    int kept = trace.node(new Node.Combine(Binary.MULTIPLY, rows, z, mask));
    int rest = trace.node(new Node.Affine(rows, mask, -bound, bound));
    return trace.node(new Node.Combine(Binary.ADD, rows, kept, rest));
  }

  @Override
  public void backward() {
    arithmetic.addClampDerivative(
        low, high, x.value(), y.gradient(), x.accumulator(), x.shape().count());
  }
}
