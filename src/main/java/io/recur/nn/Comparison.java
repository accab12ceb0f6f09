package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.DropConnect;
import io.recur.grad.Graph;
import io.recur.grad.OneHot;
import io.recur.grad.OpContext;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares a compiled cell with its steps, on a tape of its own with the same values. The first
 * call of each kind compares its first steps; {@code io.recur.check=every} compares all steps of
 * every call.
 */
final class Comparison {
  /** The steps that the first call compares. */
  private static final int FIRST = 8;

  /** The share of values that may differ where a rounding error turns a comparison over. */
  private static final float TURNED = 1e-2f;

  /** The seed of the random operations on both sides. */
  private static final long SEED = 1;

  private final Compilation cell;
  private final Plan.Form form;
  private final Device device;
  private final boolean isRecording;
  private final boolean compares;

  Comparison(Compilation cell, Plan.Form form, Tape tape) {
    this.cell = cell;
    this.form = form;
    this.device = tape.device();
    this.isRecording = tape.isRecording();
    this.compares =
        form.graph().nodes().stream()
            .anyMatch(node -> node instanceof Graph.Node.Combine c && !c.f().isDifferentiable());
  }

  /** Refuses a call on which both differ, before anything of it has run. */
  void check(State state, Tensor x) {
    int time = x.shape().time();
    int first = compares ? 1 : FIRST; // a comparison that turns over changes all later steps
    int steps = cell.checksEveryCall() ? time : Math.min(first, time);
    try (Tape tape = tape()) {
      Tensor input = copy(tape, x, steps);
      State before = copy(tape, state);
      Step compiled = compiled(before, input);
      tape.seed(SEED);
      compare(before, input, compiled);
    }
  }

  /** A tape of the kind of the call's. */
  private Tape tape() {
    Tape tape = isRecording ? Tape.on(device) : Tape.inference(device);
    tape.seed(SEED);
    return tape;
  }

  private Step compiled(State before, Tensor input) {
    try (OpContext context = OpContext.of(cell.label(), input)) {
      return Plan.run(cell.label(), form, context, before, input);
    }
  }

  private void compare(State before, Tensor input, Step compiled) {
    String difference;
    try (var _ = DropConnect.on(input.tape(), Map.of())) { // a mask per sequence
      difference = difference(before, input, compiled);
    }
    if (difference != null && !agreesStepByStep(before, input)) {
      String first = new FirstDifference(cell, form.graph(), this::tape).find(before, input);
      throw new IllegalStateException(
          "%s: %s; %s; step does what a trace cannot see: call stepwise() on the Recur"
              .formatted(
                  cell.label(), difference, first == null ? "each operation alone agrees" : first));
    }
  }

  /**
   * Whether each step agrees where both sides begin it from the same state: then what differs is
   * rounding, which the cell itself makes larger from step to step.
   */
  private boolean agreesStepByStep(State before, Tensor input) {
    State now = before;
    int steps = input.shape().time();
    for (int t = 0; steps > 1 && t < steps; t++) {
      try (Tape tape = tape()) {
        State its = copy(tape, now);
        Tensor x = copy(tape, input.time(t), 1);
        Step compiled = compiled(its, x);
        tape.seed(SEED);
        try (var _ = DropConnect.on(tape, Map.of())) {
          if (difference(its, x, compiled) != null) {
            return false;
          }
        }
        now = copy(input.tape(), compiled.state());
      }
    }
    return steps > 1;
  }

  private @Nullable String difference(State before, Tensor input, Step compiled) {
    State now = before;
    int steps = input.shape().time();
    for (int t = 0; t < steps; t++) {
      Step step = cell.cell().step(now, input.time(t));
      Deviation deviation = deviation(step.y(), compiled.y().time(t));
      if (deviation != null) {
        return "y at step %d, %s".formatted(t, deviation);
      }
      if (cell.checksEveryCall()) {
        refuseNotANumber(now, input.time(t), t, step);
      }
      now = step.state();
    }
    for (int i = 0; i < now.parts().size(); i++) {
      Deviation deviation = deviation(now.parts().get(i), compiled.state().parts().get(i));
      if (deviation != null) {
        return "state %d after step %d, %s".formatted(i, steps - 1, deviation);
      }
    }
    return null;
  }

  private @Nullable Deviation deviation(Tensor step, Tensor compiled) {
    return Deviation.of(step.toArray(), compiled.toArray(), compares ? TURNED : 0);
  }

  private void refuseNotANumber(State before, Tensor x, int t, Step after) {
    List<Tensor> results = new ArrayList<>(after.state().parts());
    results.add(after.y());
    if (results.stream().noneMatch(result -> hasNotANumber(result.toArray()))) {
      return;
    }
    try (Tape tape = tape()) {
      String operation =
          Trace.values(tape, copy(tape, before).parts(), copy(tape, x, 1), cell::step).stream()
              .filter(value -> hasNotANumber(value.values()))
              .map(value -> "operation %d, %s".formatted(value.number(), value.node()))
              .findFirst()
              .orElse("what it is given");
      throw new IllegalStateException(
          "%s: step %d is not a number, first in %s".formatted(cell.label(), t, operation));
    }
  }

  private static boolean hasNotANumber(float[] values) {
    for (float value : values) {
      if (Float.isNaN(value)) {
        return true;
      }
    }
    return false;
  }

  static State copy(Tape tape, State state) {
    List<Tensor> parts = new ArrayList<>();
    for (Tensor part : state.parts()) {
      Shape shape = Shape.of(part.shape().rows(), part.shape().columns());
      parts.add(tape.input(shape, part.toArray()));
    }
    return new State(parts);
  }

  /** The first steps of x. */
  static Tensor copy(Tape tape, Tensor x, int steps) {
    Tensor first = x.shape().time() == steps ? x : x.times(0, steps);
    Shape shape = first.shape();
    if (!(first instanceof OneHot hot)) {
      return tape.input(shape, first.toArray());
    }
    float[] bits = hot.index().read();
    int[] index = new int[shape.columns()];
    for (int j = 0; j < index.length; j++) {
      index[j] = Float.floatToRawIntBits(bits[j]);
    }
    return tape.oneHot(shape, index);
  }
}
