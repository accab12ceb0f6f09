package io.recur.grad;

import io.recur.device.Buffer;
import java.util.List;

/**
 * Tensors one behind the other along rows, columns or time; the gradient is cut where they meet.
 *
 * <pre>{@code
 * Tensor both = Concat.rows(h, x);              // (H + in) × B
 * Tensor y = Concat.time(steps);                // out × B × T from T tensors out × B
 * }</pre>
 */
public final class Concat implements Op {
  private final List<Tensor> parts;
  private final Tensor y;
  private final boolean byRows;

  private Concat(List<Tensor> parts, Tensor y, boolean byRows) {
    this.parts = parts;
    this.y = y;
    this.byRows = byRows;
  }

  /**
   * Stacks tensors of equal batch and time upon each other.
   *
   * @param parts two or more
   * @return a tensor with the sum of their rows
   */
  public static Tensor rows(Tensor... parts) {
    Shape first = first(parts);
    int rows = 0;
    for (Tensor part : parts) {
      Shape shape = part.shape();
      if (shape.batch() != first.batch() || shape.time() != first.time()) {
        throw new ShapeException(
            "concat rows: %s and %s; need equal batch and time".formatted(first, shape));
      }
      rows += shape.rows();
    }
    return join(true, first.withRows(rows), List.of(parts));
  }

  /**
   * Puts matrices or vectors of equal rows side by side.
   *
   * @param parts two or more
   * @return a matrix with the sum of their columns
   */
  public static Tensor columns(Tensor... parts) {
    Shape first = first(parts);
    int columns = 0;
    for (Tensor part : parts) {
      Shape shape = part.shape();
      if (shape.rows() != first.rows() || shape.time() != 1) {
        throw new ShapeException(
            "concat columns: %s and %s; need matrices of equal rows".formatted(first, shape));
      }
      columns += shape.columns();
    }
    return join(false, Shape.of(first.rows(), columns), List.of(parts));
  }

  /**
   * Makes a sequence of steps: T tensors {@code out × B} give {@code out × B × T}; parts that are
   * sequences themselves follow each other.
   *
   * @param parts one or more of equal rows and batch
   * @return a sequence
   */
  public static Tensor time(List<Tensor> parts) {
    Shape first = first(parts.toArray(Tensor[]::new));
    int time = 0;
    for (Tensor part : parts) {
      Shape shape = part.shape();
      if (shape.rows() != first.rows() || shape.batch() != first.batch()) {
        throw new ShapeException(
            "concat time: %s and %s; need equal rows and batch".formatted(first, shape));
      }
      time += shape.time();
    }
    return join(false, Shape.of(first.rows(), first.batch(), time), List.copyOf(parts));
  }

  private static Shape first(Tensor[] parts) {
    if (parts.length == 0) {
      throw new ShapeException("concat: no tensors; need one or more");
    }
    return parts[0].shape();
  }

  private static Tensor join(boolean byRows, Shape shape, List<Tensor> parts) {
    Tape tape = Tape.of("concat", parts.toArray(Tensor[]::new));
    boolean differentiable = parts.stream().anyMatch(Tensor::isDifferentiable);
    Tensor y = tape.output(shape, differentiable);
    Concat op = new Concat(parts, y, byRows);
    op.walk(y.value(), (part, place) -> op.move(part.value(), part, place, true));
    return tape.record(op, y);
  }

  @Override
  public void backward() {
    walk(
        y.gradient(),
        (part, place) -> {
          if (part.isDifferentiable()) {
            move(part.accumulator(), part, place, false);
          }
        });
  }

  private interface Move {
    void at(Tensor part, Buffer place);
  }

  private void walk(Buffer whole, Move move) {
    long offset = 0;
    for (Tensor part : parts) {
      long step = byRows ? part.shape().rows() : part.shape().count();
      move.at(part, whole.slice(offset, whole.floats() - offset));
      offset += step;
    }
  }

  /** Copies a part's values to its place, or adds the gradient at its place to the part's. */
  private void move(Buffer own, Tensor part, Buffer place, boolean forward) {
    int m = byRows ? part.shape().rows() : part.shape().count();
    int n = byRows ? part.shape().columns() : 1;
    int stride = byRows ? y.shape().rows() : m;
    var columns = y.device().columns();
    if (forward) {
      columns.block(m, n, own, m, false, place, stride);
    } else {
      columns.block(m, n, place, stride, true, own, m);
    }
  }
}
