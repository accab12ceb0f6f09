package io.recur.nn;

import io.recur.compile.CompiledCell;
import io.recur.grad.Graph;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The compiled forms of a cell, one {@link Plan} per kind of call. A Recur and its forks share it,
 * on any threads. It keeps the plans that were used last; equal graphs share one compiled cell.
 */
final class Compilation {
  /**
   * The plans that are kept: a model sees fewer batches in turn, as a rule. Sequences of different
   * lengths are a batch for each number of them that is alive.
   */
  private static final int MOST = 512;

  private final Cell cell;
  private final String label;
  private final boolean checksEveryCall;

  private final Map<Plan.Call, Plan> plans =
      new LinkedHashMap<>(MOST, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Plan.Call, Plan> eldest) {
          return size() > MOST;
        }
      };

  Compilation(Cell cell, String label) {
    this.cell = cell;
    this.label = label;
    String check = System.getProperty("io.recur.check");
    if (check != null && !check.equals("every")) {
      throw new IllegalArgumentException(
          "io.recur.check=" + check + "; need every, or leave it out for the first call alone");
    }
    this.checksEveryCall = check != null;
  }

  /** The forms of this cell; none where it overrides {@link Cell#run}. */
  static @Nullable Compilation of(Cell cell, String label) {
    try {
      boolean runsSteps =
          cell.getClass().getMethod("run", State.class, Tensor.class).getDeclaringClass()
              == Cell.class;
      return runsSteps ? new Compilation(cell, label) : null;
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(label + ": it has no method run", e);
    }
  }

  Cell cell() {
    return cell;
  }

  String label() {
    return label;
  }

  boolean checksEveryCall() {
    return checksEveryCall;
  }

  /**
   * The plan for a call: the last one if it fits, or a known one, or a new one.
   *
   * @param batch of the call that is planned: that of x, or of sequences of which x has some
   */
  Plan plan(@Nullable Plan last, Tape tape, List<? extends Tensor> state, Tensor x, int batch) {
    if (last != null && last.fits(tape, state, x, batch)) {
      return last;
    }
    Plan.Call call = Plan.Call.of(tape, state, x, batch);
    synchronized (this) {
      Plan known = plans.get(call);
      if (known == null) {
        known = make(call);
        plans.put(call, known);
      }
      return known;
    }
  }

  /** Forgets a plan whose call has failed: the reason may go. */
  synchronized void forget(Plan plan) {
    plans.remove(plan.call(), plan);
  }

  private Plan make(Plan.Call call) {
    Trace.Result trace = trace(call);
    Graph graph = trace.graph();
    if (graph == null) {
      return new Plan(this, call, trace.reason());
    }
    for (Plan plan : plans.values()) {
      Plan.Form form = plan.form();
      if (form != null && call.sharesForm(plan.call()) && graph.equals(form.graph())) {
        return new Plan(this, call, form);
      }
    }
    CompiledCell compiled = CompiledCell.of(graph, call.rows(), call.isRecording(), call.device());
    return new Plan(this, call, new Plan.Form(graph, compiled));
  }

  private Trace.Result trace(Plan.Call call) {
    List<Shape> shapes = new ArrayList<>();
    for (int rows : call.stateRows()) {
      shapes.add(Shape.of(rows, call.batch()));
    }
    return Trace.of(
        call.device(),
        call.isRecording(),
        Shape.of(call.rows(), call.batch()),
        call.isOneHot(),
        shapes,
        this::step);
  }

  /** The step as a function of tensors. */
  List<Tensor> step(List<Tensor> state, Tensor x) {
    Step step = cell.step(new State(state), x);
    List<Tensor> results = new ArrayList<>(step.state().parts());
    results.add(step.y());
    return results;
  }

  /** What is known of this cell, a line for each kind of call. */
  synchronized List<String> lines() {
    return plans.values().stream().map(Plan::toString).toList();
  }
}
