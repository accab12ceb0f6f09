package io.recur.nn;

import io.recur.compile.CompiledCell;
import io.recur.device.Device;
import io.recur.grad.Graph;
import io.recur.grad.OneHot;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a cell runs calls of one kind: compiled, or step by step for a reason. */
final class Plan {
  /**
   * A kind of call: what a step may depend on but the values.
   *
   * @param rows of x
   * @param batch of x, or of the sequences of which x has some
   * @param stateRows of the parts of the state
   */
  record Call(
      Device device,
      int rows,
      int batch,
      boolean isOneHot,
      boolean isRecording,
      List<Integer> stateRows) {
    static Call of(Tape tape, List<? extends Tensor> state, Tensor x, int batch) {
      List<Integer> stateRows = new ArrayList<>(state.size());
      for (Tensor part : state) {
        stateRows.add(part.shape().rows());
      }
      return new Call(
          tape.device(),
          x.shape().rows(),
          batch,
          x instanceof OneHot,
          tape.isRecording(),
          stateRows);
    }

    /** Whether one compiled cell can serve both kinds, if their graphs are equal. */
    boolean sharesForm(Call other) {
      return device == other.device && isRecording == other.isRecording;
    }

    @Override
    public String toString() {
      return "batch %d, %s x, %s"
          .formatted(
              batch, isOneHot ? "one-hot" : "dense", isRecording ? "recording" : "inference");
    }
  }

  /** A compiled cell and its graph. */
  record Form(Graph graph, CompiledCell compiled) {}

  private final Compilation owner;
  private final Call call;
  private final @Nullable Form form;
  private final String reason;

  /** Whether a call has been compared with the steps; those of the built-in cells are in tests. */
  private volatile boolean isChecked;

  Plan(Compilation owner, Call call, Form form) {
    this.owner = owner;
    this.call = call;
    this.form = form;
    this.reason = "";
    this.isChecked = owner.cell() instanceof StackedCell;
  }

  Plan(Compilation owner, Call call, String reason) {
    this.owner = owner;
    this.call = call;
    this.form = null;
    this.reason = reason;
  }

  Call call() {
    return call;
  }

  @Nullable Form form() {
    return form;
  }

  /** Why the cell runs step by step; empty where it is compiled. */
  String reason() {
    return reason;
  }

  /** Whether a run copies the state that it is given. */
  boolean copiesState() {
    return form != null;
  }

  /** Whether a call is of this kind. */
  boolean fits(Tape tape, List<? extends Tensor> state, Tensor x, int batch) {
    boolean fits =
        batch == call.batch
            && x.shape().rows() == call.rows
            && x instanceof OneHot == call.isOneHot
            && tape.isRecording() == call.isRecording
            && tape.device() == call.device
            && state.size() == call.stateRows.size();
    for (int i = 0; fits && i < state.size(); i++) {
      fits = state.get(i).shape().rows() == call.stateRows.get(i);
    }
    return fits;
  }

  /** Runs all steps of x, which has a batch. */
  Step run(OpContext context, State state, Tensor x) {
    if (form == null) {
      return stepByStep(state, x);
    }
    if (owner.checksEveryCall() || !isChecked) {
      new Comparison(owner, form, context.tape()).check(state, x);
      isChecked = true;
    }
    return run(owner.label(), form, context, state, x);
  }

  /** Whether all stretches of sequences can run as one operation: a first call is compared. */
  boolean runsLengths() {
    return form != null && isChecked && !owner.checksEveryCall() && form.compiled.runsLengths();
  }

  /** Whether it computes what another plan computes. */
  boolean isLike(Plan other) {
    return form != null && form == other.form;
  }

  /** Runs all stretches, from a state in the order of these; see {@link #runsLengths}. */
  Step run(OpContext context, State state, Padded x) {
    Form its = Objects.requireNonNull(form);
    accept(owner.label(), its, context, state);
    CompiledCell.Result result = its.compiled.run(context, state.parts(), x);
    return new Step(new State(result.states()), result.y());
  }

  static Step run(String label, Form form, OpContext context, State state, Tensor x) {
    accept(label, form, context, state);
    CompiledCell.Result result = form.compiled.run(context, state.parts(), x);
    return new Step(new State(result.states()), result.y());
  }

  private static void accept(String label, Form form, OpContext context, State state) {
    List<Tensor> parts = state.parts();
    for (int i = 0; i < parts.size(); i++) {
      context.accept(label, parts.get(i));
    }
    List<Parameter> parameters = form.graph.parameters();
    for (int i = 0; i < parameters.size(); i++) {
      context.accept(label, parameters.get(i));
    }
  }

  private Step stepByStep(State state, Tensor x) {
    try {
      return owner.cell().run(state, x);
    } catch (RuntimeException e) {
      owner.forget(this); // the reason may have been this exception, and go with its cause
      throw e;
    }
  }

  @Override
  public String toString() {
    if (form == null) {
      return call + ": step by step: " + reason;
    }
    long products =
        form.graph.nodes().stream().filter(node -> node instanceof Graph.Node.Product).count();
    return "%s: compiled: %d phases, %d products, %d rows kept for the backward pass"
        .formatted(call, form.compiled.phases(), products, form.compiled.keptRows());
  }
}
