package io.recur.nn.cells;

import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;

/**
 * The heads of a cell whose state is a matrix per head. A view makes each head of each column of a
 * batch a column of its own.
 *
 * @param count heads
 * @param size d, the units of a head
 */
record Heads(int count, int size) {
  /** Of out units; refuses heads that do not divide them. */
  static Heads of(String cell, int heads, int out) {
    if (heads < 1 || out % heads != 0) {
      throw new ShapeException(
          "%s: out=%d, heads=%d; need 1 head or more, and out a multiple of the heads"
              .formatted(cell, out, heads));
    }
    return new Heads(heads, out / heads);
  }

  /** The values of a state of a matrix per head, one column. */
  int matrixRows() {
    return count * size * size;
  }

  /** out × B as d × heads·B. */
  Tensor vectors(Tensor whole) {
    return view(whole, size);
  }

  /** heads × B as a row. */
  Tensor numbers(Tensor whole) {
    return view(whole, 1);
  }

  /** The state as d·d × heads·B. */
  Tensor matrices(Tensor whole) {
    return view(whole, size * size);
  }

  /** Matrices, each column of which is multiplied by a number: those of {@link #vectors}. */
  Tensor scaled(Tensor matrices, Tensor vectors) {
    Tensor columns = view(matrices, size).mul(view(vectors, 1));
    return view(columns, size * size);
  }

  /** Undoes the views. */
  Tensor whole(Tensor view) {
    return view(view, count * view.shape().rows());
  }

  private static Tensor view(Tensor tensor, int rows) {
    return tensor.reshape(Shape.of(rows, tensor.shape().count() / rows));
  }
}
