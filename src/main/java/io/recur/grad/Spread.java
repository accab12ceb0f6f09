package io.recur.grad;

import io.recur.device.Buffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * Columns at places among others, which are zero: {@code y[:,place[j]] = x[:,j]}; {@code dx[:,j] +=
 * dy[:,place[j]]}. The gradient of the others is not read.
 */
final class Spread implements Op {
  private Tensor x;
  private Tensor y;
  private Buffer places;

  /**
   * Spreads columns over a shape.
   *
   * @param places of the columns of x, each once
   * @param shape of y
   */
  static Tensor spread(Tensor x, int[] places, Shape shape) {
    try (OpContext context = OpContext.of("spread", x)) {
      return context.reuse(Spread.class, Spread::new).of(context, x, places, shape);
    }
  }

  private Tensor of(OpContext context, Tensor x, int[] places, Shape shape) {
    int m = shape.rows();
    int n = places.length;
    this.x = x;
    this.places = context.scratch(n);
    this.places.writeIndexes(places);
    y = context.output(shape, x.isDifferentiable());
    Buffer source = context.scratch(shape.columns());
    source.writeIndexes(sources(places, shape.columns()));
    Buffer withZero = context.scratch((long) m * (n + 1));
    context.device().pointwise().copy(x.value(), withZero, (long) m * n);
    context.device().pointwise().fill(0, withZero.slice((long) m * n, m), m);
    context.device().columns().gather(m, shape.columns(), withZero, source, null, y.value());
    return context.record(this, y);
  }

  /** The column of x for each column of y, and the number of columns of x where there is none. */
  private static int[] sources(int[] places, int columns) {
    int[] sources = new int[columns];
    Arrays.fill(sources, places.length);
    for (int j = 0; j < places.length; j++) {
      sources[places[j]] = j;
    }
    return sources;
  }

  @Override
  public void backward() {
    int m = x.shape().rows();
    int n = x.shape().columns();
    OpContext context = Objects.requireNonNull(y.tape()).context;
    Buffer taken = context.backwardScratch((long) m * n);
    context.device().columns().gather(m, n, y.gradient(), places, null, taken);
    context.device().pointwise().addScaled(1, taken, x.accumulator(), (long) m * n);
  }
}
