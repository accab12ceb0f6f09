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
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state that a Recur holds between calls, in one of three ways: fresh, so that the next step
 * starts from state0; with its history, as tensors of a tape; or without history, as a copy in
 * memory of its own.
 *
 * <p>Callers have entered the Recur, and the tape of the state where there is one. {@link Undo}
 * reads and gives back what is not private.
 */
final class HeldState implements Resident {
  private final Cell cell;
  private final String label;
  private final StateCheck check;

  /** The state with history, on the tape; or none. */
  @Nullable State live;

  @Nullable Tape tape;

  /** The state without history, in {@link #memory}; or none. The state is fresh without both. */
  @Nullable State kept;

  /** The columns of the state, live or kept, that the next step starts from state0. */
  final BitSet resetColumns = new BitSet();

  Kept memory = new Kept();
  private final boolean hasState0;

  /** The number of the present value. Each has another one; one that is given back, its own. */
  long changes;

  private long numbered;
  boolean isClosed;

  HeldState(Cell cell, String label, boolean hasState0) {
    this.cell = cell;
    this.label = label;
    this.check = new StateCheck(cell, label);
    this.hasState0 = hasState0;
  }

  /** Whether a fresh state is state0; otherwise there is none. */
  boolean hasState0() {
    return hasState0;
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
    return now != null ? now.parts() : state0();
  }

  private List<Parameter> state0() {
    if (!hasState0) {
      throw new IllegalStateException(
          label
              + ": it has no state0 and no state yet; give it one with state(…) or restore(…)"
              + " before its first step");
    }
    return cell.state0();
  }

  /** The number of values, of one column where the state is fresh. */
  long floats() {
    List<? extends Tensor> parts = isFresh() ? cell.state0() : parts();
    return parts.stream().mapToLong(part -> part.shape().count()).sum();
  }

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
    State now = present();
    if (resetColumns.isEmpty()) {
      return spread(its, now, batch, live == null && (kept == null || !copiesState));
    }
    State onTape = live != null ? now : spread(its, now, now.batch(), true);
    return spread(its, withState0(onTape), batch, false);
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
    changed();
  }

  /** Notes another value: what was to be done before the next step is done. */
  private void changed() {
    resetColumns.clear();
    changes = ++numbered;
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

  /** The state as it is: with its history, or the kept copy, or state0. */
  private State now() {
    State now = present();
    return resetColumns.isEmpty() ? now : withState0(now);
  }

  /** The state before the columns that were reset are replaced. */
  private State present() {
    checkOpen();
    checkTape();
    State now = live != null ? live : kept;
    return now != null ? now : new State(List.copyOf(state0()));
  }

  /** A state with state0 in the columns that were reset. */
  private State withState0(State state) {
    return state.with(State.matrices(cell.state0()), resetColumns);
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

  StateCheck check() {
    return check;
  }

  /** Keeps the value and drops the history. */
  void truncate() {
    boolean isNone = isFresh() && !hasState0;
    if (!isNone && (kept == null || !resetColumns.isEmpty())) {
      long before = changes;
      keep(now());
      changes = before;
    }
  }

  /** Becomes fresh. */
  void reset() {
    checkOpen();
    drop();
  }

  /** Refuses columns that cannot become state0. */
  void checkReset(int... columns) {
    checkOpen();
    if (!hasState0) {
      throw new IllegalStateException(
          label + ": it has no state0 to reset columns to; give it a state with state(…)");
    }
    Selection.check("reset", isFresh() ? Integer.MAX_VALUE : present().batch(), columns);
  }

  /** Has columns start from state0 at the next step; all of a fresh state do. */
  void resetColumns(int... columns) {
    if (!isFresh()) {
      changes = ++numbered;
      for (int column : columns) {
        resetColumns.set(column);
      }
    }
  }

  /** The selection of columns; refuses those that the state does not have. */
  Selection selection(int... columns) {
    checkOpen();
    return Selection.take(isFresh() ? Integer.MAX_VALUE : present().batch(), columns);
  }

  /** Has these columns in place of all; a fresh state has equal ones. */
  void take(int... columns) {
    if (isFresh()) {
      return;
    }
    Selection selection = selection(columns);
    State before = present();
    BitSet taken = new BitSet();
    for (int j = 0; j < columns.length; j++) {
      taken.set(j, resetColumns.get(columns[j]));
    }
    if (tape != null && tape.isRecording()) {
      after(tape, State.select(selection, before));
    } else {
      Kept other = new Kept();
      State copy = other.copy(before, columns);
      drop();
      memory.giveBack();
      memory = other;
      kept = copy;
    }
    resetColumns.or(taken);
  }

  /** Becomes a state that a user gives, with its history where that is on a tape that records. */
  void set(State given) {
    Tape its = check.given(given);
    List<Tensor> parts = new ArrayList<>(given.parts().size());
    for (Tensor part : given.parts()) {
      parts.add(State.matrix(its != null && part.tape() == null ? its.use(part) : part));
    }
    if (its == null) {
      keep(new State(parts));
    } else {
      after(its, new State(parts));
    }
  }

  /** Becomes another state of the same cell, without history. */
  void copyFrom(HeldState other) {
    if (other.isFresh()) {
      reset();
      return;
    }
    BitSet columns = (BitSet) other.resetColumns.clone();
    keep(other.present());
    resetColumns.or(columns);
  }

  /** Becomes what a snapshot holds. */
  void restore(List<Snapshot.Part> parts) {
    checkOpen();
    State copy = parts.isEmpty() ? null : memory.copy(check.device(), parts);
    drop();
    kept = copy;
  }

  /** Becomes a state of as many columns without history, whose values the caller writes. */
  State open(int columns, int most) {
    checkOpen();
    State opened = memory.open(check, columns, most);
    drop();
    kept = opened;
    return opened;
  }

  /** The state without history itself, no copy; none where it has history or is fresh. */
  @Nullable State kept() {
    return resetColumns.isEmpty() ? kept : null;
  }

  /** A fresh state of the same cell. */
  HeldState fresh() {
    return new HeldState(cell, label, hasState0);
  }

  /** A state of the same values, without history. */
  HeldState fork() {
    checkOpen();
    HeldState fork = fresh();
    fork.copyFrom(this);
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
    changed();
  }

  void checkOpen() {
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
