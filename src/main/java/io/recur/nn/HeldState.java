package io.recur.nn;

import io.recur.device.OneThread;
import io.recur.grad.Parameter;
import io.recur.grad.Repeat;
import io.recur.grad.Resident;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state that a Recur holds between calls, in one of three ways: fresh, so that the next step
 * starts from state0; with its history, as tensors of a tape; or without history, as a copy in
 * memory of its own.
 *
 * <p>Callers have entered the Recur, and the tape of the state where there is one.
 */
final class HeldState implements Resident {
  private final Cell cell;
  private final String label;

  /** The state with history, on the tape; or none. */
  private @Nullable State live;

  private @Nullable Tape tape;

  /** The state without history, in {@link #memory}; or none. The state is fresh without both. */
  private @Nullable State kept;

  private final Kept memory = new Kept();

  private boolean isClosed;

  HeldState(Cell cell, String label) {
    this.cell = cell;
    this.label = label;
  }

  @Override
  public String describe() {
    return label;
  }

  /** Holds the tape that the state is on. */
  @Nullable OneThread enterTape() {
    return tape == null ? null : tape.enter();
  }

  boolean isFresh() {
    return live == null && kept == null;
  }

  /** The tensors of the state; those of state0 where it is fresh. */
  private List<? extends Tensor> parts() {
    State now = live != null ? live : kept;
    return now != null ? now.parts() : cell.state0();
  }

  /** The number of values, of one column where the state is fresh. */
  long floats() {
    return parts().stream().mapToLong(part -> part.shape().count()).sum();
  }

  // Steps.

  /** The parts of the state from which a step on this tape starts, before they are repeated. */
  List<? extends Tensor> parts(Tape its, int batch) {
    check(its, batch);
    return parts();
  }

  /** Refuses a tape and a batch that do not fit the state. */
  private void check(Tape its, int batch) {
    if (live != null && tape != its) {
      checkTape();
      throw new IllegalStateException(
          label
              + ": its state has history on another tape; call truncate() to carry its value over,"
              + " or reset() to drop it");
    }
    checkBatch(batch);
  }

  /**
   * The state from which a step on this tape starts, with as many columns as the batch.
   *
   * @param copiesState whether the run copies it, see {@link Cell#copiesState}
   */
  State before(Tape its, int batch, boolean copiesState) {
    check(its, batch);
    // The next keep() must not overwrite what an operation has recorded or a cell returns as its
    // output, so a kept state is copied. state0 is copied so that its gradient is summed.
    return spread(its, now(), batch, live == null && (kept == null || !copiesState));
  }

  /** Takes the state after a step on this tape, with its history where the tape records. */
  void after(Tape its, State state) {
    if (!its.isRecording()) {
      keep(state);
      return;
    }
    if (tape != its) {
      drop();
      its.hold(this);
      tape = its;
    }
    live = state;
    kept = null;
  }

  /** Refuses a batch that the state neither has nor can be repeated to. */
  void checkBatch(int batch) {
    checkOpen();
    List<? extends Tensor> parts = parts();
    for (int i = 0; i < parts.size(); i++) {
      int columns = parts.get(i).shape().columns();
      if (columns != 1 && columns != batch) {
        String remedy =
            isFresh()
                ? "its state0 is of a fixed batch, give it x of that batch"
                : "call reset() before another batch";
        throw new ShapeException(
            "%s: state batch=%d, x batch=%d; %s".formatted(label, columns, batch, remedy));
      }
    }
  }

  /** A state for this batch, on the tape. */
  private State spread(Tape its, State state, int batch, boolean copy) {
    if (!copy && state.isOfBatch(batch)) {
      return state;
    }
    List<Tensor> parts = new ArrayList<>(state.parts().size());
    for (Tensor part : state.parts()) {
      int columns = part.shape().columns();
      Shape wanted = Shape.of(part.shape().rows(), batch);
      if (columns == batch && !copy) {
        parts.add(part);
      } else if (columns == batch) {
        Tensor used = its.use(part);
        parts.add(used.shape().equals(wanted) ? used : used.reshape(wanted));
      } else {
        parts.add(Repeat.repeat(its, part, wanted));
      }
    }
    return new State(parts);
  }

  // Values.

  /** The state as it is: with its history, or the kept copy, or state0. */
  State now() {
    checkOpen();
    checkTape();
    State now = live != null ? live : kept;
    return now != null ? now : new State(List.copyOf(cell.state0()));
  }

  /** The state for a user: tensors of the tape where it has history, a copy otherwise. */
  State shown() {
    State now = now();
    return live != null ? now : now.copy();
  }

  /** The values for a snapshot; none where the state is fresh. */
  List<Snapshot.Part> snapshot() {
    checkOpen();
    if (isFresh()) {
      return List.of();
    }
    return now().parts().stream()
        .map(p -> new Snapshot.Part(p.shape().rows(), p.shape().columns(), p.toArray()))
        .toList();
  }

  /** Refuses a snapshot of another cell; a snapshot may not know its kind. */
  void check(String kind, List<Snapshot.Part> parts) {
    List<Parameter> initial = cell.state0();
    boolean fits = parts.isEmpty() || parts.size() == initial.size();
    fits &= kind.isEmpty() || kind.equals(label);
    for (int i = 0; fits && i < parts.size(); i++) {
      fits = parts.get(i).rows() == initial.get(i).shape().rows();
    }
    if (!fits) {
      throw new ShapeException(
          "restore: %s has a state of %s, the snapshot holds %s of %s; take it from the same model"
              .formatted(
                  label,
                  initial.stream().map(Tensor::shape).toList(),
                  parts.stream().map(part -> part.rows() + "×" + part.batch()).toList(),
                  kind.isEmpty() ? "a Recur" : kind));
    }
  }

  // Lifetimes.

  /** Keeps the value and drops the history. */
  void truncate() {
    if (kept == null) {
      keep(now());
    }
  }

  /** Becomes fresh. */
  void reset() {
    checkOpen();
    drop();
  }

  /** Becomes what a snapshot holds. */
  void restore(List<Snapshot.Part> parts) {
    reset();
    if (!parts.isEmpty()) {
      kept = memory.copy(cell.state0().getFirst().device(), parts);
    }
  }

  /** A state of the same values, without history. */
  HeldState fork() {
    checkOpen();
    HeldState fork = new HeldState(cell, label);
    if (!isFresh()) {
      fork.kept = fork.memory.copy(now());
    }
    return fork;
  }

  /** Drops the state and gives its memory back. */
  void close() {
    drop();
    memory.giveBack();
    isClosed = true;
  }

  /** Copies a state, which may be the present one, to memory of its own. */
  private void keep(State state) {
    State copy = memory.copy(state);
    drop();
    kept = copy;
  }

  private void drop() {
    if (tape != null) {
      tape.release(this);
    }
    tape = null;
    live = null;
    kept = null;
  }

  private void checkOpen() {
    if (isClosed) {
      throw new IllegalStateException(
          label
              + ": it was closed; close it after its last use, and fork the model for another state");
    }
  }

  private void checkTape() {
    if (tape != null && !tape.isOpen()) {
      throw new IllegalStateException(
          label
              + ": its tape was closed while it held the state; call reset(), and next time"
              + " truncate() before the tape is closed");
    }
  }
}
