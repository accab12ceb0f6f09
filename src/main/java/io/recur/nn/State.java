package io.recur.nn;

import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of a cell between two steps: one tensor for most cells, h and c for the LSTM, each out
 * × batch.
 *
 * <p>Columns can be taken, put, swapped, joined and split. The result is on the tape, gradient and
 * all, where one of the states is, and a copy otherwise.
 *
 * <pre>{@code
 * State before = State.of(h);
 * Tensor same = before.h();
 * State three = before.take(0, 0, 0);                 // a state for three beams
 * State.join(three, before).split(2, 2).getLast();    // the last two of four columns
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

  /**
   * This state on a tape: constants, such as a state without history, and parameters as tensors of
   * that tape, which a step of a user's own cell may need.
   *
   * @param tape where the other operands are; null for this state as it is
   * @return this where all parts are on a tape
   */
  public State on(@Nullable Tape tape) {
    boolean isOn = true;
    for (int i = 0; i < parts.size(); i++) {
      isOn &= parts.get(i).tape() != null;
    }
    return tape == null || isOn
        ? this
        : new State(parts.stream().map(p -> p.tape() == null ? tape.use(p) : p).toList());
  }

  // Columns.

  /**
   * Some columns, in this order; a column may be taken several times.
   *
   * @param columns each 0 ≤ column &lt; batch, one or more
   * @return a state of as many columns
   * @throws ShapeException if there are none, or the parts differ in their columns
   * @throws IndexOutOfBoundsException if this state has no such column
   */
  public State take(int... columns) {
    return select(Selection.take(columns(), columns), this);
  }

  /**
   * This state with two columns exchanged.
   *
   * @param a a column
   * @param b a column
   * @return a state of the same size
   * @throws IndexOutOfBoundsException if this state has no such column
   */
  public State swap(int a, int b) {
    return select(Selection.swap(columns(), a, b), this);
  }

  /**
   * This state with the columns of another one in place of some of its own.
   *
   * @param other of as many columns as there are places, and the same rows
   * @param at the places, each once: column j of the other becomes column {@code at[j]}
   * @return a state of the same size
   * @throws ShapeException if the sizes do not fit
   * @throws IndexOutOfBoundsException if this state has no such column
   */
  public State put(State other, int... at) {
    return select(Selection.put(columns(), other.columns(), at), this, other);
  }

  /**
   * The columns of several states, one state after the other.
   *
   * @param states one or more, of the same rows
   * @return a state with the sum of their columns
   * @throws ShapeException if there is none, or the rows differ
   */
  public static State join(State... states) {
    if (states.length == 0) {
      throw new ShapeException("join: no states; need one or more");
    }
    int[] batches = new int[states.length];
    for (int i = 0; i < batches.length; i++) {
      batches[i] = states[i].columns();
    }
    return select(Selection.join(batches), states);
  }

  /**
   * Cuts this state into states of adjacent columns.
   *
   * @param widths the columns of each, 1 or more, with the batch as their sum
   * @return one state for each width
   * @throws ShapeException if the widths do not fit
   */
  public List<State> split(int... widths) {
    return Selection.split(columns(), widths).stream().map(part -> select(part, this)).toList();
  }

  /** The columns that all parts have. */
  private int columns() {
    int batch = batch();
    if (!isOfBatch(batch)) {
      throw new ShapeException("state: %s; need as many columns in each".formatted(shapes(this)));
    }
    return batch;
  }

  private static List<Shape> shapes(State state) {
    return state.parts.stream().map(Tensor::shape).toList();
  }

  /** Selects columns of states; their batches have been checked. */
  static State select(Selection selection, State... states) {
    for (State state : states) {
      if (!state.hasRowsOf(states[0])) {
        throw new ShapeException(
            "state: %s and %s; need states of one cell"
                .formatted(shapes(states[0]), shapes(state)));
      }
    }
    List<Tensor> selected = new ArrayList<>(states[0].parts.size());
    for (int i = 0; i < states[0].parts.size(); i++) {
      List<Tensor> from = new ArrayList<>(states.length);
      for (State state : states) {
        from.add(matrix(state.parts.get(i)));
      }
      selected.add(selection.of(from));
    }
    return new State(selected);
  }

  /** A state of these parts as matrices. */
  static State matrices(List<? extends Tensor> parts) {
    return new State(parts.stream().map(State::matrix).toList());
  }

  /** This state with the columns of an initial one, of one column or as many, in some places. */
  State with(State initial, BitSet places) {
    List<Tensor> replaced = new ArrayList<>(parts.size());
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = matrix(parts.get(i));
      Tensor its = initial.parts.get(i);
      int batch = part.shape().columns();
      int[] source = new int[batch];
      int[] column = new int[batch];
      for (int j = 0; j < batch; j++) {
        source[j] = places.get(j) ? 1 : 0;
        column[j] = places.get(j) ? Math.min(j, its.shape().columns() - 1) : j;
      }
      replaced.add(new Selection(source, column).of(List.of(part, its)));
    }
    return new State(replaced);
  }

  /** A part with the shape of a matrix. */
  static Tensor matrix(Tensor part) {
    Shape shape = part.shape();
    return shape.rank() == 2 ? part : part.reshape(Shape.of(shape.rows(), shape.columns()));
  }

  private boolean hasRowsOf(State other) {
    boolean like = parts.size() == other.parts.size();
    for (int i = 0; like && i < parts.size(); i++) {
      like = parts.get(i).shape().rows() == other.parts.get(i).shape().rows();
    }
    return like;
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
