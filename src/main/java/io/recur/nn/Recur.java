package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.OneThread;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Repeat;
import io.recur.grad.Resident;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A cell with its state: {@code y, state = cell(state, x)} at each call.
 *
 * <p>A vector of length in gives a vector of length out, a batch {@code in × B} gives {@code out ×
 * B}, sequences {@code in × B × T} give {@code out × B × T}. The state begins as the cell's {@code
 * state0}, repeated over the batch.
 *
 * <ul>
 *   <li>By default the gradient runs through all steps since the last reset or truncate.
 *   <li>{@link #truncate} keeps the value of the state and drops its history.
 *   <li>{@link #reset} gives back state0, gradient and all.
 *   <li>A state of batch 1 is repeated for a larger batch; any other change of the batch throws.
 *   <li>On a tape that records nothing, no history is kept and nothing needs to be truncated.
 * </ul>
 *
 * <p>A Recur is used by one thread at a time: a second thread that comes while the first is inside
 * gets an {@link IllegalStateException}. {@link #fork} gives another thread one of its own.
 *
 * <pre>{@code
 * Recur rnn = Layers.rnn(3, 5).on(device, 42);
 * Tensor y = rnn.apply(tape.input(1, 2, 3));
 *
 * Recur sum = new Recur((h, x) -> Step.step(h.add(x), x), Parameter.fixed(Shape.of(1, 1), 0))
 *     .on(device, 0);
 * }</pre>
 */
public final class Recur implements Layer, Resident {
  private final Cell cell;
  private final String label;
  private final OneThread mark;

  /** The state with history, on a tape; or none. */
  private @Nullable State live;

  private @Nullable Tape tape;

  /** The state without history, in memory of this Recur's own; or none. Neither: fresh. */
  private @Nullable State kept;

  private final Kept memory = new Kept();

  private boolean isClosed;

  /**
   * A Recur of a cell.
   *
   * @param cell built in or of one's own
   */
  public Recur(Cell cell) {
    this.cell = Objects.requireNonNull(cell, "cell");
    this.label = "Recur(" + Printed.kind(cell) + ")";
    this.mark = new OneThread(label, "give each thread a fork of the model (model.fork())");
  }

  /**
   * A Recur of a function {@code (h, x) -> (h, y)}.
   *
   * @param function one step
   * @param state0 the initial state, out × 1, or out × B for a fixed batch
   * @param weights the parameters that the function uses, so that they are placed and trained
   */
  public Recur(Cell.StepFunction function, Parameter state0, Parameter... weights) {
    this(new FunctionCell(function, state0, List.of(weights)));
  }

  /**
   * The cell.
   *
   * @return the cell that this wraps
   */
  public Cell cell() {
    return cell;
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x has the wrong size or another batch than the state; nothing has
   *     then changed
   * @throws IllegalStateException if this Recur was closed, or the state belongs to another tape,
   *     or its tape was closed, or another thread is inside this Recur or the tape
   */
  @Override
  public Tensor apply(Tensor x) {
    try (var _ = mark.enterOnce();
        OpContext context = OpContext.of(label, x)) {
      checkOpen();
      return step(context.tape(), x);
    }
  }

  private Tensor step(Tape its, Tensor x) {
    Shape shape = x.shape();
    Tensor input = shape.rank() == 1 ? x.columns(0, 1) : x;
    Step step = cell.run(before(its, shape.batch()), input);
    if (its.isRecording()) {
      if (tape != its) {
        detach();
        its.hold(this);
        tape = its;
      }
      live = step.state();
      kept = null;
    } else {
      keep(step.state());
    }
    Tensor y = step.y();
    if (y.shape().rank() == shape.rank()) {
      return y;
    }
    boolean isColumn = shape.rank() == 1 && y.shape().columns() == 1;
    return isColumn ? y.column(0) : y.reshape(shape.withRows(y.shape().rows()));
  }

  /** The state from which the next step starts, with as many columns as the batch. */
  private State before(Tape its, int batch) {
    if (isFresh()) {
      checkBatch(batch);
      return spread(its, new State(List.copyOf(cell.state0())), batch, true);
    }
    if (live != null && tape != its) {
      checkTape();
      throw new IllegalStateException(
          describe()
              + ": its state has history on another tape; call truncate() to carry its value over,"
              + " or reset() to drop it");
    }
    checkBatch(batch);
    return spread(its, current(), batch, live == null && !(cell instanceof StackedCell));
  }

  /** Refuses a batch that the state is neither of nor can be repeated to. */
  void checkBatch(int batch) {
    checkOpen();
    State now = live != null ? live : kept;
    List<? extends Tensor> parts = now != null ? now.parts() : cell.state0();
    for (int i = 0; i < parts.size(); i++) {
      int columns = parts.get(i).shape().columns();
      if (columns != 1 && columns != batch) {
        String remedy =
            now == null
                ? "its state0 is of a fixed batch, give it x of that batch"
                : "call reset() before another batch";
        throw new ShapeException(
            "%s: state batch=%d, x batch=%d; %s".formatted(label, columns, batch, remedy));
      }
    }
  }

  /**
   * A state for this batch, on the tape. The next {@link #keep} must not overwrite what an
   * operation has recorded or a cell gives back as its output, so kept memory is copied; the
   * built-in cells do so themselves.
   */
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

  /**
   * Whether this Recur was just built or reset.
   *
   * @return true if the next step starts from state0
   */
  public boolean isFresh() {
    return live == null && kept == null;
  }

  /**
   * The state as it stands: tensors of the tape where there is history, a copy otherwise, of state0
   * on a fresh Recur.
   *
   * @return tensors out × batch
   */
  public State state() {
    mark.read();
    try {
      State now = current();
      return live != null ? now : now.copy();
    } finally {
      mark.endRead();
    }
  }

  private State current() {
    checkOpen();
    checkTape();
    State now = live != null ? live : kept;
    return now != null ? now : new State(List.copyOf(cell.state0()));
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
          describe()
              + ": its tape was closed while it held the state; call reset(), and next time"
              + " truncate() before the tape is closed");
    }
  }

  /**
   * {@inheritDoc} On a fresh Recur this cuts state0 off: its value stays, no gradient reaches it.
   */
  @Override
  public void truncate() {
    try (var _ = mark.enterOnce();
        var _ = enterTape()) {
      if (kept == null) {
        keep(current());
      }
    }
  }

  @Override
  public void reset() {
    try (var _ = mark.enterOnce();
        var _ = enterTape()) {
      checkOpen();
      detach();
      kept = null;
    }
  }

  /**
   * Drops the state as {@link #reset} does and gives its memory back at once; without it the memory
   * comes back when nothing refers to this Recur any more. What a tape has recorded stays there, so
   * that a backward pass through it is still right. The weights stay, and so do all forks. Further
   * use is an error; a second call does nothing.
   *
   * @throws IllegalStateException if another thread is inside this Recur or the tape
   */
  @Override
  public void close() {
    try (var _ = mark.enterOnce();
        var _ = enterTape()) {
      detach();
      kept = null;
      memory.giveBack();
      isClosed = true;
    }
  }

  /** What threads that use this Recur enter. */
  OneThread mark() {
    return mark;
  }

  /** Holds the tape that the state is on. */
  private @Nullable OneThread enterTape() {
    return tape == null ? null : tape.enter();
  }

  private void detach() {
    if (tape != null) {
      tape.release(this);
    }
    tape = null;
    live = null;
  }

  /** Copies a state into this Recur's own memory. */
  private void keep(State state) {
    State mine = memory.copy(state);
    detach();
    kept = mine;
  }

  /** The number of values in the state, of one column where it is fresh. */
  long stateFloats() {
    State now = live != null ? live : kept;
    List<? extends Tensor> parts = now != null ? now.parts() : cell.state0();
    return parts.stream().mapToLong(part -> part.shape().count()).sum();
  }

  /** The state's values for a snapshot; empty where it is fresh. */
  List<Snapshot.Part> snapshot() {
    mark.read();
    try (var _ = enterTape()) {
      checkOpen();
      if (isFresh()) {
        return List.of();
      }
      return current().parts().stream()
          .map(p -> new Snapshot.Part(p.shape().rows(), p.shape().columns(), p.toArray()))
          .toList();
    } finally {
      mark.endRead();
    }
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
                  describe(),
                  initial.stream().map(Tensor::shape).toList(),
                  parts.stream().map(part -> part.rows() + "×" + part.batch()).toList(),
                  kind.isEmpty() ? "a Recur" : kind));
    }
  }

  /** Takes over a snapshot's values. */
  void adopt(List<Snapshot.Part> parts) {
    try (var _ = mark.enter()) {
      reset();
      if (!parts.isEmpty()) {
        kept = memory.copy(cell.state0().getFirst().device(), parts);
      }
    }
  }

  @Override
  public Recur fork() {
    mark.read();
    try (var _ = enterTape()) {
      checkOpen();
      Recur fork = new Recur(cell);
      if (!isFresh()) {
        fork.kept = fork.memory.copy(current());
      }
      return fork;
    } finally {
      mark.endRead();
    }
  }

  @Override
  public Layer fork(Fork fork) {
    return fork();
  }

  @Override
  public Recur on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public List<Parameter> own() {
    return cell.parameters();
  }

  @Override
  public String describe() {
    return label;
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}
