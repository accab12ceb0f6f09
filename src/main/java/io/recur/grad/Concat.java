package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.memory.Cuts;
import java.util.List;

/**
 * Concatenation of tensors along rows, columns or time. Each part gets its part of the gradient.
 *
 * <pre>{@code
 * Tensor both = Concat.rows(h, x);              // (H + in) × B
 * Tensor wide = Concat.columns(x, y);           // in × (B + B′) × T
 * Tensor all = Concat.time(steps);              // out × B × T from T tensors out × B
 * }</pre>
 */
public final class Concat implements Op {
  private final Cuts places = new Cuts();
  private final Cuts gradients = new Cuts();
  private Dimension dimension;
  private List<Tensor> parts;
  private Tensor y;

  private Concat() {}

  /**
   * Concatenates tensors of equal batch and time along rows.
   *
   * @param parts one or more
   * @return a tensor with the sum of their rows
   * @throws ShapeException if the parts do not fit each other
   */
  public static Tensor rows(Tensor... parts) {
    return join(Dimension.ROWS, 1, List.of(parts));
  }

  /**
   * Concatenates vectors, matrices or sequences of equal rows and time along columns.
   *
   * @param parts one or more
   * @return a matrix, or sequences, with the sum of their columns
   * @throws ShapeException if the parts do not fit each other
   */
  public static Tensor columns(Tensor... parts) {
    return join(Dimension.COLUMNS, 2, List.of(parts));
  }

  /**
   * Concatenates tensors along time: T tensors {@code out × B} give {@code out × B × T}. A part may
   * be a sequence itself.
   *
   * @param parts one or more of equal rows and batch
   * @return a sequence
   * @throws ShapeException if the parts do not fit each other
   */
  public static Tensor time(List<Tensor> parts) {
    return join(Dimension.TIME, 3, List.copyOf(parts));
  }

  private static Tensor join(Dimension dimension, int leastRank, List<Tensor> parts) {
    Shape shape = shape(dimension, leastRank, parts);
    Tensor[] inputs = parts.toArray(Tensor[]::new);
    try (OpContext context = OpContext.of("concat", inputs)) {
      boolean differentiable = false;
      for (Tensor input : inputs) {
        differentiable |= input.isDifferentiable();
      }
      Concat op = context.reuse(Concat.class, Concat::new);
      op.dimension = dimension;
      op.parts = parts;
      op.y = context.output(shape, differentiable);
      op.forward();
      return context.record(op, op.y);
    }
  }

  /** The parts' shape, with the sum of their lengths. Refuses parts that do not fit each other. */
  private static Shape shape(Dimension d, int leastRank, List<Tensor> parts) {
    if (parts.isEmpty()) {
      throw new ShapeException("concat: no tensors; need one or more");
    }
    Shape first = parts.get(0).shape();
    long length = 0;
    for (Tensor part : parts) {
      Shape shape = part.shape();
      if ((d != Dimension.ROWS && shape.rows() != first.rows())
          || (d != Dimension.COLUMNS && shape.batch() != first.batch())
          || (d != Dimension.TIME && shape.time() != first.time())) {
        throw new ShapeException(
            "concat %s: %s and %s; need equal %s".formatted(d.label(), first, shape, others(d)));
      }
      length += shape.length(d);
    }
    return first.with(d, length, Math.max(leastRank, first.rank()));
  }

  private static String others(Dimension dimension) {
    return switch (dimension) {
      case ROWS -> "batch and time";
      case COLUMNS -> "rows and time";
      case TIME -> "rows and batch";
    };
  }

  private void forward() {
    long offset = 0;
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      Buffer place = place(places, y.value(), i, offset);
      int m = run(part);
      y.device().columns().block(m, count(), part.value(), m, false, place, run(y));
      offset += m;
    }
  }

  @Override
  public void trace(Trace trace) {
    if (dimension == Dimension.ROWS) {
      List<Integer> numbers = parts.stream().map(trace::number).toList();
      trace.give(y, new Graph.Node.Concat(y.shape().rows(), numbers));
    } else {
      trace.refuse("it makes columns or time of a step's values; keep the columns of x");
    }
  }

  @Override
  public void backward() {
    long offset = 0;
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      int m = run(part);
      if (part.isDifferentiable()) {
        Buffer place = place(gradients, y.gradient(), i, offset);
        Buffer whole = part.unreached();
        Buffer to = whole == null ? part.accumulator() : whole;
        y.device().columns().block(m, count(), place, run(y), whole == null, to, m);
      }
      offset += m;
    }
  }

  /** Part i of the whole. */
  private Buffer place(Cuts cuts, Buffer whole, int i, long offset) {
    long span = (long) run(y) * (count() - 1) + run(parts.get(i));
    return cuts.at(whole, i, offset, span);
  }

  /** The values that follow each other in a part: of a column, of a time step, or all. */
  private int run(Tensor part) {
    return part.shape().stride(dimension) * part.shape().length(dimension);
  }

  /** How often such values follow each other. */
  private int count() {
    return y.shape().count(dimension);
  }
}
