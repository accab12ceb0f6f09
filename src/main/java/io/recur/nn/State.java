package io.recur.nn;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The state of a cell between two steps: one tensor for most cells, h and c for the LSTM, each out
 * × batch.
 *
 * <pre>{@code
 * State before = State.of(h);
 * Tensor same = before.h();
 * }</pre>
 *
 * @param parts the tensors in the cell's order
 */
public record State(List<Tensor> parts) {
  /** Copies the list. */
  public State {
    parts = List.copyOf(parts);
  }

  /**
   * A state of these tensors.
   *
   * @param parts in the cell's order
   * @return the state
   */
  public static State of(Tensor... parts) {
    return new State(List.of(parts));
  }

  /** A state of one tensor, without an array. */
  static State of(Tensor h) {
    return new State(List.of(h));
  }

  /** A state of two tensors, without an array. */
  static State of(Tensor h, Tensor c) {
    return new State(List.of(h, c));
  }

  /**
   * The first part, the only one of most cells.
   *
   * @return h
   * @throws IndexOutOfBoundsException if this state has no part
   */
  public Tensor h() {
    return part("h", 0);
  }

  /**
   * The second part, the cell state c of an LSTM.
   *
   * @return c
   * @throws IndexOutOfBoundsException if this state has one part or none
   */
  public Tensor c() {
    return part("c", 1);
  }

  private Tensor part(String name, int number) {
    if (number >= parts.size()) {
      throw new IndexOutOfBoundsException(
          "state: %s of a state of %d tensors; take a state of the cell that it is for"
              .formatted(name, parts.size()));
    }
    return parts.get(number);
  }

  /** {@return the batch: the number of columns of each part} */
  public int batch() {
    return h().shape().columns();
  }

  /** Whether every part has as many columns. */
  boolean isOfBatch(int batch) {
    boolean fits = true;
    for (int i = 0; i < parts.size(); i++) {
      fits &= parts.get(i).shape().columns() == batch;
    }
    return fits;
  }

  /** Whether its parts are of the other's sizes. */
  boolean isLike(State other) {
    boolean like = parts.size() == other.parts.size();
    for (int i = 0; like && i < parts.size(); i++) {
      Shape here = parts.get(i).shape();
      Shape there = other.parts.get(i).shape();
      like = here.rows() == there.rows() && here.columns() == there.columns();
    }
    return like;
  }

  /** A state of the same values in memory of its own. */
  State copy() {
    List<Tensor> copies = new ArrayList<>(parts.size());
    for (Tensor part : parts) {
      Shape shape = Shape.of(part.shape().rows(), part.shape().columns());
      copies.add(Tensor.constant(shape, part.device().allocate(shape.count())));
    }
    State copy = new State(copies);
    copyTo(copy);
    return copy;
  }

  /** Copies the values to a state of the same sizes. */
  void copyTo(State other) {
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      int count = part.shape().count();
      part.device().pointwise().copy(part.value(), other.parts.get(i).value(), count);
    }
  }
}
