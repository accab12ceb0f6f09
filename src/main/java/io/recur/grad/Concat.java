package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.memory.Slices;
import java.util.List;

/**
 * Concatenation of tensors along rows, columns or time. Each part gets its part of the gradient.
 *
 * <pre>{@code
 * Tensor both = Concat.rows(h, x);              // (H + in) × B
 * Tensor y = Concat.time(steps);                // out × B × T from T tensors out × B
 * }</pre>
 */
public final class Concat implements Op {
  private final Slices places = new Slices();
  private final Slices gradients = new Slices();
  private List<Tensor> parts;
  private Tensor y;
  private boolean byRows;

  private Concat() {}

  /**
   * Concatenates tensors of equal batch and time along rows.
   *
   * @param parts two or more
   * @return a tensor with the sum of their rows
   */
  public static Tensor rows(Tensor... parts) {
    Shape first = first(List.of(parts));
    long rows = 0;
    for (Tensor part : parts) {
      Shape shape = part.shape();
      if (shape.batch() != first.batch() || shape.time() != first.time()) {
        throw new ShapeException(
            "concat rows: %s and %s; need equal batch and time".formatted(first, shape));
      }
      rows += shape.rows();
    }
    Shape.check(first.rank(), rows, first.batch(), first.time());
    return join(true, first.withRows((int) rows), List.of(parts));
  }

  /**
   * Concatenates matrices or vectors of equal rows along columns.
   *
   * @param parts two or more
   * @return a matrix with the sum of their columns
   */
  public static Tensor columns(Tensor... parts) {
    Shape first = first(List.of(parts));
    long columns = 0;
    for (Tensor part : parts) {
      Shape shape = part.shape();
      if (shape.rows() != first.rows() || shape.time() != 1) {
        throw new ShapeException(
            "concat columns: %s and %s; need matrices of equal rows".formatted(first, shape));
      }
      columns += shape.columns();
    }
    Shape.check(2, first.rows(), columns, 1);
    return join(false, Shape.of(first.rows(), (int) columns), List.of(parts));
  }

  /**
   * Concatenates tensors along time: T tensors {@code out × B} give {@code out × B × T}. A part may
   * be a sequence itself.
   *
   * @param parts one or more of equal rows and batch
   * @return a sequence
   */
  public static Tensor time(List<Tensor> parts) {
    Shape first = first(parts);
    long time = 0;
    for (int i = 0; i < parts.size(); i++) {
      Shape shape = parts.get(i).shape();
      if (shape.rows() != first.rows() || shape.batch() != first.batch()) {
        throw new ShapeException(
            "concat time: %s and %s; need equal rows and batch".formatted(first, shape));
      }
      time += shape.time();
    }
    Shape.check(3, first.rows(), first.batch(), time);
    return join(false, Shape.of(first.rows(), first.batch(), (int) time), List.copyOf(parts));
  }

  private static Shape first(List<Tensor> parts) {
    if (parts.isEmpty()) {
      throw new ShapeException("concat: no tensors; need one or more");
    }
    return parts.get(0).shape();
  }

  private static Tensor join(boolean byRows, Shape shape, List<Tensor> parts) {
    Tensor[] inputs = parts.toArray(Tensor[]::new);
    try (OpContext context = OpContext.of("concat", inputs)) {
      boolean differentiable = false;
      for (Tensor input : inputs) {
        differentiable |= input.isDifferentiable();
      }
      Concat op = context.reuse(Concat.class, Concat::new);
      op.parts = parts;
      op.byRows = byRows;
      op.y = context.output(shape, differentiable);
      op.forward();
      return context.record(op, op.y);
    }
  }

  private void forward() {
    long offset = 0;
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      Buffer place = place(places, y.value(), i, offset);
      y.device()
          .columns()
          .block(rows(part), columns(part), part.value(), rows(part), false, place, stride(part));
      offset += rows(part);
    }
  }

  @Override
  public void backward() {
    long offset = 0;
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      if (part.isDifferentiable()) {
        Buffer place = place(gradients, y.gradient(), i, offset);
        y.device()
            .columns()
            .block(
                rows(part),
                columns(part),
                place,
                stride(part),
                true,
                part.accumulator(),
                rows(part));
      }
      offset += rows(part);
    }
  }

  /** Part i of the whole. Parts of one size are cut once for the whole loop. */
  private Buffer place(Slices slices, Buffer whole, int i, long offset) {
    Tensor part = parts.get(i);
    long span = (long) stride(part) * (columns(part) - 1) + rows(part);
    boolean alike = y.shape().count() == (long) parts.size() * part.shape().count();
    return alike && offset == (long) i * rows(part)
        ? slices.of(whole, 0, rows(part), span).at(i)
        : whole.slice(offset, span);
  }

  /** The rows of a part as a matrix: a part along columns or time is a matrix of one column. */
  private int rows(Tensor part) {
    return byRows ? part.shape().rows() : part.shape().count();
  }

  private int columns(Tensor part) {
    return byRows ? part.shape().columns() : 1;
  }

  private int stride(Tensor part) {
    return byRows ? y.shape().rows() : rows(part);
  }
}
