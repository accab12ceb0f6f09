package io.recur.grad;

import io.recur.device.Dimension;
import io.recur.device.kernels.Reduction;
import io.recur.device.kernels.Reductions;
import io.recur.grad.Graph.Node;

/**
 * A reduction over one dimension, see {@link Reduction} for the equations. Over rows in×B×T gives
 * 1×B×T, over columns in×1×T, over time in×B; the rank stays, but for time, which a result has not.
 */
final class Reduce implements Op {
  private Reduction reduction;
  private Dimension dimension;
  private Reductions kernels;
  private Tensor x;
  private Tensor y;

  static Tensor reduce(Reduction reduction, Tensor x, Dimension dimension) {
    try (OpContext context = OpContext.of(reduction.label(), x)) {
      Shape shape = x.shape();
      Reduce op = context.reuse(Reduce.class, Reduce::new);
      op.reduction = reduction;
      op.dimension = dimension;
      op.kernels = context.kernels.reductions();
      op.x = x;
      op.y = context.output(shape, dimension, 1, x.isDifferentiable());
      op.kernels.reduce(
          reduction, dimension, shape.rows(), shape.batch(), shape.time(), x.value(), op.y.value());
      return context.record(op, op.y);
    }
  }

  @Override
  public void trace(Trace trace) {
    if (dimension != Dimension.ROWS) {
      trace.refuse("it reduces columns or time; reduce the rows of each column, Dimension.ROWS");
      return;
    }
    trace.give(y, new Node.Reduce(reduction, trace.number(x)));
  }

  @Override
  public void backward() {
    Shape shape = x.shape();
    kernels.addDerivative(
        reduction,
        dimension,
        shape.rows(),
        shape.batch(),
        shape.time(),
        x.value(),
        y.value(),
        y.gradient(),
        x.accumulator());
  }
}
