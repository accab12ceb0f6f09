package io.recur.nn;

import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a Recur runs its cell: compiled, or step by step, or by the cell's own run. */
final class Running {
  private final Cell cell;
  private final String label;

  /** Shared with forks; none where the cell overrides {@link Cell#run}. */
  private final @Nullable Compilation compilation;

  private Way way = Way.COMPILED_OR_STEPWISE;

  /** Whether one plan serves all batches of two columns and more. */
  private boolean hasOnePlan;

  /** That of the last call, which is as a rule that of the next one. */
  private @Nullable Plan plan;

  /** That of the last call of one sequence beside others that have ended. */
  private @Nullable Plan single;

  /** What is allowed. */
  enum Way {
    COMPILED_OR_STEPWISE,
    COMPILED,
    STEPWISE
  }

  Running(Cell cell, String label) {
    this(cell, label, Compilation.of(cell, label));
  }

  private Running(Cell cell, String label, @Nullable Compilation compilation) {
    this.cell = cell;
    this.label = label;
    this.compilation = compilation;
  }

  /** The same way, with the same compiled forms. */
  Running fork() {
    Running fork = new Running(cell, label, compilation);
    fork.way = way;
    fork.hasOnePlan = hasOnePlan;
    return fork;
  }

  void way(Way way) {
    this.way = way;
  }

  /**
   * Has one plan serve all batches of two columns and more where columns are independent, as it
   * serves stretches: batches whose size changes from call to call are not traced again.
   */
  void onePlan() {
    hasOnePlan = cell.columnsAreIndependent();
  }

  /** Runs all steps of x from the state that is held; the context is of the tape of x. */
  Step run(OpContext context, HeldState state, Tensor x) {
    Tape tape = context.tape();
    int batch = x.shape().batch();
    if (compilation == null || way == Way.STEPWISE) {
      return cell.run(state.before(tape, batch, cell.copiesState()), x);
    }
    int planned = hasOnePlan ? Math.min(2, batch) : batch;
    Plan now = refused(compilation.plan(plan, tape, state.parts(tape, batch), x, planned));
    Step step = now.run(context, state.before(tape, batch, now.copiesState()), x);
    plan = now; // not one that has failed: its reason may go
    return step;
  }

  /**
   * Runs the steps that some of the sequences of a batch have, from a state of as many columns. One
   * plan serves all numbers of sequences where columns are independent; one column is a batch of
   * its own, which a step may treat as a vector.
   */
  Step stretch(int batch, State state, Tensor x) {
    if (compilation == null || way == Way.STEPWISE) {
      return cell.run(state, x);
    }
    try (OpContext context = OpContext.of(label, x)) {
      int width = x.shape().batch();
      int planned = width == 1 || !cell.columnsAreIndependent() ? width : batch;
      Plan now = refused(compilation.plan(plan, context.tape(), state.parts(), x, planned));
      Step step = now.run(context, state, x);
      plan = now;
      return step;
    }
  }

  /**
   * Runs sequences of different lengths: all stretches as one operation where that computes the
   * same, else one after the other.
   */
  Padded over(Padded x, Stretches run) {
    int batch = x.shape().batch();
    if (x.stretchCount() > 1 && compilation != null && way != Way.STEPWISE) {
      try (OpContext context = OpContext.of(label, x.valid())) {
        Plan whole = whole(compilation, context.tape(), run.start(), x);
        if (whole != null) {
          Padded y = run.ended(whole.run(context, run.start(), x));
          plan = whole;
          return y;
        }
      }
    }
    return run.of((now, input) -> stretch(batch, now, input));
  }

  /** The plan for all stretches; none where one of them needs another, or a comparison. */
  private @Nullable Plan whole(Compilation of, Tape tape, State start, Padded x) {
    if (!cell.columnsAreIndependent()) {
      return null;
    }
    List<Tensor> parts = start.parts();
    Plan now = refused(of.plan(plan, tape, parts, x.valid(), x.shape().batch()));
    if (!now.runsLengths() || x.stretchBatch(x.stretchCount() - 1) > 1) {
      return now.runsLengths() ? now : null;
    }
    Plan one = of.plan(single, tape, parts, x.valid(), 1);
    if (!now.isLike(one)) {
      return null;
    }
    single = one;
    return now;
  }

  /** Refuses a plan of single steps where it must be compiled. */
  private Plan refused(Plan now) {
    if (way == Way.COMPILED && !now.reason().isEmpty()) {
      throw new IllegalStateException(
          "%s: it would run step by step, and requireCompiled() was called; %s"
              .formatted(label, now.reason()));
    }
    return now;
  }

  /** {@return a line for each kind of call that was seen} */
  List<String> lines() {
    if (compilation == null) {
      return List.of("its own run, for all calls");
    }
    return way == Way.STEPWISE ? List.of("stepwise() was called") : compilation.lines();
  }
}
