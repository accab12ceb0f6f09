package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.OneThread;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;

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
 * Recur decoder = Layers.gru(2, 5).withoutState0().on(device, 43);
 * decoder.state(rnn.state());                              // gradients run back into rnn
 *
 * Recur sum = new Recur((h, x) -> Step.step(h.add(x), x), Parameter.fixed(Shape.of(1, 1), 0))
 *     .on(device, 0);
 * }</pre>
 */
public final class Recur implements Layer {
  private final Cell cell;
  private final String label;
  private final OneThread mark;
  private final HeldState state;
  private final Running running;

  /**
   * A Recur of a cell.
   *
   * @param cell built in or a user's own
   */
  public Recur(Cell cell) {
    this(cell, new HeldState(cell, label(cell), true), new Running(cell, label(cell)));
    Names.ofRecord(cell);
  }

  private Recur(Cell cell, HeldState state, Running running) {
    this.cell = cell;
    this.label = state.describe();
    this.running = running;
    this.mark = new OneThread(label, "give each thread a fork of the model (model.fork())");
    this.state = state;
  }

  private static String label(Cell cell) {
    return "Recur(" + Printed.kind(Objects.requireNonNull(cell, "cell")) + ")";
  }

  /**
   * A Recur of a function {@code (h, x) -> (h', y)}.
   *
   * @param function one step
   * @param state0 the initial state, out × 1, or out × B for a fixed batch
   * @param weights the parameters that the function uses, to be placed and trained
   */
  public Recur(Cell.StepFunction function, Parameter state0, Parameter... weights) {
    this(new FunctionCell(function, state0, List.of(weights)));
  }

  /**
   * A Recur of a function {@code (h, x) -> (h', y)} whose weights have names, for checkpoints.
   *
   * @param function one step
   * @param state0 the initial state, out × 1, or out × B for a fixed batch; {@code state0} unless
   *     it has a name
   * @param weights the parameters that the function uses, by the names that they are given; they
   *     are placed and saved in the order of their names
   */
  public Recur(Cell.StepFunction function, Parameter state0, Map<String, Parameter> weights) {
    this(
        new FunctionCell(
            function, state0.isNamed() ? state0 : state0.named("state0"), Names.of(weights)));
  }

  /**
   * Another Recur over the same cell that takes its state from {@link #state(State)} alone: state0
   * is none of its parameters, and a step before a state is given throws. {@link #reset} drops the
   * state. Call it before {@code on(device, seed)}, so that state0 gets no memory.
   *
   * @return a Recur without a state
   */
  public Recur withoutState0() {
    return new Recur(cell, new HeldState(cell, label, false), running.fork());
  }

  /** {@return the cell that this wraps} */
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
      Tape tape = context.tape();
      Shape shape = x.shape();
      refuseTrace(tape);
      Tensor input = shape.rank() == 1 ? x.columns(0, 1) : x;
      Step step = running.run(context, state, input);
      state.after(tape, step.state());
      return ofRank(shape, step.y());
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x has the wrong size or another batch than the state; nothing has
   *     then changed
   */
  @Override
  public Padded apply(Padded x) {
    try (var _ = mark.enterOnce();
        var _ = x.enter()) {
      Tape tape = x.tape();
      refuseTrace(tape);
      Stretches run = new Stretches(x, state.before(tape, x.shape().batch(), false));
      Padded y = running.over(x, run);
      state.after(tape, run.end());
      return y;
    }
  }

  /**
   * Runs the cell from a state that the caller keeps: {@code y, state = cell(state, x)}. The state
   * of this Recur is neither read nor changed.
   *
   * @param start as many tensors as the cell's state, each of its rows × the batch of x
   * @param x a vector, a batch or sequences
   * @return the state after the last step and the outputs, on the tape of x
   * @throws ShapeException if x or the state has other sizes
   * @throws IllegalStateException if it was closed, or another thread is inside it or the tape
   */
  public Step from(State start, Tensor x) {
    try (var _ = mark.enterOnce();
        OpContext context = OpContext.of(label, x)) {
      refuseTrace(context.tape());
      state.checkOpen();
      Shape shape = x.shape();
      State before = state.check().from(start, shape.batch()).on(context.tape());
      Step step = running.stretch(shape.batch(), before, shape.rank() == 1 ? x.columns(0, 1) : x);
      return new Step(step.state(), ofRank(shape, step.y()));
    }
  }

  /** A step that is traced must not move the state of a Recur: no later call would. */
  private void refuseTrace(Tape tape) {
    if (tape.isTracing()) {
      throw new IllegalStateException(
          label
              + ": it is inside a step, which hides its state; make that a part of the cell's state");
    }
  }

  /** The output with the input's rank. */
  private static Tensor ofRank(Shape shape, Tensor y) {
    if (y.shape().rank() == shape.rank()) {
      return y;
    }
    boolean isColumn = shape.rank() == 1 && y.shape().columns() == 1;
    return isColumn ? y.column(0) : y.reshape(shape.withRows(y.shape().rows()));
  }

  /**
   * How the cell runs: compiled or step by step, and why. A line for each kind of call that was
   * seen, the last one last.
   *
   * <pre>
   * Recur(function, state 5×1):
   *   batch 32, dense x, recording: compiled: 1 phases, 2 products, 5 rows kept for the backward pass
   *   batch 1, dense x, inference: step by step: toArray: the step reads a value, …
   * </pre>
   *
   * @return lines of text, without an end of line after the last
   */
  @Override
  public String explain() {
    List<String> lines = running.lines();
    return label + ":\n  " + (lines.isEmpty() ? "no call yet" : String.join("\n  ", lines));
  }

  /**
   * {@inheritDoc} A cell that overrides {@link Cell#run} has a way of its own and is not refused.
   */
  @Override
  public Recur requireCompiled() {
    try (var _ = mark.enterOnce()) {
      running.way(Running.Way.COMPILED);
      return this;
    }
  }

  /** {@inheritDoc} */
  @Override
  public Recur stepwise() {
    try (var _ = mark.enterOnce()) {
      running.way(Running.Way.STEPWISE);
      return this;
    }
  }

  /** Refuses a batch that the state neither has nor can be repeated to. */
  void checkBatch(int batch) {
    state.checkBatch(batch);
  }

  /** {@return whether this Recur was just built or reset: the next step starts from state0} */
  public boolean isFresh() {
    return state.isFresh();
  }

  /**
   * The present state: tensors of the tape where it has history, a copy otherwise; a copy of state0
   * on a fresh Recur.
   *
   * @return tensors out × batch
   */
  public State state() {
    mark.read();
    try {
      return state.shown();
    } finally {
      mark.endRead();
    }
  }

  /**
   * Sets the state, such as that of an encoder: this Recur is then not fresh. Where the tensors are
   * on a tape that records, gradients run into them; otherwise their values are copied. The next
   * step must be on the same tape, or follow a {@link #truncate}. A state of batch 1 is repeated
   * for a larger batch. {@link #reset} gives state0 back.
   *
   * @param given as many tensors as the cell's state, each of its rows × batch
   * @throws ShapeException if there are others
   * @throws IllegalStateException if they are on two tapes, on another device, or from before their
   *     tape was cleared; if one is a parameter and none is on a tape, where its gradient would be
   *     lost; or if another thread is inside this Recur or the tape. Nothing has then changed.
   */
  public void state(State given) {
    try (var _ = mark.enterOnce();
        var _ = state.enterTape();
        var _ = given.h().enter()) {
      state.set(given);
    }
  }

  /**
   * {@inheritDoc} On a fresh Recur this cuts state0 off: its value stays, no gradient reaches it.
   */
  @Override
  public void truncate() {
    try (var _ = mark.enterOnce();
        var _ = state.enterTape()) {
      state.truncate();
    }
  }

  @Override
  public void reset() {
    try (var _ = mark.enterOnce();
        var _ = state.enterTape()) {
      state.reset();
    }
  }

  /**
   * Drops the state as {@link #reset} does and gives its memory back at once. The memory of a Recur
   * that is not closed comes back when it is unreachable. The history stays on its tape, so that a
   * backward pass through it is still right. The weights and all forks stay. Further use is an
   * error; a second call does nothing.
   *
   * @throws IllegalStateException if another thread is inside this Recur or the tape
   */
  @Override
  public void close() {
    try (var _ = mark.enterOnce();
        var _ = state.enterTape()) {
      state.close();
    }
  }

  /** The mark that a thread enters which uses this Recur. */
  OneThread mark() {
    return mark;
  }

  HeldState held() {
    return state;
  }

  /** Prepares for batches that change from call to call. */
  void changesBatch() {
    running.onePlan();
  }

  /** The number of values in the state, of one column where it is fresh. */
  long stateFloats() {
    return state.floats();
  }

  /** The state's values for a snapshot; empty where it is fresh. */
  List<Snapshot.Part> snapshot() {
    mark.read();
    try (var _ = state.enterTape()) {
      return state.snapshot();
    } finally {
      mark.endRead();
    }
  }

  /** Becomes what a snapshot holds. */
  void adopt(List<Snapshot.Part> parts) {
    try (var _ = mark.enterOnce();
        var _ = state.enterTape()) {
      state.restore(parts);
    }
  }

  @Override
  public Recur fork() {
    mark.read();
    try (var _ = state.enterTape()) {
      return new Recur(cell, state.fork(), running.fork());
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
    return state.hasState0()
        ? cell.parameters()
        : cell.parameters().stream().filter(p -> !cell.state0().contains(p)).toList();
  }

  /** Whether those of its cell are. */
  @Override
  public boolean columnsAreIndependent() {
    return cell.columnsAreIndependent();
  }

  @Override
  public boolean keepsBatch() {
    return true;
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
