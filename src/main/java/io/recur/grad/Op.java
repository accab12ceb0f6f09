package io.recur.grad;

/**
 * An operation that a tape has recorded: it knows its inputs, its outputs and its derivative.
 *
 * <p>An operation of one's own computes its value, then records itself in an {@link OpContext}:
 *
 * <pre>{@code
 * record Twice(Tensor x, Tensor y) implements Op {
 *   static Tensor twice(Tensor x) {
 *     try (OpContext context = OpContext.of("twice", x)) {
 *       Tensor y = context.output(x.shape(), x.isDifferentiable());
 *       context.device().pointwise().scale(2, x.value(), y.value(), x.shape().count());
 *       return context.record(new Twice(x, y), y);
 *     }
 *   }
 *
 *   public void backward() {
 *     if (x.isDifferentiable()) {
 *       x.device().pointwise().addScaled(2, y.gradient(), x.accumulator(), x.shape().count());
 *     }
 *   }
 *
 *   public void trace(Trace trace) {                   // cells that use it can be compiled
 *     trace.give(y, new Graph.Node.Affine(y.shape().rows(), trace.number(x), 2, 0));
 *   }
 * }
 * }</pre>
 */
public interface Op {
  /**
   * Adds to the {@linkplain Tensor#accumulator accumulators} of the inputs that are {@linkplain
   * Tensor#isDifferentiable differentiable} what the {@linkplain Tensor#gradient gradients} of the
   * outputs give them. It must change nothing else: it may be called again.
   */
  void backward();

  /**
   * Describes the operation by nodes of a {@link Graph}, so that a cell that uses it can be
   * compiled. An operation that does not say how ends the trace: the cell runs step by step.
   *
   * @param trace takes the nodes
   */
  default void trace(Trace trace) {
    trace.refuse("no step with it can be compiled; Graph.Node lists what can");
  }
}
