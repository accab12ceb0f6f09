package io.recur.nn;

import io.recur.compile.CompiledCell;
import io.recur.grad.Graph;
import io.recur.grad.OpContext;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds the first operation in which a compiled cell and its steps differ, once they are known to:
 * each node of a step's graph is compiled as the output of a program of its own.
 */
final class FirstDifference {
  private final Compilation cell;
  private final Graph graph;
  private final Supplier<Tape> tapes;

  /**
   * Prepares a search.
   *
   * @param graph of which the compiled cell was made
   * @param tapes opens tapes like that of the call, with the same seed
   */
  FirstDifference(Compilation cell, Graph graph, Supplier<Tape> tapes) {
    this.cell = cell;
    this.graph = graph;
    this.tapes = tapes;
  }

  /** The step and the operation that differ first; null where each operation alone agrees. */
  @Nullable String find(State before, Tensor input) {
    State now = before;
    for (int t = 0; t < input.shape().time(); t++) {
      String operation = at(now, input.time(t));
      if (operation != null) {
        return "first at step %d, in %s".formatted(t, operation);
      }
      now = cell.cell().step(now, input.time(t)).state();
    }
    return null;
  }

  private @Nullable String at(State before, Tensor x) {
    try (Tape tape = tapes.get()) {
      List<Tensor> state = Comparison.copy(tape, before).parts();
      for (Trace.Value value : Trace.values(tape, state, Comparison.copy(tape, x, 1), cell::step)) {
        String difference = of(value, before, x);
        if (difference != null) {
          return difference;
        }
      }
      return null;
    }
  }

  private @Nullable String of(Trace.Value value, State before, Tensor x) {
    Graph.Node traced = value.number() < graph.nodes().size() ? graph.node(value.number()) : null;
    if (!value.node().equals(traced)) {
      return "operation %d, which was %s when it was traced and is %s now"
          .formatted(value.number(), traced == null ? "none" : traced, value.node());
    }
    Deviation deviation = Deviation.of(value.values(), compiled(value.number(), before, x), 0);
    return deviation == null
        ? null
        : "operation %d, %s (%s)".formatted(value.number(), traced, deviation);
  }

  /** What the compiled cell gives for a node. */
  private float[] compiled(int node, State before, Tensor x) {
    Graph its =
        new Graph(
            graph.nodes(),
            graph.parameters(),
            graph.dropped(),
            graph.draws(),
            graph.states(),
            node);
    try (Tape tape = tapes.get()) {
      State state = Comparison.copy(tape, before);
      Tensor input = Comparison.copy(tape, x, 1);
      int in = input.shape().rows();
      CompiledCell compiled = CompiledCell.of(its, in, tape.isRecording(), tape.device());
      try (OpContext context = OpContext.of(cell.label(), input)) {
        Plan.Form form = new Plan.Form(its, compiled);
        return Plan.run(cell.label(), form, context, state, input).y().toArray();
      }
    }
  }
}
